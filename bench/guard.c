/* guard: one guard page stands past the usable end, at first the region's first page. A hit on it
 * commits the next step, sets a guard anew and makes the page usable; any other fault is a real
 * crash. */
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
    int answer = region_take_guard(region, offset);
    if (answer != 0)
        return answer;
    return region_move_guard(region, region->guard + region_step_at(region, region->guard));
}

const struct strategy harness_strategy = {
    .name = "guard",
    .summary = "grow by a step when an access hits the guard page past the usable end",
    .step = STEP_CHUNK,
    .grows = true,
    .guarded = true,
    .threads = true,
    .reserve = region_reserve,
    .commit = guard_stand,
    .touch = guard_touch,
    .fault = guard_grow,
};
