/* A library as a user of `custom` would write it: what chunked does, by the system's own calls.
 * WITHOUT_ENSURE leaves a function out; TOUCHES_EARLY writes a page of each step as it is ensured,
 * which leaves the faults as they are where all is touched, and adds memory where it is not. */
#include "../include/vmcommit.h"

#include "system/commit.h"
#include "system/vm.h"

#ifndef WITHOUT_ENSURE
int vmcommit_ensure(void *base, size_t from, size_t to)
{
    int error = commit_pages((enum commit_kind)commit_kinds->value, (char *)base + from, to - from);
#ifdef TOUCHES_EARLY
    if (error == 0)
        *((volatile char *)base + to - 1) = 1;
#endif
    return error;
}
#endif

int vmcommit_reserve(size_t size, void **base)
{
    return vm_reserve(size, VM_PAGES_SMALL, base);
}

int vmcommit_release(void *base, size_t size)
{
    return vm_release(base, size);
}
