/* Windows has no fork. */
#include "system/copies.h"

#include <windows.h>

const char *copies_unsupported(void)
{
    return "Windows has no fork";
}

void *copies_share(size_t size)
{
    (void)size;
    return NULL;
}

void copies_unshare(void *shared, size_t size)
{
    (void)shared;
    (void)size;
}

int copies_start(intptr_t *copy, void (*body)(void *context), void *context)
{
    (void)copy;
    (void)body;
    (void)context;
    return ERROR_NOT_SUPPORTED;
}

int copies_join(intptr_t copy)
{
    (void)copy;
    return ERROR_NOT_SUPPORTED;
}

bool copies_ended(intptr_t copy)
{
    (void)copy;
    return true;
}
