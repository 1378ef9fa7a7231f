/* How a region is touched: one write to each page of its first `touched` bytes, in order.
 *
 * The loop is here once and is inlined into each strategy together with what that strategy does
 * before a write, so that the timed loop holds no indirect call. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "region.h"

/* Called before the write at `offset`; anything but 0 stops the touching. */
typedef int (*workload_before_write)(struct region *region, size_t offset);

static inline int workload_nothing(struct region *region, size_t offset)
{
    (void)region;
    (void)offset;
    return 0;
}

static inline int workload_touch(struct region *region, size_t touched,
                                 workload_before_write before_write)
{
    volatile unsigned char *base = region->base;
    size_t page = region->page;
    for (size_t offset = 0; offset < touched; offset += page) {
        int error = before_write(region, offset);
        if (error != 0)
            return error;
        base[offset] = 1;
    }
    return 0;
}

#endif
