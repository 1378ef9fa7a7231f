/* Giving back on Windows. Two of the calls came with Windows 8.1, so they are looked up: a program
 * that links to them would not start on what lacks them. */
#include "system/purge.h"

#include <windows.h>

const struct kind purge_kinds[] = {
    {"none", PURGE_NONE},
    {"decommit", PURGE_DECOMMIT},
    {"reset", PURGE_RESET},
    {"offer", PURGE_OFFER},
    {"discard", PURGE_DISCARD},
    {"protect", PURGE_PROTECT},
    {NULL, 0},
};

const enum purge_kind purge_as_released = PURGE_DECOMMIT;

/* These return an error code (memoryapi.h, Microsoft Learn). */
typedef DWORD(WINAPI *offer_function)(void *address, SIZE_T size, int priority);
typedef DWORD(WINAPI *range_function)(void *address, SIZE_T size);

enum { OFFER_PRIORITY_NORMAL = 4 };

/* Through a type that any function pointer may be cast to. */
static void (*look_up(const char *name))(void)
{
    return (void (*)(void))GetProcAddress(GetModuleHandleA("kernel32.dll"), name);
}

static int call_range(const char *name, void *address, size_t size)
{
    range_function function = (range_function)look_up(name);
    return function != NULL ? (int)function(address, size) : ERROR_CALL_NOT_IMPLEMENTED;
}

static int offer(void *address, size_t size)
{
    offer_function function = (offer_function)look_up("OfferVirtualMemory");
    return function != NULL ? (int)function(address, size, OFFER_PRIORITY_NORMAL)
                            : ERROR_CALL_NOT_IMPLEMENTED;
}

/* ERROR_BUSY: usable again, but its content is gone (ReclaimVirtualMemory). */
static int reclaim(void *address, size_t size)
{
    int error = call_range("ReclaimVirtualMemory", address, size);
    return error == ERROR_BUSY ? 0 : error;
}

static int last_error_unless(BOOL done)
{
    return done ? 0 : (int)GetLastError();
}

static int protect(void *address, size_t size, DWORD protection)
{
    DWORD previous;
    return last_error_unless(VirtualProtect(address, size, protection, &previous));
}

/* Asks for a protection though it is ignored (VirtualAlloc, MEM_RESET). */
static int allocate(void *address, size_t size, DWORD type)
{
    return last_error_unless(VirtualAlloc(address, size, type, PAGE_READWRITE) != NULL);
}

int purge_pages(enum purge_kind kind, enum vm_pages pages, void *address, size_t size)
{
    (void)pages;
    switch (kind) {
    case PURGE_DECOMMIT: return last_error_unless(VirtualFree(address, size, MEM_DECOMMIT));
    case PURGE_RESET: return allocate(address, size, MEM_RESET);
    case PURGE_OFFER: return offer(address, size);
    case PURGE_DISCARD: return call_range("DiscardVirtualMemory", address, size);
    case PURGE_PROTECT: return protect(address, size, PAGE_NOACCESS);
    default: return ERROR_INVALID_PARAMETER;
    }
}

int purge_restore(enum purge_kind kind, void *address, size_t size)
{
    switch (kind) {
    case PURGE_DECOMMIT: return allocate(address, size, MEM_COMMIT);
    case PURGE_OFFER: return reclaim(address, size);
    case PURGE_PROTECT: return protect(address, size, PAGE_READWRITE);
    default: return 0;
    }
}

/* "Large-Page Support", Microsoft Learn: their memory is locked. */
const char *purge_unsupported(enum purge_kind kind, enum vm_pages pages)
{
    if (kind != PURGE_NONE && pages == VM_PAGES_HUGE)
        return "large pages are given back by a release only";
    if (kind == PURGE_OFFER && look_up("ReclaimVirtualMemory") == NULL)
        return "this Windows has no OfferVirtualMemory (8.1)";
    if (kind == PURGE_DISCARD && look_up("DiscardVirtualMemory") == NULL)
        return "this Windows has no DiscardVirtualMemory (8.1)";
    return NULL;
}
