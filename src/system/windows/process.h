/* What the system says of this process. Under Wine its counters mean nothing. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <windows.h>
/* After windows.h. */
#include <psapi.h>

bool process_under_wine(void);

/* Returns 0 or the system's error code. */
int process_read(PROCESS_MEMORY_COUNTERS_EX *counters);

#endif
