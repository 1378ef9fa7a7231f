/* mremap: one mapping, of a step at first, that is made larger before a write past its end: where
 * it is, or by moving it, to and fro between two places, as must be where something is in its way.
 */
#include "harness.h"
#include "system/linux/grow.h"

static const struct kind ways[] = {{"in_place", COMMIT_IN_PLACE}, {"move", COMMIT_MOVE}, {NULL, 0}};

static size_t room(const struct region *region)
{
    return region->commit == COMMIT_MOVE ? 2 * region->size : region->size;
}

static int mremap_map(struct region *region)
{
    region->committed = region_next_end(region, 0);
    region->commit_calls++;
    int error = grow_map(region->committed, room(region), &region->own);
    region->base = region->own;
    return region_keep_failure(region, "map", 0, region->committed, error);
}

static int mremap_grow(struct region *region, size_t end)
{
    unsigned char *first = region->own;
    if (region->commit == COMMIT_IN_PLACE)
        return grow_in_place(region->base, region->committed, end);
    unsigned char *target = region->base == first ? first + region->size : first;
    int error = grow_and_move(region->base, region->committed, end, target);
    region->base = error == 0 ? target : region->base;
    return error;
}

static int mremap_before_write(struct region *region, size_t offset)
{
    if (offset < region->committed)
        return 0;
    size_t end = region_next_end(region, offset);
    int error = mremap_grow(region, end);
    region->commit_calls++;
    region_keep_failure(region, "grow", region->committed, end - region->committed, error);
    region->committed = error == 0 ? end : region->committed;
    return error;
}

static int mremap_touch(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, mremap_before_write);
}

static int mremap_release(struct region *region)
{
    int error = region->own != NULL ? vm_release(region->own, room(region)) : 0;
    region->base = region->own = NULL;
    return region_keep_failure(region, "release", 0, region->size, error);
}

const struct strategy harness_strategy = {
    .name = "mremap",
    .summary = "make one mapping larger, in place or by moving it, when a write would pass its end",
    .step = STEP_CHUNK,
    .grows = true,
    .commits = ways,
    .pages = vm_small_pages_kinds,
    .reserve = mremap_map,
    .touch = mremap_touch,
    .release = mremap_release,
};
