/* A library for tests/custom.py, as a user of `custom` would write it: what chunked does, by the
 * system's own calls. WITHOUT_ENSURE
 * leaves a function out. */
#include "../include/vmcommit.h"

#include "vm.h"

#ifndef WITHOUT_ENSURE
int vmcommit_ensure(void *base, size_t from, size_t to)
{
    return vm_commit((char *)base + from, to - from);
}
#endif

int vmcommit_reserve(size_t size, void **base)
{
    return vm_reserve(size, base);
}

int vmcommit_release(void *base, size_t size)
{
    return vm_release(base, size);
}
