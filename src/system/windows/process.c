/* GetProcessMemoryInfo of this process, and whether the system is Wine: its ntdll says so. */
#include "system/windows/process.h"

bool process_under_wine(void)
{
    static int known = -1;
    if (known < 0)
        known = GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;
    return known;
}

int process_read(PROCESS_MEMORY_COUNTERS_EX *counters)
{
    counters->cb = sizeof *counters;
    if (!GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)counters,
                              sizeof *counters))
        return (int)GetLastError();
    return 0;
}
