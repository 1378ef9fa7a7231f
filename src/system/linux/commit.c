/* Committing on Linux: a reservation is private anonymous memory without access. */
#define _GNU_SOURCE
#include "system/commit.h"

#include <errno.h>

#include "system/linux/mapping.h"
#include "system/linux/uapi.h"

const struct kind commit_kinds[] = {
    {"mprotect", COMMIT_MPROTECT},
    {"remap", COMMIT_REMAP},
    {"populate", COMMIT_POPULATE},
    {"noreserve", COMMIT_NORESERVE},
    {NULL, 0},
};

/* mmap commits here, with MAP_POPULATE or MAP_NORESERVE: nothing is there to be mapped over. */
const struct kind commit_at_once_kinds[] = {
    {"mprotect", COMMIT_MPROTECT},
    {"populate", COMMIT_POPULATE},
    {"noreserve", COMMIT_NORESERVE},
    {NULL, 0},
};

static bool kernel_populates(void)
{
    size_t size = vm_page_bytes();
    void *page = NULL;
    if (mapping_make(NULL, size, PROT_READ | PROT_WRITE, 0, VM_PAGES_SMALL, &page) != 0)
        return false;
    bool populates = madvise(page, size, MADV_POPULATE_WRITE) == 0;
    munmap(page, size);
    return populates;
}

/* A huge page that was not reserved and is not to be had is a SIGBUS at the touch
 * (Documentation/admin-guide/mm/hugetlbpage.rst). */
const char *commit_unsupported(enum commit_kind kind, enum vm_pages pages)
{
    if (kind == COMMIT_NORESERVE && pages == VM_PAGES_HUGE)
        return "a huge page that is not reserved may be missing when it is touched";
    if (kind == COMMIT_POPULATE && !kernel_populates())
        return "this kernel has no MADV_POPULATE_WRITE (Linux 5.14)";
    return NULL;
}

bool commit_populates(enum commit_kind kind)
{
    return kind == COMMIT_POPULATE || kind == COMMIT_COPY;
}

/* Without MAP_NORESERVE unless it is asked for: with it the later mprotect is never charged, but in
 * overcommit mode 2, which ignores it (Documentation/mm/overcommit-accounting.rst). */
int commit_reserve(enum commit_kind kind, enum vm_pages pages, size_t size, void **base)
{
    int flags = kind == COMMIT_NORESERVE ? MAP_NORESERVE : 0;
    return mapping_make(NULL, size, PROT_NONE, flags, pages, base);
}

static int populate(void *address, size_t size)
{
    return madvise(address, size, MADV_POPULATE_WRITE) == 0 ? 0 : errno;
}

/* MAP_POPULATE would be done before huge pages could be invited. */
static int at_once_populated(enum vm_pages pages, size_t size, void **base)
{
    int flags = mapping_invites(pages) ? 0 : MAP_POPULATE;
    int error = mapping_make(NULL, size, PROT_READ | PROT_WRITE, flags, pages, base);
    if (error != 0 || !mapping_invites(pages))
        return error;
    error = populate(*base, size);
    if (error != 0)
        munmap(*base, size);
    return error;
}

int commit_at_once(enum commit_kind kind, enum vm_pages pages, size_t size, void **base)
{
    int flags = kind == COMMIT_NORESERVE ? MAP_NORESERVE : 0;
    if (kind == COMMIT_POPULATE)
        return at_once_populated(pages, size, base);
    return mapping_make(NULL, size, PROT_READ | PROT_WRITE, flags, pages, base);
}

/* A new mapping knows nothing of what was advised for the old one, so huge pages are invited anew.
 * If the kernel refuses, what was mapped there stays (mmap(2) does not say so; mm/vma.c,
 * __mmap_region, charges before it unmaps). */
static int remap(enum vm_pages pages, void *address, size_t size)
{
    return mapping_make(address, size, PROT_READ | PROT_WRITE, MAP_FIXED, pages, &address);
}

int commit_pages(enum commit_kind kind, enum vm_pages pages, void *address, size_t size)
{
    if (kind == COMMIT_REMAP)
        return remap(pages, address, size);
    if (mprotect(address, size, PROT_READ | PROT_WRITE) != 0)
        return errno;
    return kind == COMMIT_POPULATE ? populate(address, size) : 0;
}
