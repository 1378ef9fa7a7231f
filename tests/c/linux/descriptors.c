/* Linux: whatever is read of /proc and /sys leaves no descriptor behind, and none to a program that
 * is started meanwhile. A campaign reads them many thousands of times. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "system/linux/proc.h"
#include "system/meter.h"
#include "system/vm.h"

/* What the next file that is opened gets. */
static int lowest_free(void)
{
    int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(descriptor >= 0);
    close(descriptor);
    return descriptor;
}

static void nothing_stays_open(void)
{
    int free_before = lowest_free();
    struct maps_memory memory;
    uint64_t bytes;
    CHECK_EQUAL(meter_read_available(&bytes), 0);
    CHECK_EQUAL(lowest_free(), free_before);
    CHECK_EQUAL(maps_read(NULL, 0, &memory), 0);
    CHECK_EQUAL(lowest_free(), free_before);
    vm_pages_unsupported(VM_PAGES_THP);
    CHECK_EQUAL(lowest_free(), free_before);
    vm_refusal_cause(ENOMEM, 0);
    CHECK_EQUAL(lowest_free(), free_before);
}

static void look_at(char *line, void *context)
{
    const int *descriptor = context;
    (void)line;
    CHECK_EQUAL(fcntl(*descriptor, F_GETFD), FD_CLOEXEC);
}

static void what_is_being_read_is_not_inherited(void)
{
    int descriptor = lowest_free();
    CHECK_EQUAL(proc_for_each_line("", "/proc/meminfo", look_at, &descriptor), 0);
    CHECK_EQUAL(fcntl(descriptor, F_GETFD), -1);
    CHECK_EQUAL(errno, EBADF);
}

/* A folder can be opened, and not read. */
static void what_can_not_be_read_is_closed_too(void)
{
    int free_before = lowest_free();
    CHECK_EQUAL(proc_for_each_line("", "/proc/self", look_at, &free_before), EISDIR);
    CHECK_EQUAL(proc_for_each_line("", "/proc/none", look_at, &free_before), ENOENT);
    CHECK_EQUAL(lowest_free(), free_before);
}

int main(void)
{
    nothing_stays_open();
    what_is_being_read_is_not_inherited();
    what_can_not_be_read_is_closed_too();
    return check_result();
}
