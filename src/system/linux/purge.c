/* Giving back on Linux: an advice, a protection, or a new mapping over the old one. */
#define _GNU_SOURCE
#include "system/purge.h"

#include <errno.h>
#include <stdbool.h>

#include "system/linux/mapping.h"
#include "system/linux/uapi.h"

const struct kind purge_kinds[] = {
    {"none", PURGE_NONE},       {"dontneed", PURGE_DONTNEED},
    {"free", PURGE_FREE},       {"cold", PURGE_COLD},
    {"pageout", PURGE_PAGEOUT}, {"protect", PURGE_PROTECT},
    {"remap", PURGE_REMAP},     {"remap_noreserve", PURGE_REMAP_NORESERVE},
    {"guard", PURGE_GUARD},     {NULL, 0},
};

const enum purge_kind purge_as_released = PURGE_DONTNEED;

static int advise(void *address, size_t size, int advice)
{
    return madvise(address, size, advice) == 0 ? 0 : errno;
}

static int protect(void *address, size_t size, int protection)
{
    return mprotect(address, size, protection) == 0 ? 0 : errno;
}

static int remap(enum vm_pages pages, void *address, size_t size, int flags)
{
    return mapping_make(address, size, PROT_NONE, MAP_FIXED | flags, pages, &address);
}

int purge_pages(enum purge_kind kind, enum vm_pages pages, void *address, size_t size)
{
    switch (kind) {
    case PURGE_DONTNEED: return advise(address, size, MADV_DONTNEED);
    case PURGE_FREE: return advise(address, size, MADV_FREE);
    case PURGE_COLD: return advise(address, size, MADV_COLD);
    case PURGE_PAGEOUT: return advise(address, size, MADV_PAGEOUT);
    case PURGE_GUARD: return advise(address, size, MADV_GUARD_INSTALL);
    case PURGE_PROTECT: return protect(address, size, PROT_NONE);
    case PURGE_REMAP: return remap(pages, address, size, 0);
    case PURGE_REMAP_NORESERVE: return remap(pages, address, size, MAP_NORESERVE);
    default: return EINVAL;
    }
}

int purge_restore(enum purge_kind kind, void *address, size_t size)
{
    switch (kind) {
    case PURGE_GUARD: return advise(address, size, MADV_GUARD_REMOVE);
    case PURGE_PROTECT:
    case PURGE_REMAP:
    case PURGE_REMAP_NORESERVE: return protect(address, size, PROT_READ | PROT_WRITE);
    default: return 0;
    }
}

/* By trying: kernels came by these one after the other, and pages of the pool take few of them. */
const char *purge_unsupported(enum purge_kind kind, enum vm_pages pages)
{
    size_t size = vm_pages_unit(pages);
    void *page = NULL;
    if (kind == PURGE_NONE || vm_reserve_committed(size, pages, &page) != 0)
        return NULL;
    int error = purge_pages(kind, pages, page, size);
    vm_release(page, size);
    if (error != EINVAL)
        return NULL;
    return pages == VM_PAGES_HUGE ? "huge pages of the pool can't be given back so"
                                  : "this kernel can't give back so (madvise(2) has its version)";
}
