/* uffd: all of the region is usable, but no page is there. A userfaultfd tells of the first access
 * to a step, and all of it is supplied: as pages of its own, or as the zero page, which each write
 * then copies. */
#include "system/linux/uffd.h"
#include "harness.h"

static const struct kind ways[] = {{"copy", COMMIT_COPY}, {"zeropage", COMMIT_ZEROPAGE}, {NULL, 0}};
static const struct kind traps[] = {{"sigbus", TRAP_SIGBUS}, {"thread", TRAP_THREAD}, {NULL, 0}};

static int uffd_get_ready(const struct configuration *configuration)
{
    return uffd_prepare(configuration->trap, configuration->commit, configuration->step);
}

static int uffd_reserve(struct region *region)
{
    void *base = NULL;
    int error = uffd_map(region->size, &base);
    region->base = base;
    return region_keep_failure(region, "map", 0, region->size, error);
}

/* A step that a thread could not supply ends nothing but the touching. */
static int uffd_touch(struct region *region, const struct workload *workload)
{
    workload_touch(region, workload, workload_nothing);
    return region->error;
}

static int uffd_supply_step(struct region *region, size_t offset)
{
    size_t from = region_step_start(region, offset);
    size_t left = region->size - from;
    size_t size = region->step < left ? region->step : left;
    region->commit_calls++;
    return region_keep_failure(region, "supply", from, size,
                               uffd_supply(region->commit, region->base + from, size));
}

const struct strategy harness_strategy = {
    .name = "uffd",
    .summary = "supply the step around an access, when a userfaultfd tells of it",
    .step = STEP_CHUNK,
    .commits = ways,
    .pages = vm_small_pages_kinds,
    .traps = traps,
    .unsupported = uffd_unsupported,
    .prepare = uffd_get_ready,
    .reserve = uffd_reserve,
    .touch = uffd_touch,
    .fault = uffd_supply_step,
};
