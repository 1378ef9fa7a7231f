/* The call stack of a thread that stands in a system call. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tasks.h"

enum { FRAMES_MOST = 64 };

/* Whether it is known of this processor how its programs keep frames: of x86-64 alone. */
bool frames_known(void);

/* Finds where the thread stands and the return addresses of its callers, innermost first: at most
 * FRAMES_MOST, and as many as it returns. By frame pointers (System V ABI for x86-64, 3.2.2): each
 * lies above the one before, in the mapping that the stack pointer is in, and an address that is
 * not in space->code ends them. Before them, or where there is none, the functions of a C library
 * that was compiled without: by the words on the stack that stand behind a call into the function
 * that was found last. Reads 64 KiB of the stack at most, and writes nothing. */
size_t frames_walk(pid_t tid, const struct space *space, uint64_t *addresses);

/* To be called when code has been unmapped or mapped: what was read of it counts no more. */
void frames_forget(void);

#endif
