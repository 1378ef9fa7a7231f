/* mlockall(2). */
#define _GNU_SOURCE
#include "system/lock.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

/* sys/mman.h of glibc 2.27; older headers lack it. */
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

const struct kind lock_kinds[] = {
    {"none", LOCK_NONE}, {"future", LOCK_FUTURE}, {"onfault", LOCK_ONFAULT}, {NULL, 0}};

const char *lock_unsupported(void)
{
    return NULL;
}

int lock_begin(enum lock_kind kind)
{
    if (kind == LOCK_NONE)
        return 0;
    return mlockall(MCL_FUTURE | (kind == LOCK_ONFAULT ? MCL_ONFAULT : 0)) == 0 ? 0 : errno;
}

int lock_end(void)
{
    return munlockall() == 0 ? 0 : errno;
}
