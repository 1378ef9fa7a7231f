/* Linux: which guard page `auto` takes, on a kernel with markers in the page table, on one without
 * and where that can't be found out. The program's own madvise and mmap stand before the system's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "system/guard.h"
#include "system/vm.h"

static bool has_markers, has_addresses = true;
static int calls;

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    if (has_addresses)
        return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

int madvise(void *address, size_t size, int advice)
{
    if (advice != 102 && advice != 103) /* MADV_GUARD_INSTALL, MADV_GUARD_REMOVE */
        return (int)syscall(SYS_madvise, address, size, advice);
    calls++;
    errno = EINVAL;
    return has_markers ? 0 : -1;
}

static void check_auto(enum guard_kind expected, size_t committed_pages)
{
    enum guard_kind kind = guard_resolve(GUARD_AUTO);
    CHECK_EQUAL(kind, expected);
    CHECK(guard_unsupported(kind) == NULL);
    CHECK_EQUAL(guard_committed_bytes(kind), committed_pages * vm_page_bytes());
}

int main(void)
{
    has_markers = true;
    check_auto(GUARD_MADVISE, 1);
    CHECK(guard_unsupported(GUARD_MADVISE) == NULL);
    has_markers = false;
    check_auto(GUARD_PROT_NONE, 0);
    CHECK_TEXT(guard_unsupported(GUARD_MADVISE),
               "this kernel has no MADV_GUARD_INSTALL (Linux 6.13)");
    CHECK_EQUAL(guard_set(GUARD_MADVISE, &calls), EINVAL);
    CHECK_EQUAL(guard_clear(GUARD_MADVISE, &calls), EINVAL);
    has_markers = true;
    has_addresses = false;
    check_auto(GUARD_PROT_NONE, 0);
    calls = 0;
    CHECK_EQUAL(guard_resolve(GUARD_MADVISE), GUARD_MADVISE);
    CHECK_EQUAL(guard_resolve(GUARD_PROT_NONE), GUARD_PROT_NONE);
    CHECK_EQUAL(guard_set(GUARD_PROT_NONE, &calls), 0);
    CHECK_EQUAL(guard_clear(GUARD_PROT_NONE, &calls), 0);
    CHECK_EQUAL(calls, 0); /* what needs no marker asks for none */
    return check_result();
}
