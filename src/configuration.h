/* What defines a sample, its strategy and round apart. Every choice travels in here: nothing below
 * remembers one. */
#ifndef CONFIGURATION_H
#define CONFIGURATION_H

#include <stddef.h>

#include "system/commit.h"
#include "system/guard.h"
#include "system/purge.h"
#include "system/trap.h"
#include "system/vm.h"

/* Of touching. Alternate: every second page first, then those between. Downwards: from the end of
 * the region, not of what is touched. */
enum touch_order {
    ORDER_SEQUENTIAL,
    ORDER_REVERSE,
    ORDER_RANDOM,
    ORDER_ALTERNATE,
    ORDER_DOWNWARDS,
};

/* Of the step by which a strategy commits: always the same, or each twice the one before. */
enum growth { GROWTH_FIXED, GROWTH_DOUBLE };
extern const struct kind growth_kinds[];

/* In bytes, whole pages. */
struct configuration {
    size_t size;
    size_t step; /* the first one, where they grow */
    enum growth growth;
    size_t touched;  /* from the region's start */
    size_t resident; /* the most at once, where it is not all that is touched; else 0 */
    enum touch_order order;
    enum vm_pages pages;
    enum commit_kind commit;
    enum purge_kind purge;
    size_t purge_step;     /* by which is given back, at most `touched` */
    enum guard_kind guard; /* GUARD_AUTO only until guard_resolve */
    enum trap_kind trap;
};

/* All of `size` touched from end to end, by the kinds that the system takes by default. */
struct configuration configuration_make(size_t size, size_t step);

#endif
