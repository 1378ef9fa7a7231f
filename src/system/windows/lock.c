/* Nothing on Windows locks what is yet to be committed: VirtualLock takes committed pages. */
#include "system/lock.h"

#include <stddef.h>
#include <windows.h>

const struct kind lock_kinds[] = {{"none", LOCK_NONE}, {NULL, 0}};

const char *lock_unsupported(void)
{
    return "Windows locks nothing before it is committed";
}

int lock_begin(enum lock_kind kind)
{
    return kind == LOCK_NONE ? 0 : ERROR_NOT_SUPPORTED;
}

int lock_end(void)
{
    return 0;
}
