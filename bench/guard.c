/* guard: one guard page stands past the usable end, at first the region's first page. A hit on it
 * makes it usable, commits the next step and sets a guard anew; any other fault is a real crash. */
#include "harness.h"

static int guard_stand(struct region *region)
{
    return region_set_guard(region, 0);
}

static int guard_touch(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, workload_nothing);
}

static int guard_grow(struct region *region, size_t offset)
{
    if (region_page_start(region, offset) != region->guard)
        return REGION_FOREIGN;
    int error = region_clear_guard(region);
    return error != 0 ? error : region_set_guard(region, region->guard + region_take_step(region));
}

const struct strategy harness_strategy = {
    .name = "guard",
    .summary = "grow by a step when an access hits the guard page past the usable end",
    .step = STEP_CHUNK,
    .grows = true,
    .guarded = true,
    .reserve = region_reserve,
    .commit = guard_stand,
    .touch = guard_touch,
    .fault = guard_grow,
};
