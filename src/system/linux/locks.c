/* How often the lock of the address space is taken: the kernel's tracepoint, counted by perf. Its
 * number stands in tracefs, which mostly root alone may read. */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/linux/proc.h"
#include "system/meter.h"

/* 0 where it can't be read. Documentation/trace/ftrace.rst names both places. */
static uint64_t read_tracepoint(void)
{
    static const char *const paths[] = {
        "/sys/kernel/tracing/events/mmap_lock/mmap_lock_acquire_returned/id",
        "/sys/kernel/debug/tracing/events/mmap_lock/mmap_lock_acquire_returned/id"};
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0] && number == 0; i++)
        proc_for_each_line("", paths[i], proc_number_line, &number);
    return number;
}

/* Read once: reading it is not for several threads at a time. */
static uint64_t tracepoint(void)
{
    static uint64_t number;
    if (number == 0)
        number = read_tracepoint();
    return number;
}

/* The kernel tries first where it must not wait, and a try that failed is no taking. */
int meter_open_locks(void)
{
    struct perf_event_attr event = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof event};
    event.config = tracepoint();
    if (event.config == 0)
        return -1;
    int counter = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (counter >= 0 && ioctl(counter, PERF_EVENT_IOC_SET_FILTER, "success==1") != 0) {
        close(counter);
        return -1;
    }
    return counter;
}

struct meter_count meter_read_locks(int counter)
{
    uint64_t count = 0;
    bool known = counter >= 0 && read(counter, &count, sizeof count) == sizeof count;
    return (struct meter_count){known ? count : 0, known};
}

void meter_close_locks(int counter)
{
    if (counter >= 0)
        close(counter);
}
