/* A cycle that is held up at even distances, to read what the system says of the region so far. */
#include "cycle.h"

struct staircase {
    struct run run;
    struct workload part; /* the touches between two checkpoints */
    size_t total;         /* touches */
    struct sample_checkpoint *checkpoints;
    size_t reached;
};

static bool climb(struct staircase *staircase)
{
    struct run *run = &staircase->run;
    struct region *region = &run->region;
    struct sample_checkpoint *checkpoint = &staircase->checkpoints[staircase->reached];
    struct meter_memory now;
    staircase->part.first = staircase->part.last;
    staircase->part.last = staircase->total * (staircase->reached + 1) / SAMPLE_CHECKPOINTS;
    if (run->strategy->touch(region, &staircase->part) != 0 ||
        meter_read_memory(region->base, region->size, &now) != 0)
        return false;
    *checkpoint = (struct sample_checkpoint){.touched = staircase->part.last * region->page,
                                             .commit_bytes = now.region_commit_bytes,
                                             .region_count = now.region_count,
                                             .commit_calls = region->commit_calls,
                                             .handled_faults = region->handled_faults};
    cycle_add_difference(&checkpoint->resident_bytes, run->before.process_resident_bytes,
                         now.process_resident_bytes);
    staircase->reached++;
    return true;
}

static void climb_all(void *context)
{
    /* The run comes first: cycle_answer_fault takes this context for one. */
    struct staircase *staircase = context;
    const struct strategy *strategy = staircase->run.strategy;
    struct region *region = &staircase->run.region;
    region_restart(region);
    if (strategy->reserve != NULL && strategy->reserve(region) != 0)
        return;
    if (strategy->commit != NULL && strategy->commit(region) != 0)
        return;
    while (staircase->reached < SAMPLE_CHECKPOINTS && climb(staircase)) {
    }
}

size_t sample_staircase(const struct strategy *strategy, const struct configuration *configuration,
                        uint64_t seed, struct sample_checkpoint *checkpoints)
{
    struct sample unseen = {0};
    struct workload workload;
    bool completed;
    if (!workload_make(&workload, configuration->order, configuration->touched, seed))
        return 0;
    struct staircase staircase = {.run = cycle_start(strategy, configuration, &workload, &unseen),
                                  .part = workload,
                                  .total = workload.last,
                                  .checkpoints = checkpoints};
    staircase.part.last = 0;
    meter_read_memory(NULL, 0, &staircase.run.before);
    trap_run(climb_all, cycle_answer_fault, &staircase, &completed);
    cycle_release(&staircase.run);
    workload_free(&workload);
    return staircase.reached;
}
