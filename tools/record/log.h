/* The log of a recording: text, a record a line, each handed to the system whole before the next is
 * begun. So whatever ends record, a full disk or SIGKILL, leaves every record readable but perhaps
 * the last, which then lacks its line end. docs/record.md says what each record holds. */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>
#include <stdint.h>

#include "runs.h"
#include "system/output.h"

struct log {
    struct output file;
    int error; /* why nothing more is written: the system's error code, or 0 */
    char *text;
    size_t length, size;
    uint64_t start_ns; /* times are written from here on */
};

/* Creates the file at `path`, which must not exist; its descriptor is never a standard stream's.
 * Returns 0 or the system's error code. */
int log_open(struct log *log, const char *path);

void log_close(struct log *log);

/* Adds what printf would print to the record. */
void log_add(struct log *log, const char *format, ...);

/* Adds text without blanks, control characters and '%', which become %XX. */
void log_add_escaped(struct log *log, const char *text);

/* Adds the time in µs. */
void log_add_time(struct log *log);

/* Adds " GAP+LENGTH" for each run, both in pages and hexadecimal: GAP from the end of the run
 * before it, for the first from address 0. */
void log_add_runs(struct log *log, const struct runs *runs);

/* Ends the record and writes it. */
void log_end(struct log *log);

#endif
