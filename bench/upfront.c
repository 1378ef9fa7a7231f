/* upfront: reserve and commit the whole range in one call, before anything is written. */
#include "harness.h"

static int upfront_touch(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, workload_nothing);
}

const struct strategy harness_strategy = {
    .name = "upfront",
    .summary = "reserve and commit the whole range in one call",
    .step = STEP_SIZE,
    .purges = true,
    .threads = true,
    .commits = commit_at_once_kinds,
    .commit = region_reserve_committed,
    .touch = upfront_touch,
};
