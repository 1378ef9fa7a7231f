/* Guard pages on Linux: a marker in the page table where the kernel has it (6.13), or the page past
 * the committed end, left inaccessible. */
#define _GNU_SOURCE
#include "system/guard.h"

#include <errno.h>

#include "system/linux/uapi.h"
#include "system/vm.h"

const struct kind guard_kinds[] = {
    {"auto", GUARD_AUTO},
    {"madvise", GUARD_MADVISE},
    {"prot_none", GUARD_PROT_NONE},
    {NULL, 0},
};

static bool kernel_has_markers(void)
{
    size_t size = vm_page_bytes();
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    bool has = madvise(page, size, MADV_GUARD_INSTALL) == 0;
    munmap(page, size);
    return has;
}

enum guard_kind guard_resolve(enum guard_kind kind)
{
    if (kind != GUARD_AUTO)
        return kind;
    return kernel_has_markers() ? GUARD_MADVISE : GUARD_PROT_NONE;
}

const char *guard_unsupported(enum guard_kind kind)
{
    if (kind == GUARD_MADVISE && !kernel_has_markers())
        return "this kernel has no MADV_GUARD_INSTALL (Linux 6.13)";
    return NULL;
}

size_t guard_committed_bytes(enum guard_kind kind)
{
    return kind == GUARD_MADVISE ? vm_page_bytes() : 0;
}

bool guard_is_one_shot(enum guard_kind kind)
{
    (void)kind;
    return false;
}

int guard_set(enum guard_kind kind, void *page)
{
    if (kind != GUARD_MADVISE)
        return 0;
    return madvise(page, vm_page_bytes(), MADV_GUARD_INSTALL) == 0 ? 0 : errno;
}

int guard_clear(enum guard_kind kind, void *page)
{
    if (kind != GUARD_MADVISE)
        return 0;
    return madvise(page, vm_page_bytes(), MADV_GUARD_REMOVE) == 0 ? 0 : errno;
}
