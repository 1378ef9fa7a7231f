/* Which sizes of pages there are on Windows, and whether this process may have them. */
#include <windows.h>

#include "system/vm.h"

/* AdjustTokenPrivileges succeeds as well where the account lacks the privilege; the last error then
 * says so (AdjustTokenPrivileges, Microsoft Learn). */
static bool enable_lock_memory(void)
{
    HANDLE token;
    TOKEN_PRIVILEGES privileges = {.PrivilegeCount = 1};
    privileges.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token))
        return false;
    bool enabled =
        LookupPrivilegeValueA(NULL, "SeLockMemoryPrivilege", &privileges.Privileges[0].Luid) &&
        AdjustTokenPrivileges(token, FALSE, &privileges, 0, NULL, NULL) &&
        GetLastError() == ERROR_SUCCESS;
    CloseHandle(token);
    return enabled;
}

static const char *large_unsupported(void)
{
    if (GetLargePageMinimum() == 0)
        return "this machine has no large pages";
    return enable_lock_memory() ? NULL
                                : "large pages need the privilege to lock pages in memory "
                                  "(SeLockMemoryPrivilege)";
}

const char *vm_pages_unsupported(enum vm_pages pages)
{
    switch (pages) {
    case VM_PAGES_SMALL: break;
    case VM_PAGES_THP:
    case VM_PAGES_THP_64K: return "Windows has no transparent huge pages";
    case VM_PAGES_HUGE: return large_unsupported();
    }
    return NULL;
}

size_t vm_pages_unit(enum vm_pages pages)
{
    SIZE_T large = pages == VM_PAGES_HUGE ? GetLargePageMinimum() : 0;
    return large > 0 ? large : vm_page_bytes();
}

/* "Large-Page Support", Microsoft Learn. */
const char *vm_pages_unreservable(enum vm_pages pages)
{
    return pages == VM_PAGES_HUGE ? "large pages can't be reserved now and committed later" : NULL;
}
