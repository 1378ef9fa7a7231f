/* Another process, watched while it runs and not disturbed by that: one that is started here, or
 * one that runs already. */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/meter.h"

struct watch {
    uint64_t process;
    intptr_t handle, asked; /* the system's own */
    bool started;           /* here */
    int status;             /* of one that was started and has ended: the system's own */
};

/* Attaches to a running process: from then on its number can't come to mean another. Returns 0 or
 * the system's error code. */
int watch_attach(uint64_t process, struct watch *watch);

/* The same for a process beside one that is watched already: what asks this process to end comes
 * through that one alone. And its end. */
int watch_beside(uint64_t process, struct watch *watch);
void watch_close(struct watch *watch);

/* Whether the system says which processes another one started. */
bool watch_knows_children(void);

/* Calls `each` for all that `process` started and that are there, or wait to be noticed by it; not
 * for those of them that have passed on to another parent. */
void watch_children(uint64_t process, void (*each)(uint64_t child, void *context), void *context);

/* Starts the program of `words`, ended by NULL, which is looked for as a shell does. From then on
 * an interrupt from the terminal is the program's alone, and what else asks this process to end is
 * passed on to it. Returns 0 or the system's error code. */
int watch_start(char **words, struct watch *watch);

/* Whether an error of watch_start says that there is no such program. */
bool watch_no_program(int error);

/* WATCH_LATER: the time is up. WATCH_ENDED: the process has, which is said once. WATCH_ASKED:
 * somebody asks this process to end, which watches one that it didn't start, or that has ended. */
enum watch_event { WATCH_LATER, WATCH_ENDED, WATCH_ASKED };
enum watch_event watch_wait(struct watch *watch, uint64_t ms);

/* What the system counted for it since it began; unknown once it has ended. Under Wine nothing is
 * known. */
struct watch_counts {
    struct meter_count cpu_ns, minor_faults, major_faults;
    struct meter_count most_resident_bytes; /* that there ever was */
};
void watch_count(const struct watch *watch, struct watch_counts *counts);

/* The path of the program that it runs; empty where the system doesn't say. */
void watch_path(const struct watch *watch, char *path, size_t size);

/* The exit status of a started program that has ended. Where it ended by a signal, this process
 * does too. */
int watch_end(const struct watch *watch);

#endif
