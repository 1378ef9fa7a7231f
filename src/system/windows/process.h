/* What the system says of a process, this one or another. Under Wine its counters mean nothing. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <windows.h>
/* After windows.h. */
#include <psapi.h>

bool process_under_wine(void);

/* Return 0 or the system's error code. */
int process_read(HANDLE process, PROCESS_MEMORY_COUNTERS_EX *counters);
int process_cpu_ns(HANDLE process, uint64_t *ns);
uint64_t process_time_ns(FILETIME time);

/* One line of the words, ended by NULL, as CreateProcess takes it and a C runtime takes it apart.
 * Good until the next call. */
char *process_command_line(char **words);

#endif
