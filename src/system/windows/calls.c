/* Placing, taking back, protecting, locking and asking on Windows. */
#include "system/calls.h"

#include "system/vm.h"
#include "system/windows/process.h"
#include <stdio.h>
#include <string.h>

static int last_error_unless(BOOL done)
{
    return done ? 0 : (int)GetLastError();
}

/* Without MEM_TOP_DOWN, the lowest address that is free; a reservation stays a region of its own,
 * whoever its neighbours are (VirtualAlloc). */
int calls_reserve(enum calls_place place, size_t size, void **base)
{
    DWORD type = MEM_RESERVE | (place == CALLS_TOP_DOWN ? MEM_TOP_DOWN : 0);
    *base = VirtualAlloc(NULL, size, type, PAGE_NOACCESS);
    return last_error_unless(*base != NULL);
}

int calls_decommit(void *address, size_t size)
{
    return last_error_unless(VirtualFree(address, size, MEM_DECOMMIT));
}

int calls_protect(void *address, size_t size, enum calls_access access)
{
    static const DWORD protections[] = {
        [CALLS_NONE] = PAGE_NOACCESS, [CALLS_READ] = PAGE_READONLY, [CALLS_WRITE] = PAGE_READWRITE};
    DWORD previous;
    return last_error_unless(VirtualProtect(address, size, protections[access], &previous));
}

int calls_lock(void *address, size_t size)
{
    return last_error_unless(VirtualLock(address, size));
}

int calls_unlock(void *address, size_t size)
{
    return last_error_unless(VirtualUnlock(address, size));
}

/* The minimum working set, less a few pages (VirtualLock). Wine passes on mlock's refusal as
 * STATUS_ACCESS_DENIED. */
bool calls_is_lock_refusal(int error)
{
    return error == ERROR_WORKING_SET_QUOTA || vm_is_refusal(error) ||
           (error == ERROR_ACCESS_DENIED && process_under_wine());
}

const char *calls_lock_limit(size_t size)
{
    static char text[64];
    SIZE_T least, most;
    if (!GetProcessWorkingSetSize(GetCurrentProcess(), &least, &most) || size < least ||
        process_under_wine())
        return NULL;
    snprintf(text, sizeof text, "the minimum working set is %llu bytes", (unsigned long long)least);
    return text;
}

/* Answered for each page: bit Valid, and Locked (PSAPI_WORKING_SET_EX_BLOCK). Wine leaves Locked
 * empty. */
int calls_read_memory(const void *base, size_t size, struct calls_memory *memory)
{
    PSAPI_WORKING_SET_EX_INFORMATION pages[512];
    size_t page = vm_page_bytes();
    memory->resident_bytes = (struct meter_count){0, true};
    memory->locked_bytes = (struct meter_count){0, !process_under_wine()};
    for (size_t at = 0; at < size;) {
        DWORD count = 0;
        memset(pages, 0, sizeof pages);
        for (; count < sizeof pages / sizeof pages[0] && at < size; at += page)
            pages[count++].VirtualAddress = (unsigned char *)(uintptr_t)base + at;
        if (!QueryWorkingSetEx(GetCurrentProcess(), pages, count * (DWORD)sizeof pages[0]))
            return (int)GetLastError();
        for (DWORD i = 0; i < count; i++) {
            memory->resident_bytes.value += pages[i].VirtualAttributes.Valid * page;
            memory->locked_bytes.value += pages[i].VirtualAttributes.Locked * page;
        }
    }
    return 0;
}

static int ask_region(struct calls_question *question, uint64_t times)
{
    for (uint64_t i = 0; i < times; i++)
        if (VirtualQuery(question->base, question->buffer, sizeof(MEMORY_BASIC_INFORMATION)) == 0)
            return (int)GetLastError();
    return 0;
}

static uint64_t read_region(const struct calls_question *question)
{
    const MEMORY_BASIC_INFORMATION *region = question->buffer;
    return region->RegionSize < question->size ? region->RegionSize : question->size;
}

/* A page's address is asked for in the entry that its answer overwrites only in part. */
static int prepare_working_set(struct calls_question *question)
{
    PSAPI_WORKING_SET_EX_INFORMATION *pages = question->buffer;
    for (size_t at = 0; at < question->size; at += vm_page_bytes())
        pages[at / vm_page_bytes()].VirtualAddress =
            (unsigned char *)(uintptr_t)question->base + at;
    return 0;
}

static int ask_working_set(struct calls_question *question, uint64_t times)
{
    DWORD bytes =
        (DWORD)(question->size / vm_page_bytes() * sizeof(PSAPI_WORKING_SET_EX_INFORMATION));
    for (uint64_t i = 0; i < times; i++)
        if (!QueryWorkingSetEx(GetCurrentProcess(), question->buffer, bytes))
            return (int)GetLastError();
    return 0;
}

static uint64_t read_working_set(const struct calls_question *question)
{
    const PSAPI_WORKING_SET_EX_INFORMATION *pages = question->buffer;
    uint64_t valid = 0;
    for (size_t i = 0; i < question->size / vm_page_bytes(); i++)
        valid += pages[i].VirtualAttributes.Valid;
    return valid * vm_page_bytes();
}

const struct calls_query calls_queries[] = {
    {"virtualquery", NULL, false, 0, NULL, ask_region, read_region, NULL},
    {"working_set", NULL, true, sizeof(PSAPI_WORKING_SET_EX_INFORMATION), prepare_working_set,
     ask_working_set, read_working_set, NULL},
    {NULL, NULL, false, 0, NULL, NULL, NULL, NULL},
};
