/* Included before a strategy's file, makes each of its touches slower by VMCOMMIT_SLOW=touch:NS,
 * for measuring what `vmcommit compare` finds. A touch is inlined, so that nothing can be preloaded
 * there. */
#include "workload.h"

#include <stdlib.h>
#include <string.h>

static unsigned long slow_spins;

/* Not inlined, so that it is as fast where it is timed as where it is used. */
__attribute__((noinline)) static void slow_spin(unsigned long spins)
{
    for (unsigned long i = 0; i < spins; i++)
        __asm__ volatile("");
}

/* The fastest of many, since anything may interrupt one of them. */
static double slow_spin_ns(void)
{
    enum { TRIES = 100, SPINS = 20000 };
    uint64_t fastest = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t start = meter_clock_ns();
        slow_spin(SPINS);
        uint64_t taken = meter_clock_ns() - start;
        fastest = taken < fastest ? taken : fastest;
    }
    return (double)fastest / SPINS;
}

__attribute__((constructor)) static void slow_touch_find(void)
{
    const char *slow = getenv("VMCOMMIT_SLOW");
    if (slow != NULL && strncmp(slow, "touch:", 6) == 0)
        slow_spins = (unsigned long)(strtod(slow + 6, NULL) / slow_spin_ns() + 0.5);
}

static inline int slow_nothing(struct region *region, size_t offset)
{
    slow_spin(slow_spins);
    return workload_nothing(region, offset);
}

#define workload_nothing slow_nothing
