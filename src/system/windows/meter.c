/* Counters on Windows: QueryPerformanceCounter, GetProcessMemoryInfo, GetPerformanceInfo, and a
 * VirtualQuery walk. Under Wine the counters of process and system mean nothing and stay unknown.
 */
#include "system/meter.h"

#include <string.h>
#include <windows.h>
/* After windows.h. */
#include <psapi.h>

static bool under_wine(void)
{
    static int known = -1;
    if (known < 0)
        known = GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;
    return known;
}

const char *meter_platform(void)
{
    return under_wine() ? "wine" : "windows";
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

static int read_process(PROCESS_MEMORY_COUNTERS_EX *counters)
{
    counters->cb = sizeof *counters;
    if (!GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)counters,
                              sizeof *counters))
        return (int)GetLastError();
    return 0;
}

/* PageFaultCount has 32 bits, and counts soft and hard faults alike: the sum is told as minor. */
int meter_read_faults(struct meter_faults *faults)
{
    static DWORD last;
    static uint64_t total;
    PROCESS_MEMORY_COUNTERS_EX counters;
    memset(faults, 0, sizeof *faults);
    if (under_wine())
        return 0;
    int error = read_process(&counters);
    if (error != 0)
        return error;
    total += (DWORD)(counters.PageFaultCount - last);
    last = counters.PageFaultCount;
    faults->minor = (struct meter_count){total, true};
    return 0;
}

/* Charge and regions of a range: pages of equal state, protection and allocation are one region.
 * Past the last address of a process the parameter is called invalid (VirtualQuery). */
static int walk_region(const unsigned char *base, size_t size, struct meter_memory *memory)
{
    const unsigned char *end = base + size;
    MEMORY_BASIC_INFORMATION region;
    for (const unsigned char *at = base; at < end;) {
        if (VirtualQuery(at, &region, sizeof region) == 0)
            return GetLastError() == ERROR_INVALID_PARAMETER ? 0 : (int)GetLastError();
        const unsigned char *next = (const unsigned char *)region.BaseAddress + region.RegionSize;
        size_t inside = (size_t)((next < end ? next : end) - at);
        if (region.State == MEM_COMMIT)
            memory->region_commit_bytes += inside;
        memory->region_count += region.State != MEM_FREE;
        at = next;
    }
    return 0;
}

int meter_read_memory(const void *base, size_t size, struct meter_memory *memory)
{
    PROCESS_MEMORY_COUNTERS_EX process;
    PERFORMANCE_INFORMATION system = {.cb = sizeof system};
    memset(memory, 0, sizeof *memory);
    int error = walk_region(base, size, memory);
    if (error != 0 || under_wine())
        return error;
    error = read_process(&process);
    if (error != 0)
        return error;
    if (!GetPerformanceInfo(&system, sizeof system))
        return (int)GetLastError();
    memory->process_commit_bytes = (struct meter_count){process.PrivateUsage, true};
    memory->process_resident_bytes = (struct meter_count){process.WorkingSetSize, true};
    memory->system_commit_bytes =
        (struct meter_count){(uint64_t)system.CommitTotal * system.PageSize, true};
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
