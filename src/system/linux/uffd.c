/* The descriptor, and the thread that reads it, are opened once, as a program would. */
#define _GNU_SOURCE
#include "system/linux/uffd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/linux/mapping.h"
#include "system/posix/trap.h"
#include "system/thread.h"

/* linux/userfaultfd.h of 5.11; older headers lack it. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

static int descriptor = -1;
static void *source; /* of copies */
static size_t source_size;

/* Of user code's own accesses alone, which any user may ask to be told of (Linux 5.11;
 * vm.unprivileged_userfaultfd, Documentation/admin-guide/sysctl/vm.rst). Older kernels don't know
 * the flag. */
static int open_user_mode(void)
{
    int opened = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    return opened >= 0 || errno != EINVAL ? opened : (int)syscall(SYS_userfaultfd, O_CLOEXEC);
}

static int open_with(uint64_t features, int *opened)
{
    struct uffdio_api api = {.api = UFFD_API, .features = features};
    *opened = open_user_mode();
    if (*opened < 0)
        return errno;
    int error = ioctl(*opened, UFFDIO_API, &api) == 0 ? 0 : errno;
    if (error != 0)
        close(*opened);
    return error;
}

const char *uffd_unsupported(void)
{
    int opened;
    switch (open_with(UFFD_FEATURE_SIGBUS, &opened)) {
    case 0: close(opened); return NULL;
    case ENOSYS: return "this kernel has no userfaultfd (CONFIG_USERFAULTFD)";
    case EPERM: return "userfaultfd is not allowed here (vm.unprivileged_userfaultfd, a sandbox)";
    case EINVAL: return "this kernel's userfaultfd raises no SIGBUS (Linux 4.14)";
    default: return NULL;
    }
}

/* Unregistering a range wakes who waits for a page of it (ioctl_userfaultfd(2)), and the access
 * then goes on as if there were no descriptor. `page` is where it begins: what a message tells as
 * long as UFFD_FEATURE_EXACT_ADDRESS is not asked for. */
static void let_go_on(uint64_t page)
{
    struct uffdio_range range = {.start = page, .len = vm_page_bytes()};
    ioctl(descriptor, UFFDIO_UNREGISTER, &range);
}

static void serve(void *context)
{
    struct uffd_msg message;
    (void)context;
    while (read(descriptor, &message, sizeof message) == (ssize_t)sizeof message) {
        uint64_t address = message.arg.pagefault.address;
        if (trap_put((const void *)(uintptr_t)address) != TRAP_RETRY)
            let_go_on(address);
    }
}

static int open_for(enum trap_kind trap)
{
    static struct thread server;
    int error = open_with(trap == TRAP_SIGBUS ? UFFD_FEATURE_SIGBUS : 0, &descriptor);
    return error == 0 && trap == TRAP_THREAD ? thread_start(&server, serve, NULL) : error;
}

/* Private and not writable, so that it isn't charged; each page is the zero page. */
static int make_source(size_t size)
{
    if (size <= source_size)
        return 0;
    void *made = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (made == MAP_FAILED)
        return errno;
    if (source != NULL)
        munmap(source, source_size);
    source = made;
    source_size = size;
    return 0;
}

int uffd_prepare(enum trap_kind trap, enum commit_kind kind, size_t step)
{
    int error = kind == COMMIT_COPY ? make_source(step) : 0;
    return error == 0 && descriptor < 0 ? open_for(trap) : error;
}

int uffd_map(size_t size, void **base)
{
    int error = mapping_make(NULL, size, PROT_READ | PROT_WRITE, 0, VM_PAGES_SMALL, base);
    if (error != 0)
        return error;
    struct uffdio_register range = {.range = {.start = (uintptr_t)*base, .len = size},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};
    error = ioctl(descriptor, UFFDIO_REGISTER, &range) == 0 ? 0 : errno;
    if (error != 0)
        munmap(*base, size);
    return error;
}

int uffd_supply(enum commit_kind kind, void *address, size_t size)
{
    struct uffdio_copy copy = {.dst = (uintptr_t)address, .src = (uintptr_t)source, .len = size};
    struct uffdio_zeropage zero = {.range = {.start = (uintptr_t)address, .len = size}};
    int done = kind == COMMIT_COPY ? ioctl(descriptor, UFFDIO_COPY, &copy)
                                   : ioctl(descriptor, UFFDIO_ZEROPAGE, &zero);
    return done == 0 ? 0 : errno;
}
