/* An address space as VirtualQueryEx tells it, residency by QueryWorkingSetEx, names by
 * GetMappedFileName, stacks by what the threads' blocks (TEB) say. */
#include "system/space.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "system/vm.h"
#include "system/windows/process.h"
/* After windows.h. */
#include <tlhelp32.h>
#include <winternl.h>

enum { NAME_BYTES = 4 * 4096, PAGES_AT_ONCE = 1024, STACKS_MAX = 4096 };

struct reading {
    HANDLE process;
    enum space_detail detail;
    void (*region)(const struct space_region *region, void *context);
    void *context;
    void *named; /* the allocation that `name` is of */
    char name[NAME_BYTES];
    void *stacks[STACKS_MAX]; /* allocations */
    size_t stack_count;
    uint64_t region_count;
};

/* Pages that are written to apart from their file are charged: writable ones of an image, and views
 * under FILE_MAP_COPY (MapViewOfFile: "the system commits charge for the entire view"). */
static bool is_copied(const MEMORY_BASIC_INFORMATION *pages)
{
    DWORD copied = PAGE_WRITECOPY | PAGE_EXECUTE_WRITECOPY;
    DWORD written = PAGE_READWRITE | PAGE_EXECUTE_READWRITE;
    return (pages->Protect & (pages->Type == MEM_IMAGE ? copied | written : copied)) != 0;
}

static bool is_charged(const MEMORY_BASIC_INFORMATION *pages)
{
    return pages->State == MEM_COMMIT && (pages->Type == MEM_PRIVATE || is_copied(pages));
}

static bool is_writable(const MEMORY_BASIC_INFORMATION *pages)
{
    return (pages->Protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE)) != 0;
}

static enum space_state state_of(const MEMORY_BASIC_INFORMATION *pages, bool is_file)
{
    if (pages->State != MEM_COMMIT)
        return pages->State == MEM_FREE ? SPACE_FREE : SPACE_RESERVED;
    if ((pages->Protect & PAGE_GUARD) != 0)
        return SPACE_GUARD;
    if (is_charged(pages))
        return (pages->Protect & PAGE_NOACCESS) != 0 ? SPACE_INACCESSIBLE : SPACE_COMMITTED;
    return pages->Type == MEM_IMAGE || (is_file && !is_writable(pages)) ? SPACE_FILE : SPACE_SHARED;
}

static bool is_stack(const struct reading *reading, const void *allocation)
{
    for (size_t i = 0; i < reading->stack_count; i++)
        if (reading->stacks[i] == allocation)
            return true;
    return false;
}

static enum space_kind kind_of(const struct reading *reading, const MEMORY_BASIC_INFORMATION *pages)
{
    if (pages->State == MEM_FREE)
        return SPACE_KIND_NONE;
    if (pages->Type == MEM_IMAGE)
        return SPACE_KIND_IMAGE;
    if (pages->Type == MEM_MAPPED)
        return reading->name[0] != '\0' ? SPACE_KIND_FILE : SPACE_KIND_SHARED;
    return is_stack(reading, pages->AllocationBase) ? SPACE_KIND_STACK : SPACE_KIND_ANONYMOUS;
}

/* Protection as Linux writes it: both systems' rows are read by the same scripts. */
static void write_protection(const MEMORY_BASIC_INFORMATION *pages, char *text)
{
    static const struct {
        DWORD protection;
        const char *text;
    } names[] = {{PAGE_READONLY, "r--"},         {PAGE_READWRITE, "rw-"},
                 {PAGE_WRITECOPY, "rw-"},        {PAGE_EXECUTE, "--x"},
                 {PAGE_EXECUTE_READ, "r-x"},     {PAGE_EXECUTE_READWRITE, "rwx"},
                 {PAGE_EXECUTE_WRITECOPY, "rwx"}};
    bool shared = pages->State == MEM_COMMIT && pages->Type == MEM_MAPPED && !is_copied(pages);
    memcpy(text, shared ? "---s" : "---p", sizeof "---p");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (pages->State == MEM_COMMIT && (pages->Protect & 0xff) == names[i].protection)
            memcpy(text, names[i].text, 3);
}

/* The file of an allocation; "" for memory that is none. */
static void find_name(struct reading *reading, const MEMORY_BASIC_INFORMATION *pages)
{
    static WCHAR wide[NAME_BYTES / 4];
    void *allocation = pages->State == MEM_FREE ? NULL : pages->AllocationBase;
    if (allocation == reading->named && allocation != NULL)
        return;
    reading->named = allocation;
    reading->name[0] = '\0';
    if (allocation == NULL || pages->Type == MEM_PRIVATE)
        return;
    if (GetMappedFileNameW(reading->process, allocation, wide, NAME_BYTES / 4) > 0)
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, reading->name, NAME_BYTES, NULL, NULL);
}

/* Bytes in the working set, and of these the process's own. Unknown where the system doesn't say;
 * under Wine, whose working sets are not those of Windows. */
struct resident {
    struct meter_count all, own;
};

static struct resident resident(const struct reading *reading,
                                const MEMORY_BASIC_INFORMATION *pages)
{
    static PSAPI_WORKING_SET_EX_INFORMATION sets[PAGES_AT_ONCE];
    struct resident bytes = {{0, true}, {0, true}};
    bool charged = is_charged(pages);
    size_t page = vm_page_bytes(), left = pages->RegionSize / page;
    char *at = pages->BaseAddress;
    if (reading->detail == SPACE_QUICK || process_under_wine())
        return (struct resident){{0, false}, {0, false}};
    if (pages->State != MEM_COMMIT)
        return bytes;
    while (left > 0) {
        size_t count = left < PAGES_AT_ONCE ? left : PAGES_AT_ONCE;
        for (size_t i = 0; i < count; i++, at += page)
            sets[i].VirtualAddress = at;
        if (!QueryWorkingSetEx(reading->process, sets, (DWORD)(count * sizeof sets[0])))
            return (struct resident){{0, false}, {0, false}};
        for (size_t i = 0; i < count; i++) {
            bool valid = sets[i].VirtualAttributes.Valid != 0;
            bool own = valid && charged && sets[i].VirtualAttributes.Shared == 0;
            bytes.all.value += valid ? page : 0;
            bytes.own.value += own ? page : 0;
        }
        left -= count;
    }
    return bytes;
}

static void hand_on(struct reading *reading, const MEMORY_BASIC_INFORMATION *pages)
{
    uint64_t start = (uintptr_t)pages->BaseAddress, bytes = pages->RegionSize;
    bool exact = reading->detail == SPACE_EXACT;
    find_name(reading, pages);
    struct resident bytes_there = resident(reading, pages);
    struct space_region region = {.start = start,
                                  .end = start + bytes,
                                  .state = state_of(pages, reading->name[0] != '\0'),
                                  .kind = kind_of(reading, pages),
                                  .commit_bytes = {is_charged(pages) && exact ? bytes : 0, exact},
                                  .resident_bytes = bytes_there.all,
                                  .touched_bytes = bytes_there.own,
                                  .name = reading->name};
    if (pages->State != MEM_FREE)
        write_protection(pages, region.protection);
    reading->region(&region, reading->context);
    reading->region_count++;
}

/* NtQueryInformationThread(ThreadBasicInformation), as winternl.h leaves it out. */
struct thread_basic {
    LONG status;
    void *teb;
    void *ids[2];
    ULONG_PTR affinity;
    LONG priorities[2];
};
typedef LONG(WINAPI *query_thread)(HANDLE, int, void *, ULONG, ULONG *);

static void add_stack(struct reading *reading, DWORD id)
{
    query_thread query = (query_thread)(void *)GetProcAddress(GetModuleHandleA("ntdll.dll"),
                                                              "NtQueryInformationThread");
    HANDLE thread = OpenThread(THREAD_QUERY_INFORMATION, FALSE, id);
    struct thread_basic basic;
    NT_TIB block;
    MEMORY_BASIC_INFORMATION pages;
    SIZE_T got;
    if (thread == NULL)
        return;
    bool known = query != NULL && query(thread, 0, &basic, sizeof basic, NULL) == 0 &&
                 ReadProcessMemory(reading->process, basic.teb, &block, sizeof block, &got) &&
                 VirtualQueryEx(reading->process, block.StackLimit, &pages, sizeof pages) != 0;
    CloseHandle(thread);
    if (known && reading->stack_count < STACKS_MAX)
        reading->stacks[reading->stack_count++] = pages.AllocationBase;
}

static void find_stacks(struct reading *reading, uint64_t process)
{
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 thread = {.dwSize = sizeof thread};
    if (all == INVALID_HANDLE_VALUE)
        return;
    for (BOOL more = Thread32First(all, &thread); more; more = Thread32Next(all, &thread))
        if (thread.th32OwnerProcessID == process)
            add_stack(reading, thread.th32ThreadID);
    CloseHandle(all);
}

static bool explain(uint64_t process, const char *text, char *why, size_t size)
{
    snprintf(why, size, "process %" PRIu64 " %s", process, text);
    return false;
}

static bool explain_error(uint64_t process, DWORD error, char *why, size_t size)
{
    char system[256], text[300];
    if (error == ERROR_ACCESS_DENIED)
        return explain(
            process,
            "may not be read by this user: its own user may, and an administrator, where "
            "the system does not protect it",
            why, size);
    if (error == ERROR_INVALID_PARAMETER)
        return explain(process, "doesn't exist", why, size);
    vm_error_text((int)error, system, sizeof system);
    snprintf(text, sizeof text, "can't be read: %s", system);
    return explain(process, text, why, size);
}

static bool has_ended(HANDLE process)
{
    return WaitForSingleObject(process, 0) == WAIT_OBJECT_0;
}

/* A 32-bit process can't ask about addresses that it has no room for. */
static bool is_wider(HANDLE process)
{
    BOOL ours = FALSE, theirs = FALSE;
    IsWow64Process(GetCurrentProcess(), &ours);
    IsWow64Process(process, &theirs);
    return ours && !theirs;
}

/* Past the last address of a process the parameter is called invalid (VirtualQueryEx). */
static bool read_all(struct reading *reading, uint64_t process, char *why, size_t size)
{
    MEMORY_BASIC_INFORMATION pages;
    const char *at = NULL;
    if (has_ended(reading->process))
        return explain(process, "has ended: it has no address space", why, size);
    if (is_wider(reading->process))
        return explain(process, "has 64 bits, and this walk has 32: use one that has 64", why,
                       size);
    find_stacks(reading, process);
    while (VirtualQueryEx(reading->process, at, &pages, sizeof pages) != 0) {
        hand_on(reading, &pages);
        at = (const char *)pages.BaseAddress + pages.RegionSize;
    }
    DWORD error = GetLastError();
    if (has_ended(reading->process))
        return explain(process, "ended while it was being read", why, size);
    return (error == ERROR_INVALID_PARAMETER && reading->region_count > 0) ||
           explain_error(process, error, why, size);
}

bool space_walk(uint64_t process, enum space_detail detail,
                void (*region)(const struct space_region *region, void *context), void *context,
                struct space_mappings *mappings, char *why, size_t size)
{
    static struct reading reading;
    reading = (struct reading){.detail = detail, .region = region, .context = context};
    *mappings = (struct space_mappings){{0, false}, {0, false}};
    if (process > UINT32_MAX)
        return explain_error(process, ERROR_INVALID_PARAMETER, why, size);
    reading.process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ | SYNCHRONIZE, FALSE,
                                  (DWORD)process);
    if (reading.process == NULL)
        return explain_error(process, GetLastError(), why, size);
    bool whole = read_all(&reading, process, why, size);
    CloseHandle(reading.process);
    return whole;
}

uint64_t space_self(void)
{
    return GetCurrentProcessId();
}

bool space_alive(uint64_t process)
{
    HANDLE handle = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)process);
    bool alive = handle != NULL && !has_ended(handle);
    if (handle != NULL)
        CloseHandle(handle);
    return alive;
}
