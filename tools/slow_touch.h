/* Included before a strategy's file, makes each of its touches slower by VMCOMMIT_SLOW=touch:NS,
 * for measuring what `vmcommit compare` finds. A touch is inlined, so that nothing can be preloaded
 * there. */
#define _GNU_SOURCE
#include "spin.h"
#include "workload.h"

#include <stdlib.h>
#include <string.h>

static unsigned long slow_spins;

__attribute__((constructor)) static void slow_touch_find(void)
{
    const char *slow = getenv("VMCOMMIT_SLOW");
    if (slow != NULL && strncmp(slow, "touch:", 6) == 0)
        slow_spins = (unsigned long)(strtod(slow + 6, NULL) / spin_ns() + 0.5);
}

static inline int slow_nothing(struct region *region, size_t offset)
{
    spin(slow_spins);
    return workload_nothing(region, offset);
}

#define workload_nothing slow_nothing
