/* Counters on Windows: QueryPerformanceCounter, GetProcessMemoryInfo, GlobalMemoryStatusEx. */
#include "system/meter.h"

#include <string.h>

#include "system/windows/process.h"

const char *meter_platform(void)
{
    return process_under_wine() ? "wine" : "windows";
}

static uint64_t ticks_per_second(void)
{
    static LARGE_INTEGER frequency;
    if (frequency.QuadPart == 0)
        QueryPerformanceFrequency(&frequency);
    return (uint64_t)frequency.QuadPart;
}

/* In two parts, since ticks times 10^9 would overflow after minutes. */
uint64_t meter_clock_ns(void)
{
    LARGE_INTEGER now;
    uint64_t frequency = ticks_per_second();
    QueryPerformanceCounter(&now);
    uint64_t ticks = (uint64_t)now.QuadPart;
    return ticks / frequency * 1000000000u + ticks % frequency * 1000000000u / frequency;
}

uint64_t meter_clock_tick_ns(void)
{
    return 1000000000u / ticks_per_second() + (1000000000u % ticks_per_second() != 0);
}

/* Windows counts the switches of a thread, but not why they happened. */
struct meter_count meter_read_preemptions(void)
{
    return (struct meter_count){0, false};
}

/* PageFaultCount has 32 bits, and counts soft and hard faults alike: the sum is given as minor. */
int meter_read_faults(struct meter_faults *faults)
{
    static DWORD last;
    static uint64_t total;
    PROCESS_MEMORY_COUNTERS_EX counters;
    memset(faults, 0, sizeof *faults);
    if (process_under_wine())
        return 0;
    int error = process_read(GetCurrentProcess(), &counters);
    if (error != 0)
        return error;
    total += (DWORD)(counters.PageFaultCount - last);
    last = counters.PageFaultCount;
    faults->minor = (struct meter_count){total, true};
    return 0;
}

int meter_read_process(struct meter_usage *usage)
{
    *usage = (struct meter_usage){.locks = {0, false}};
    if (process_under_wine())
        return 0;
    int error = process_cpu_ns(GetCurrentProcess(), &usage->cpu_ns.value);
    if (error != 0)
        return error;
    usage->cpu_ns.known = true;
    return meter_read_faults(&usage->faults);
}

/* Windows counts no thread's faults, and does not say why it switched from one. */
int meter_read_thread(struct meter_usage *usage)
{
    FILETIME created, ended, kernel, user;
    *usage = (struct meter_usage){.locks = {0, false}};
    if (process_under_wine())
        return 0;
    if (!GetThreadTimes(GetCurrentThread(), &created, &ended, &kernel, &user))
        return (int)GetLastError();
    usage->cpu_ns = (struct meter_count){process_time_ns(kernel) + process_time_ns(user), true};
    return 0;
}

/* ullAvailPageFile is what this process could still commit (MEMORYSTATUSEX). */
int meter_read_available(uint64_t *bytes)
{
    MEMORYSTATUSEX status = {.dwLength = sizeof status};
    if (!GlobalMemoryStatusEx(&status))
        return (int)GetLastError();
    *bytes = status.ullAvailPhys < status.ullAvailPageFile ? status.ullAvailPhys
                                                           : status.ullAvailPageFile;
    return 0;
}
