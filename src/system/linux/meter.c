/* Counters on Linux: clock_gettime and getrusage. */
#define _GNU_SOURCE
#include "system/meter.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#include "system/linux/proc.h"

const char *meter_platform(void)
{
    return "linux";
}

uint64_t meter_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t meter_clock_tick_ns(void)
{
    struct timespec tick;
    clock_getres(CLOCK_MONOTONIC, &tick);
    return (uint64_t)tick.tv_sec * 1000000000u + (uint64_t)tick.tv_nsec;
}

/* RUSAGE_THREAD: getrusage(2). */
struct meter_count meter_read_preemptions(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0)
        return (struct meter_count){0, false};
    return (struct meter_count){(uint64_t)usage.ru_nivcsw, true};
}

int meter_read_faults(struct meter_faults *faults)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return errno;
    faults->minor = (struct meter_count){(uint64_t)usage.ru_minflt, true};
    faults->major = (struct meter_count){(uint64_t)usage.ru_majflt, true};
    return 0;
}

int meter_read_available(uint64_t *bytes)
{
    return proc_read_available("", bytes);
}
