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

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t meter_clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
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

static struct meter_count known(long value)
{
    return (struct meter_count){(uint64_t)value, true};
}

/* Of rusage, times advance with the kernel's tick alone (kernel/sched/cputime.c). */
static int read_usage(int whose, clockid_t clock, struct meter_usage *usage)
{
    struct rusage now;
    *usage = (struct meter_usage){.locks = {0, false}};
    if (getrusage(whose, &now) != 0)
        return errno;
    usage->faults.minor = known(now.ru_minflt);
    usage->faults.major = known(now.ru_majflt);
    usage->cpu_ns = (struct meter_count){read_clock(clock), true};
    usage->voluntary_switches = known(now.ru_nvcsw);
    usage->involuntary_switches = known(now.ru_nivcsw);
    return 0;
}

int meter_read_process(struct meter_usage *usage)
{
    return read_usage(RUSAGE_SELF, CLOCK_PROCESS_CPUTIME_ID, usage);
}

int meter_read_thread(struct meter_usage *usage)
{
    return read_usage(RUSAGE_THREAD, CLOCK_THREAD_CPUTIME_ID, usage);
}

int meter_read_faults(struct meter_faults *faults)
{
    struct meter_usage usage;
    int error = meter_read_process(&usage);
    *faults = usage.faults;
    return error;
}

int meter_read_available(uint64_t *bytes)
{
    return proc_read_available("", bytes);
}
