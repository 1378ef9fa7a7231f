/* How memory that was used is given back while its address space is kept. Functions that return int
 * return 0 or the system's error code; addresses and sizes are whole pages of committed memory. */
#ifndef PURGE_H
#define PURGE_H

#include <stddef.h>

#include "system/kind.h"
#include "system/vm.h"

/* Linux, madvise(2): PURGE_DONTNEED, PURGE_FREE, PURGE_COLD and PURGE_PAGEOUT: the advice of that
 * name. PURGE_GUARD: MADV_GUARD_INSTALL (6.13). PURGE_REMAP: mmap with PROT_NONE and MAP_FIXED;
 * PURGE_REMAP_NORESERVE: with MAP_NORESERVE too.
 * Windows: PURGE_DECOMMIT: VirtualFree, MEM_DECOMMIT. PURGE_RESET: VirtualAlloc, MEM_RESET.
 * PURGE_OFFER: OfferVirtualMemory. PURGE_DISCARD: DiscardVirtualMemory.
 * Both: PURGE_PROTECT: made inaccessible, by mprotect or VirtualProtect.
 * PURGE_NONE: nothing is given back; the functions below don't take it. */
enum purge_kind {
    PURGE_NONE,
    PURGE_DONTNEED,
    PURGE_FREE,
    PURGE_COLD,
    PURGE_PAGEOUT,
    PURGE_PROTECT,
    PURGE_REMAP,
    PURGE_REMAP_NORESERVE,
    PURGE_GUARD,
    PURGE_DECOMMIT,
    PURGE_RESET,
    PURGE_OFFER,
    PURGE_DISCARD,
};
extern const struct kind purge_kinds[];

/* The kind by which memory goes as it does when all of it is released, without a mapping split for
 * it. */
extern const enum purge_kind purge_as_released;

/* Why this machine can't do it with such pages, or NULL. */
const char *purge_unsupported(enum purge_kind kind, enum vm_pages pages);

/* Gives back. The mappings may be split for it, which the system may refuse: then the range is as
 * it was. */
int purge_pages(enum purge_kind kind, enum vm_pages pages, void *address, size_t size);

/* Makes usable again what purge_pages was called for; nothing is done where it always was. */
int purge_restore(enum purge_kind kind, void *address, size_t size);

#endif
