/* A library as a user of `custom` would write it: what chunked does, by the system's own calls. And
 * what goes wrong with such libraries, each by a definition of its own:
 *
 * WITHOUT_ENSURE     leaves a function out
 * TOUCHES_EARLY      writes a page of each step as it is ensured, which leaves the faults as they
 *                    are where all is touched, and adds memory where it is not
 * EXITS_LOADING      ends the process in its constructor
 * EXITS_AT_ONCE      the same, and nothing that was registered for the end is called
 * EXITS_LATER        ends the process in the middle of a measurement
 * LEAVES_NULL        says that it has reserved, and leaves the base as it was
 * MISSES_THE_PAGE    reserves a base that no page starts at */
#include "../include/vmcommit.h"

#include <stdlib.h>

#include "system/commit.h"
#include "system/vm.h"

#if defined EXITS_LOADING || defined EXITS_AT_ONCE
__attribute__((constructor)) static void end_process(void)
{
#ifdef EXITS_AT_ONCE
    _Exit(0);
#else
    exit(0);
#endif
}
#endif

#ifndef WITHOUT_ENSURE
int vmcommit_ensure(void *base, size_t from, size_t to)
{
#ifdef EXITS_LATER
    exit(0);
#endif
    int error = commit_pages((enum commit_kind)commit_kinds->value, VM_PAGES_SMALL,
                             (char *)base + from, to - from);
#ifdef TOUCHES_EARLY
    if (error == 0)
        *((volatile char *)base + to - 1) = 1;
#endif
    return error;
}
#endif

int vmcommit_reserve(size_t size, void **base)
{
#ifdef LEAVES_NULL
    (void)size;
    (void)base;
    return 0;
#else
    int error = vm_reserve(size, VM_PAGES_SMALL, base);
#ifdef MISSES_THE_PAGE
    if (error == 0)
        *base = (char *)*base + 64;
#endif
    return error;
#endif
}

int vmcommit_release(void *base, size_t size)
{
    return vm_release(base, size);
}
