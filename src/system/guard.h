/* A guard page: the next access to it faults. Functions that return int return 0 or the system's
 * error code. */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "system/kind.h"

/* GUARD_MADVISE: a marker in the page table of a committed page, MADV_GUARD_INSTALL (Linux 6.13).
 * GUARD_PROT_NONE: the page past the committed end, simply left inaccessible (Linux).
 * GUARD_PAGE: PAGE_GUARD on a committed page (Windows).
 * GUARD_AUTO: the best that the running system has; only guard_resolve takes it. */
enum guard_kind { GUARD_AUTO, GUARD_MADVISE, GUARD_PROT_NONE, GUARD_PAGE };
extern const struct kind guard_kinds[];

/* What GUARD_AUTO comes to here; any other kind as it is. */
enum guard_kind guard_resolve(enum guard_kind kind);

/* Why this machine can't do it, or NULL. */
const char *guard_unsupported(enum guard_kind kind);

/* Bytes of the guard page that must be committed before guard_set: a page, or 0 where any
 * uncommitted page already is a guard. */
size_t guard_committed_bytes(enum guard_kind kind);

/* Whether the system takes a guard off at the hit, before the handler runs. */
bool guard_is_one_shot(enum guard_kind kind);

/* Sets a guard on one page; clears it after a hit, and does nothing where none stands.
 * Async-signal-safe. */
int guard_set(enum guard_kind kind, void *page);
int guard_clear(enum guard_kind kind, void *page);

#endif
