/* chunked: compare with the committed end before each write; past it, commit the next chunk. */
#include "harness.h"

static int chunked_before_write(struct region *region, size_t offset)
{
    if (offset < region->committed)
        return 0;
    return region_grow_past(region, offset);
}

static int chunked_touch(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, chunked_before_write);
}

const struct strategy harness_strategy = {
    .name = "chunked",
    .summary = "commit the next chunk when a write would pass the committed end",
    .step = STEP_CHUNK,
    .grows = true,
    .purges = true,
    .threads = true,
    .reserve = region_reserve,
    .touch = chunked_touch,
};
