/* Committing on Linux: a reservation is private anonymous memory without access. */
#include "system/commit.h"

#include <errno.h>
#include <sys/mman.h>

const struct kind commit_kinds[] = {{"mprotect", COMMIT_MPROTECT}, {NULL, 0}};

int commit_pages(enum commit_kind kind, void *address, size_t size)
{
    (void)kind;
    return mprotect(address, size, PROT_READ | PROT_WRITE) == 0 ? 0 : errno;
}
