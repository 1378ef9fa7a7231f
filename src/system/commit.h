/* How a system makes the pages of a reservation usable. Functions that return int return 0 or the
 * system's error code; addresses and sizes are whole pages. */
#ifndef COMMIT_H
#define COMMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "system/kind.h"
#include "system/vm.h"

/* Linux: COMMIT_MPROTECT: mprotect. COMMIT_REMAP: mmap with MAP_FIXED over the reservation.
 * COMMIT_POPULATE: mprotect, then MADV_POPULATE_WRITE, so that no touch faults.
 * COMMIT_NORESERVE: mprotect of what was reserved with MAP_NORESERVE, and so is never charged.
 * Windows: COMMIT_VIRTUALALLOC: VirtualAlloc, MEM_COMMIT.
 * The rest is of strategies with a way of their own (Linux): COMMIT_IN_PLACE, COMMIT_MOVE: mremap.
 * COMMIT_GROWSDOWN: the kernel, MAP_GROWSDOWN. COMMIT_COPY, COMMIT_ZEROPAGE: userfaultfd,
 * UFFDIO_COPY and UFFDIO_ZEROPAGE. COMMIT_RECORDED: by the calls that were recorded. commit_pages
 * takes none of these. */
enum commit_kind {
    COMMIT_MPROTECT,
    COMMIT_REMAP,
    COMMIT_POPULATE,
    COMMIT_NORESERVE,
    COMMIT_VIRTUALALLOC,
    COMMIT_IN_PLACE,
    COMMIT_MOVE,
    COMMIT_GROWSDOWN,
    COMMIT_COPY,
    COMMIT_ZEROPAGE,
    COMMIT_RECORDED,
};

/* Of committing what was reserved before; and of getting address space and commit in one call. The
 * first is the default. */
extern const struct kind commit_kinds[];
extern const struct kind commit_at_once_kinds[];

/* Why this machine can't do it with such pages, or NULL. */
const char *commit_unsupported(enum commit_kind kind, enum vm_pages pages);

/* True if pages are resident as soon as they are committed. */
bool commit_populates(enum commit_kind kind);

/* Address space that commit_pages can make usable by that kind: as vm_reserve. */
int commit_reserve(enum commit_kind kind, enum vm_pages pages, size_t size, void **base);

/* Address space and commit in one call: as vm_reserve_committed. */
int commit_at_once(enum commit_kind kind, enum vm_pages pages, size_t size, void **base);

/* Makes whole pages of a reservation readable and writable, and charges them. Committing twice
 * succeeds. Async-signal-safe. A refusal leaves the reservation as it was. */
int commit_pages(enum commit_kind kind, enum vm_pages pages, void *address, size_t size);

#endif
