/* How a system makes the pages of a reservation usable. */
#ifndef COMMIT_H
#define COMMIT_H

#include <stddef.h>

#include "system/kind.h"

/* COMMIT_MPROTECT: mprotect (Linux). COMMIT_VIRTUALALLOC: VirtualAlloc, MEM_COMMIT (Windows). */
enum commit_kind { COMMIT_MPROTECT, COMMIT_VIRTUALALLOC };
extern const struct kind commit_kinds[];

/* Makes whole pages of a reservation readable and writable, and charges them. Committing twice
 * succeeds. Async-signal-safe. Returns 0 or the system's error code; a refusal leaves the
 * reservation as it was. */
int commit_pages(enum commit_kind kind, void *address, size_t size);

#endif
