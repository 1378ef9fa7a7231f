/* How a region is touched: one write to each page of its first `touched` bytes, in some order.
 *
 * The loop is here once and is inlined into each strategy together with what that strategy does
 * before a write, so that the timed loop holds no indirect call. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "region.h"
#include "system/kind.h"
#include "system/meter.h"

/* Names of enum touch_order. */
extern const struct kind workload_orders[];

/* One touch: its time, and the commit calls that it took. */
struct workload_touch_time {
    uint32_t ns;
    uint32_t commit_calls;
};

struct workload {
    size_t first, last;                /* which touches to make: [first, last) of the order */
    uint32_t *pages;                   /* the order; NULL for sequential, which needs no list */
    struct workload_touch_time *trace; /* by touch; NULL: touches are not timed one by one */
};

/* Lists the pages that a configuration touches in their order; `seed` is for random alone. The list
 * is written, and so in memory, before anything is timed. False if there is no memory for it. */
bool workload_make(struct workload *workload, const struct configuration *configuration,
                   uint64_t seed);
void workload_free(struct workload *workload);

/* True if every first touch falls below or exactly on a guard page that starts at the region's
 * start and moves on by a step at each hit. */
bool workload_suits_guard(const struct workload *workload,
                          const struct configuration *configuration);

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t workload_random(uint64_t *state);

/* Called before the write at `offset`; anything but 0 stops the touching. */
typedef int (*workload_before_write)(struct region *region, size_t offset);

static inline int workload_nothing(struct region *region, size_t offset)
{
    (void)region;
    (void)offset;
    return 0;
}

static inline int workload_touch_page(struct region *region, size_t offset,
                                      workload_before_write before_write)
{
    int error = before_write(region, offset);
    if (error == 0)
        *(volatile unsigned char *)(region->base + offset) = 1;
    return error;
}

/* One reading of the clock for each touch, so that a touch's time is from the end of the one
 * before. */
static inline int workload_touch_traced(struct region *region, const struct workload *workload,
                                        workload_before_write before_write)
{
    uint64_t before_ns = meter_clock_ns();
    int error = 0;
    for (size_t i = workload->first; i < workload->last && error == 0; i++) {
        size_t page = workload->pages != NULL ? workload->pages[i] : i;
        uint64_t calls = region->commit_calls;
        error = workload_touch_page(region, page * region->page, before_write);
        uint64_t now_ns = meter_clock_ns();
        uint64_t took_ns = now_ns - before_ns;
        workload->trace[i] =
            (struct workload_touch_time){took_ns < UINT32_MAX ? (uint32_t)took_ns : UINT32_MAX,
                                         (uint32_t)(region->commit_calls - calls)};
        before_ns = now_ns;
    }
    return error;
}

static inline int workload_touch(struct region *region, const struct workload *workload,
                                 workload_before_write before_write)
{
    size_t page = region->page;
    size_t last = workload->last;
    const uint32_t *pages = workload->pages;
    int error = 0;
    if (workload->trace != NULL)
        return workload_touch_traced(region, workload, before_write);
    if (pages == NULL)
        for (size_t at = workload->first * page; at < last * page && error == 0; at += page)
            error = workload_touch_page(region, at, before_write);
    else
        for (size_t i = workload->first; i < last && error == 0; i++)
            error = workload_touch_page(region, pages[i] * page, before_write);
    return error;
}

#endif
