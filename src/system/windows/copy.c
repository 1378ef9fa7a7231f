/* Windows starts processes by CreateProcess, which copies no memory. */
#include "system/copy.h"

#include <windows.h>

const struct kind copy_kinds[] = {{"plain", COPY_SHARED}, {NULL, 0}};

int copy_advise(enum copy_kind kind, void *base, size_t size)
{
    (void)kind;
    (void)base;
    (void)size;
    return ERROR_NOT_SUPPORTED;
}

int copy_make(const void *base, size_t size, struct copy *copy)
{
    (void)base;
    (void)size;
    (void)copy;
    return ERROR_NOT_SUPPORTED;
}

int copy_end(struct copy *copy)
{
    (void)copy;
    return ERROR_NOT_SUPPORTED;
}
