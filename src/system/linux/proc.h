/* Reading /proc and /sys. `root` is put before each path: "" for the running system, the folder of
 * a made-up tree for a test. Functions that return int return 0 or errno. */
#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/maps.h"

/* Calls `line` for each line of the file at root and path, without its line end. Lines beyond
 * 16 KiB may come in pieces, or not at all. Uses no heap. */
int proc_for_each_line(const char *root, const char *path, void (*line)(char *text, void *context),
                       void *context);

/* The same of a file that is open, from its beginning. */
int proc_for_each_line_of(int file, void (*line)(char *text, void *context), void *context);

/* The number behind `name` at the start of a line; false if the line is another. */
bool proc_field(const char *line, const char *name, uint64_t *value);

/* Numbers of /proc/PID/stat, each in the place that proc(5) gives it, from 4 up to `count`; 0 where
 * there is none. Returns the state, which is field 3, or 0 where the line has none. */
char proc_stat_fields(char *line, uint64_t *fields, size_t count);

/* CPU time that a process has had, all threads together. False where the system doesn't say. */
bool proc_cpu_ns(int process, uint64_t *ns);

/* A `line` for files of one number: puts it into *(uint64_t *)context, which stays as it is where
 * the line begins with none, as "max" does. */
void proc_number_line(char *line, void *context);

/* maps_read and meter_read_available. */
int proc_read_memory(const char *root, const void *base, size_t size, struct maps_memory *memory);
int proc_read_available(const char *root, uint64_t *bytes);

#endif
