/* One mmap; where huge pages are invited, one madvise more. */
#define _GNU_SOURCE
#include "system/linux/mapping.h"

#include <errno.h>
#include <sys/mman.h>

bool mapping_invites(enum vm_pages pages)
{
    return pages == VM_PAGES_THP || pages == VM_PAGES_THP_64K;
}

int mapping_make(void *at, size_t size, int protection, int flags, enum vm_pages pages, void **base)
{
    int huge = pages == VM_PAGES_HUGE ? MAP_HUGETLB : 0;
    void *address = mmap(at, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags | huge, -1, 0);
    if (address == MAP_FAILED)
        return errno;
    if (mapping_invites(pages) && madvise(address, size, MADV_HUGEPAGE) != 0) {
        int error = errno;
        if (!(flags & MAP_FIXED))
            munmap(address, size);
        return error;
    }
    *base = address;
    return 0;
}
