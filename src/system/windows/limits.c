/* GlobalMemoryStatusEx; Windows limits no number of regions. */
#include "system/limits.h"

#include <windows.h>

/* ullAvailPageFile is what this process could still commit (MEMORYSTATUSEX). */
int limits_read(struct limits *limits)
{
    MEMORYSTATUSEX status = {.dwLength = sizeof status};
    if (!GlobalMemoryStatusEx(&status))
        return (int)GetLastError();
    *limits = (struct limits){.commit_bytes = {status.ullAvailPageFile, true},
                              .address_bytes = {status.ullAvailVirtual, true}};
    return 0;
}
