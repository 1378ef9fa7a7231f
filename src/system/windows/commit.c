/* Committing on Windows. */
#include "system/commit.h"

#include <windows.h>

const struct kind commit_kinds[] = {{"virtualalloc", COMMIT_VIRTUALALLOC}, {NULL, 0}};

int commit_pages(enum commit_kind kind, void *address, size_t size)
{
    (void)kind;
    return VirtualAlloc(address, size, MEM_COMMIT, PAGE_READWRITE) != NULL ? 0
                                                                           : (int)GetLastError();
}
