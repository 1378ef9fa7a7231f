/* fault: commit nothing; each first access faults, and the handler commits exactly the page that
 * was wanted, whichever it is. */
#include "harness.h"

static int fault_touch(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, workload_nothing);
}

static int fault_commit_page(struct region *region, size_t offset)
{
    size_t page = region_page_start(region, offset);
    return region_commit(region, page, page + region->page);
}

const struct strategy harness_strategy = {
    .name = "fault",
    .summary = "commit page by page, when an access faults",
    .step = STEP_PAGE,
    .threads = true,
    .reserve = region_reserve,
    .touch = fault_touch,
    .fault = fault_commit_page,
};
