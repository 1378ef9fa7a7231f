/* userfaultfd(2), which Linux alone has: all of a range is usable and charged, and whoever is told
 * of the first access to a page supplies it, with as many around it as it likes. One descriptor
 * serves the process. Functions return 0 or errno; addresses and sizes are whole pages. */
#ifndef UFFD_H
#define UFFD_H

#include <stddef.h>

#include "system/commit.h"
#include "system/trap.h"

/* Why this kernel, or what it allows this process, has none; NULL if it has. */
const char *uffd_unsupported(void);

/* To be called before the others, and again for a larger step or another kind. Opens the
 * descriptor, whose faults the trap of that kind then gets: TRAP_SIGBUS by a signal; TRAP_THREAD by
 * a thread that is started to read it, for the process's life. Makes what COMMIT_COPY copies from:
 * `step` bytes that nothing was ever written to, which are neither charged nor resident. */
int uffd_prepare(enum trap_kind trap, enum commit_kind kind, size_t step);

/* Maps `size` bytes, readable, writable and charged, at *base, with faults as prepared. */
int uffd_map(size_t size, void **base);

/* Supplies pages of which none is there yet. COMMIT_COPY: pages of their own, resident from now on.
 * COMMIT_ZEROPAGE: the zero page, so that each write to one still copies it, by a minor fault.
 * Async-signal-safe. */
int uffd_supply(enum commit_kind kind, void *address, size_t size);

#endif
