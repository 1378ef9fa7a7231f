/* Catches the faults of one piece of code and asks a handler what to do with each.
 *
 * A trap is its thread's own: several threads may each run code under one, at a time. A fault that
 * the handler calls foreign, or of a thread without a trap, goes to whoever had it before, so that
 * by default it ends the process as if this module were not there. */
#ifndef TRAP_H
#define TRAP_H

#include <stdbool.h>

#include "system/kind.h"

/* TRAP_SIGNAL: SIGSEGV (POSIX). TRAP_SEH: a frame of __try and __except; TRAP_VEH: a vectored
 * handler, asked before any frame (Windows).
 * The rest is of memory with a userfaultfd (Linux): TRAP_SIGBUS: SIGBUS. TRAP_THREAD: another
 * thread is told, while the access waits, and asks the handler; one trap at a time in a process. */
enum trap_kind { TRAP_SIGNAL, TRAP_SEH, TRAP_VEH, TRAP_SIGBUS, TRAP_THREAD };
extern const struct kind trap_kinds[];

enum trap_answer {
    TRAP_RETRY,   /* the cause is mended: access again */
    TRAP_ABANDON, /* leave the body where it stands; under TRAP_THREAD it goes on unaided */
    TRAP_FOREIGN, /* not ours */
};

/* Called in the context of the faulting access, at which `address` is what it wanted. On Linux this
 * is a signal handler: async-signal-safe calls only. */
typedef enum trap_answer (*trap_handler)(void *context, const void *address);

/* Runs body(context) with its faults put to `handler`, even if the signal for them was blocked.
 * Sets *completed to whether the body ran to its end; it did not if the handler abandoned it.
 * Returns 0, or the system's error code: then the body did not run, or what was there before could
 * not be put back. */
int trap_run(enum trap_kind kind, void (*body)(void *), trap_handler handler, void *context,
             bool *completed);

#endif
