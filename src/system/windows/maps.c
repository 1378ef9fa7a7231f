/* Charge and residency on Windows: a VirtualQuery walk, GetProcessMemoryInfo, GetPerformanceInfo.
 * Under Wine the figures of process and system stay unknown. */
#include "system/maps.h"

#include <string.h>

#include "system/windows/process.h"

/* Pages of equal state, protection and allocation are one region. Past the last address of a
 * process the parameter is called invalid (VirtualQuery). */
static int walk_range(const void *base, size_t size, struct maps_memory *memory)
{
    uintptr_t end = (uintptr_t)base + size; /* no object is as large as all of memory */
    MEMORY_BASIC_INFORMATION region;
    for (uintptr_t at = (uintptr_t)base; at < end;) {
        if (VirtualQuery((const void *)at, &region, sizeof region) == 0)
            return GetLastError() == ERROR_INVALID_PARAMETER ? 0 : (int)GetLastError();
        uintptr_t next = (uintptr_t)region.BaseAddress + region.RegionSize;
        size_t inside = (next < end ? next : end) - at;
        if (region.State == MEM_COMMIT)
            memory->region_commit_bytes += inside;
        memory->region_count += region.State != MEM_FREE;
        at = next;
    }
    return 0;
}

int maps_read(const void *base, size_t size, struct maps_memory *memory)
{
    PROCESS_MEMORY_COUNTERS_EX process;
    PERFORMANCE_INFORMATION system = {.cb = sizeof system};
    memset(memory, 0, sizeof *memory);
    int error = walk_range(base, size, memory);
    if (error != 0 || process_under_wine())
        return error;
    error = process_read(GetCurrentProcess(), &process);
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
