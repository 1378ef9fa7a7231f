/* Committing on Windows. */
#include "system/commit.h"

#include <windows.h>

const struct kind commit_kinds[] = {{"virtualalloc", COMMIT_VIRTUALALLOC}, {NULL, 0}};
const struct kind commit_at_once_kinds[] = {{"virtualalloc", COMMIT_VIRTUALALLOC}, {NULL, 0}};

const char *commit_unsupported(enum commit_kind kind, enum vm_pages pages)
{
    (void)kind;
    (void)pages;
    return NULL;
}

bool commit_populates(enum commit_kind kind)
{
    (void)kind;
    return false;
}

int commit_reserve(enum commit_kind kind, enum vm_pages pages, size_t size, void **base)
{
    (void)kind;
    return vm_reserve(size, pages, base);
}

int commit_at_once(enum commit_kind kind, enum vm_pages pages, size_t size, void **base)
{
    (void)kind;
    return vm_reserve_committed(size, pages, base);
}

int commit_pages(enum commit_kind kind, enum vm_pages pages, void *address, size_t size)
{
    (void)kind;
    (void)pages;
    return VirtualAlloc(address, size, MEM_COMMIT, PAGE_READWRITE) != NULL ? 0
                                                                           : (int)GetLastError();
}
