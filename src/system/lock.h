/* Locks all that a process maps from now on, so that it stays in physical memory. Functions that
 * return int return 0 or the system's error code. */
#ifndef LOCK_H
#define LOCK_H

#include "system/kind.h"

/* LOCK_NONE: as it is by default. LOCK_FUTURE: mlockall(MCL_FUTURE): what is mapped or made
 * accessible is brought into memory at once, and stays. LOCK_ONFAULT: with MCL_ONFAULT: it stays
 * from its first touch on (Linux 4.4). */
enum lock_kind { LOCK_NONE, LOCK_FUTURE, LOCK_ONFAULT };

/* What the system has, LOCK_NONE first. */
extern const struct kind lock_kinds[];

/* Why it has no other, or NULL. */
const char *lock_unsupported(void);

/* From here on; until lock_end, which also unlocks what was locked meanwhile. */
int lock_begin(enum lock_kind kind);
int lock_end(void);

#endif
