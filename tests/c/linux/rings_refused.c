/* Linux: where a step of making io_uring's rings is refused, the channel says so and leaves nothing
 * behind. The system is acted: the calls of src/system/linux/access.c arrive here. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "system/access.h"

/* Which call fails, from 1 in the order in which the rings are made; 0: none does. */
static int failing, calls;
static bool one_mapping; /* what the kernel says it has: Linux 5.4 */
static int mapped;       /* mappings that were not taken back */
static struct io_uring_sqe memory[16];

static bool fails(int error)
{
    errno = error;
    return ++calls == failing;
}

long syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    unsigned entries = va_arg(arguments, unsigned);
    struct io_uring_params *parameters = va_arg(arguments, struct io_uring_params *);
    va_end(arguments);
    CHECK_EQUAL(number, SYS_io_uring_setup);
    CHECK_EQUAL(entries, 1);
    if (fails(ENOSYS))
        return -1;
    parameters->features = one_mapping ? IORING_FEAT_SINGLE_MMAP : 0;
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    CHECK(address == NULL && size <= sizeof memory);
    CHECK_EQUAL(protection, PROT_READ | PROT_WRITE);
    CHECK_EQUAL(flags, MAP_SHARED | MAP_POPULATE);
    CHECK(file >= 0);
    CHECK_EQUAL(offset, calls == 1 ? IORING_OFF_SQ_RING : IORING_OFF_SQES);
    if (fails(ENOMEM))
        return MAP_FAILED;
    mapped++;
    return memory;
}

int munmap(void *address, size_t size)
{
    CHECK(address == memory && size <= sizeof memory);
    mapped--;
    return 0;
}

static int open_descriptors(void)
{
    int count = 0;
    for (int descriptor = 0; descriptor < 64; descriptor++)
        count += fcntl(descriptor, F_GETFD) >= 0;
    return count;
}

static void check_open(int call, bool single, int error)
{
    const struct access_call *ring = access_calls;
    while (strcmp(ring->name, "io_uring_read_pipe") != 0)
        ring++;
    struct access access;
    int open_before = open_descriptors();
    failing = call;
    calls = mapped = 0;
    one_mapping = single;
    CHECK_EQUAL(ring->open(&access), error);
    if (error == 0) {
        CHECK_EQUAL(mapped, 2);
        ring->close(&access);
    }
    CHECK_EQUAL(mapped, 0);
    CHECK_EQUAL(open_descriptors(), open_before);
}

int main(void)
{
    check_open(0, true, 0);
    check_open(1, true, ENOSYS);
    check_open(2, true, ENOMEM);
    check_open(3, true, ENOMEM);
    check_open(0, false, ENOSYS);
    return check_result();
}
