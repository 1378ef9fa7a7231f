/* Virtual memory on Windows: VirtualAlloc, with or without MEM_COMMIT. */
#include "system/vm.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

static int last_error_unless(BOOL done)
{
    return done ? 0 : (int)GetLastError();
}

size_t vm_page_bytes(void)
{
    static size_t page_bytes;
    if (page_bytes == 0) {
        SYSTEM_INFO system;
        GetSystemInfo(&system);
        page_bytes = system.dwPageSize;
    }
    return page_bytes;
}

int vm_use_pages(enum vm_pages pages)
{
    (void)pages;
    return 0;
}

/* A size beyond the address space is called an invalid parameter, and nothing else of ours is. */
static int allocate(size_t size, DWORD type, DWORD protection, void **base)
{
    *base = VirtualAlloc(NULL, size, type, protection);
    int error = last_error_unless(*base != NULL);
    return error == ERROR_INVALID_PARAMETER ? ERROR_NOT_ENOUGH_MEMORY : error;
}

int vm_reserve(size_t size, enum vm_pages pages, void **base)
{
    if (vm_pages_unreservable(pages) != NULL)
        return ERROR_NOT_SUPPORTED;
    return allocate(size, MEM_RESERVE, PAGE_NOACCESS, base);
}

int vm_reserve_committed(size_t size, enum vm_pages pages, void **base)
{
    DWORD large = pages == VM_PAGES_HUGE ? MEM_LARGE_PAGES : 0;
    return allocate(size, MEM_RESERVE | MEM_COMMIT | large, PAGE_READWRITE, base);
}

int vm_release(void *base, size_t size)
{
    (void)size; /* a whole reservation goes back by its base alone */
    return last_error_unless(VirtualFree(base, 0, MEM_RELEASE));
}

/* Reservations begin at 64 KiB; where their page tables begin is not told. */
void vm_place(size_t size, unsigned levels)
{
    (void)size;
    (void)levels;
}

void vm_warm(size_t size, enum vm_pages pages)
{
    (void)pages;
    size_t page = vm_page_bytes();
    unsigned char *base = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (base == NULL)
        return;
    for (size_t offset = 0; offset < size; offset += page)
        *(volatile unsigned char *)(base + offset) = 1;
    VirtualFree(base, 0, MEM_RELEASE);
}

/* The commit limit of the system or of a job, and what it says when kernel memory runs short
 * ("System Error Codes", Microsoft Learn). */
bool vm_is_refusal(int error)
{
    switch (error) {
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_COMMITMENT_MINIMUM:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_NOT_ENOUGH_QUOTA: return true;
    default: return false;
    }
}

int vm_out_of_memory(void)
{
    return ERROR_NOT_ENOUGH_MEMORY;
}

const char *vm_refusal_cause(int error, uint64_t region_count)
{
    (void)region_count;
    return error == ERROR_COMMITMENT_LIMIT ? "the commit limit is reached" : NULL;
}

void vm_error_text(int error, char *text, size_t size)
{
    DWORD length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                  (DWORD)error, 0, text, (DWORD)size, NULL);
    while (length > 0 && strchr("\r\n. ", text[length - 1]) != NULL)
        text[--length] = '\0';
    if (length == 0)
        snprintf(text, size, "error %d", error);
}
