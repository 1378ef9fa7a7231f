/* stack: the kernel commits, page by page, as a stack is touched from its top downwards. What it
 * grows no further ends in a fault, and a refusal. */
#include "harness.h"
#include "system/linux/grow.h"

static const struct kind ways[] = {{"growsdown", COMMIT_GROWSDOWN}, {NULL, 0}};
static const struct kind orders[] = {{"downwards", ORDER_DOWNWARDS}, {NULL, 0}};

static int stack_map(struct region *region)
{
    void *base = NULL;
    int error = grow_map_stack(region->size, &base);
    region->base = base;
    return region_keep_failure(region, "map", region->size - region->page, region->page, error);
}

static int stack_touch(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, workload_nothing);
}

static int stack_end(struct region *region, size_t offset)
{
    return region_keep_failure(region, "grow", region_page_start(region, offset), region->page,
                               vm_out_of_memory());
}

const struct strategy harness_strategy = {
    .name = "stack",
    .summary = "touch a stack downwards, which the kernel lets grow",
    .step = STEP_PAGE,
    .commits = ways,
    .orders = orders,
    .pages = vm_small_pages_kinds,
    .reserve = stack_map,
    .touch = stack_touch,
    .fault = stack_end,
};
