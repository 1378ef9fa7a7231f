/* Makes a region of every state at known places in one allocation, and others beside it, and holds
 * them until standard input ends, so that walk can be asked about them.
 *
 * First it meets a breakpoint of its own, which a debugger is to leave to it.
 *
 * usage: layout FILE, of at least two pages; prints its process, the address of the allocation, of
 * a view of the file, and of memory that is shared. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "system/vm.h"

enum { PAGES = 64 };

static char *base;
static size_t page;

static void *checked(void *address, const char *what)
{
    if (address == NULL) {
        fprintf(stderr, "layout: %s: error %lu\n", what, GetLastError());
        exit(1);
    }
    return address;
}

static void commit(size_t at, size_t count, DWORD protection)
{
    checked(VirtualAlloc(base + at * page, count * page, MEM_COMMIT, protection), "VirtualAlloc");
}

static void *map(HANDLE file, DWORD protection, DWORD access, size_t size)
{
    HANDLE section = CreateFileMappingA(file, NULL, protection, 0, (DWORD)size, NULL);
    checked(section, "CreateFileMapping");
    return checked(MapViewOfFile(section, access, 0, 0, size), "MapViewOfFile");
}

static void meet_breakpoint(void)
{
    bool met = false;
    __try {
        DebugBreak();
    } __except (GetExceptionCode() == (DWORD)EXCEPTION_BREAKPOINT) {
        met = true;
    }
    if (met)
        return;
    fprintf(stderr, "layout: its breakpoint was met by somebody else\n");
    exit(1);
}

int main(int argc, char **argv)
{
    page = vm_page_bytes();
    if (argc != 2)
        return 2;
    meet_breakpoint();
    HANDLE file = CreateFileA(argv[1], GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, 0, NULL);
    base = checked(VirtualAlloc(NULL, PAGES * page, MEM_RESERVE, PAGE_NOACCESS), "VirtualAlloc");
    commit(4, 8, PAGE_READWRITE);
    commit(12, 2, PAGE_READWRITE | PAGE_GUARD);
    commit(16, 3, PAGE_NOACCESS);
    commit(20, 5, PAGE_READONLY);
    commit(30, 1, PAGE_EXECUTE_READ);
    void *view = map(file, PAGE_READONLY, FILE_MAP_READ, 2 * page);
    void *shared = map(INVALID_HANDLE_VALUE, PAGE_READWRITE, FILE_MAP_WRITE, 4 * page);
    printf("%lu %" PRIuPTR " %" PRIuPTR " %" PRIuPTR "\n", GetCurrentProcessId(), (uintptr_t)base,
           (uintptr_t)view, (uintptr_t)shared);
    fflush(stdout);
    return getchar() == EOF ? 0 : 1;
}
