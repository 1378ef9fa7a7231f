/* Catches the faults of one piece of code and asks a handler what to do with each.
 *
 * A fault that the handler calls foreign goes to whoever had it before, so that by default it ends
 * the process as if this module were not there. One trap at a time, on one thread. */
#ifndef TRAP_H
#define TRAP_H

#include <stdbool.h>

#include "system/kind.h"

enum trap_answer {
    TRAP_RETRY,   /* the cause is mended: access again */
    TRAP_ABANDON, /* leave the body where it stands */
    TRAP_FOREIGN, /* not ours */
};

/* The ways of catching that this system has, and a choice of one: false if `name` is none of them.
 * Without a choice it is the first. */
extern const struct kind trap_kinds[];
bool trap_choose(const char *name);
const char *trap_name(void);

/* Called in the context of the faulting access, at which `address` is what it wanted. On Linux this
 * is a signal handler: async-signal-safe calls only. */
typedef enum trap_answer (*trap_handler)(void *context, const void *address);

/* Runs body(context) with its faults put to `handler`. Sets *completed to whether the body ran to
 * its end; it did not if the handler abandoned it. Returns 0 or the system's error code, in which
 * case the body did not run. */
int trap_run(void (*body)(void *), trap_handler handler, void *context, bool *completed);

#endif
