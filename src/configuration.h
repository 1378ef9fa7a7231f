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

/* What threads have of each other's regions: each has one of its own; each a stripe of one, as
 * large as any other; or all touch the same pages of one. Processes have nothing of each other's.
 */
enum share { SHARE_OWN, SHARE_STRIPES, SHARE_PAGES, SHARE_PROCESSES };
extern const struct kind share_kinds[]; /* of --share */
extern const struct kind share_names[]; /* all of them */

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
    unsigned threads; /* 1 to CREW_MAX; with SHARE_PROCESSES, as many processes */
    enum share share;
};

/* All of `size` touched from end to end, by the kinds that the system takes by default. */
struct configuration configuration_make(size_t size, size_t step);

/* Into how many stripes the region is cut; how many regions there are in all. */
size_t configuration_stripes(const struct configuration *configuration);
size_t configuration_regions(const struct configuration *configuration);

/* What one thread does of it, alone. */
struct configuration configuration_part(const struct configuration *configuration);

#endif
