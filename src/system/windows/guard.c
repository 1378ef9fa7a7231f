/* Guard pages on Windows: PAGE_GUARD, which goes with a committed page only ("Creating Guard
 * Pages", Microsoft Learn). */
#include "system/guard.h"

#include <windows.h>

#include "system/vm.h"

const struct kind guard_kinds[] = {{"auto", GUARD_AUTO}, {"page_guard", GUARD_PAGE}, {NULL, 0}};

enum guard_kind guard_resolve(enum guard_kind kind)
{
    (void)kind;
    return GUARD_PAGE;
}

const char *guard_unsupported(enum guard_kind kind)
{
    (void)kind;
    return NULL;
}

size_t guard_committed_bytes(enum guard_kind kind)
{
    (void)kind;
    return vm_page_bytes();
}

bool guard_is_one_shot(enum guard_kind kind)
{
    (void)kind;
    return true;
}

int guard_set(enum guard_kind kind, void *page)
{
    DWORD previous;
    (void)kind;
    return VirtualProtect(page, vm_page_bytes(), PAGE_READWRITE | PAGE_GUARD, &previous)
               ? 0
               : (int)GetLastError();
}

/* The system has taken it off when it raises the exception. */
int guard_clear(enum guard_kind kind, void *page)
{
    (void)kind;
    (void)page;
    return 0;
}
