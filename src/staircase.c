/* The touching of one cycle in STAIRCASE_CHECKPOINTS parts. */
#include "staircase.h"

#include <string.h>

#include "columns.h"
#include "cycle.h"
#include "row.h"

static char buffer[STAIRCASE_CHECKPOINTS * 256];

/* A checkpoint, and what joins it to its sample. */
struct stair {
    const char *strategy;
    uint64_t round, position;
    size_t size, step;
    struct checkpoint at;
};

static const struct column columns[] = {
    {"strategy", columns_add_text_at, offsetof(struct stair, strategy)},
    {"round", columns_add_number_at, offsetof(struct stair, round)},
    {"position", columns_add_number_at, offsetof(struct stair, position)},
    {"size_bytes", columns_add_size_at, offsetof(struct stair, size)},
    {"chunk_bytes", columns_add_size_at, offsetof(struct stair, step)},
    {"touched_bytes", columns_add_size_at, offsetof(struct stair, at.touched)},
    {"commit_bytes", columns_add_number_at, offsetof(struct stair, at.commit_bytes)},
    {"resident_bytes", columns_add_bytes_at, offsetof(struct stair, at.resident_bytes)},
    {"region_count", columns_add_number_at, offsetof(struct stair, at.region_count)},
    {"commit_calls", columns_add_number_at, offsetof(struct stair, at.commit_calls)},
    {"handled_faults", columns_add_number_at, offsetof(struct stair, at.handled_faults)},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

/* The cycle comes first: what is trapped is handed its address. */
struct climb {
    struct cycle cycle;
    struct workload part; /* the touches between two checkpoints */
    size_t total;         /* touches */
    struct staircase *staircase;
};

static struct checkpoint checkpoint_of(const struct cycle *cycle, const struct maps_memory *now,
                                       size_t touches)
{
    const struct region *region = &cycle->region;
    struct checkpoint checkpoint = {.touched = touches * region->page,
                                    .commit_bytes = now->region_commit_bytes,
                                    .region_count = now->region_count,
                                    .commit_calls = region->commit_calls,
                                    .handled_faults = region->handled_faults};
    cycle_add_difference(&checkpoint.resident_bytes, cycle->before.process_resident_bytes,
                         now->process_resident_bytes);
    return checkpoint;
}

static bool climb_step(struct climb *climb)
{
    struct cycle *cycle = &climb->cycle;
    struct region *region = &cycle->region;
    struct staircase *staircase = climb->staircase;
    struct maps_memory now = {0};
    climb->part.first = climb->part.last;
    climb->part.last = climb->total * (staircase->reached + 1) / STAIRCASE_CHECKPOINTS;
    int error = cycle->strategy->touch(region, &climb->part);
    if (region_keep_failure(region, "touch", 0, region->size, error) != 0)
        return false;
    cycle_probe(cycle, &now);
    staircase->checkpoints[staircase->reached++] = checkpoint_of(cycle, &now, climb->part.last);
    return cycle->error == 0;
}

static void climb_all(void *context)
{
    struct climb *climb = context;
    struct region *region = &climb->cycle.region;
    const struct strategy *strategy = climb->cycle.strategy;
    int error = 0;
    region_restart(region);
    if (strategy->reserve != NULL)
        error = strategy->reserve(region);
    if (error == 0 && strategy->commit != NULL)
        error = strategy->commit(region);
    if (region_keep_failure(region, "reserve", 0, region->size, error) != 0)
        return;
    while (climb->staircase->reached < STAIRCASE_CHECKPOINTS && climb_step(climb)) {
    }
}

bool staircase_take(const struct strategy *strategy, const struct configuration *configuration,
                    uint64_t seed, struct staircase *staircase)
{
    struct workload workload;
    struct sample discarded = {0};
    memset(staircase, 0xff, sizeof *staircase); /* in memory before anything is read */
    staircase->reached = 0;
    staircase->error[0] = '\0';
    if (!workload_make(&workload, configuration, seed))
        return true;
    struct climb climb = {.cycle = cycle_start(strategy, configuration, &workload, &discarded),
                          .part = workload,
                          .total = workload.last,
                          .staircase = staircase};
    climb.part.last = 0;
    climb.cycle.probing = true;
    cycle_probe(&climb.cycle, &climb.cycle.before);
    int error = cycle_trap(&climb.cycle, climb_all);
    cycle_release(&climb.cycle);
    workload_free(&workload);
    if (error == 0 || cycle_is_refusal(&climb.cycle, error))
        return true;
    cycle_describe_failure(&climb.cycle, error, staircase->error, sizeof staircase->error);
    return false;
}

int staircase_write_header(const struct output *output)
{
    struct text text = text_in(buffer, sizeof buffer);
    columns_add_header(columns, COLUMN_COUNT, &text);
    return output_write(output, text.bytes, text.length);
}

int staircase_write(const struct output *output, const struct row *row,
                    const struct staircase *staircase)
{
    struct text text = text_in(buffer, sizeof buffer);
    for (size_t i = 0; i < staircase->reached; i++) {
        struct stair stair = {.strategy = row->strategy->name,
                              .round = row->round,
                              .position = row->position,
                              .size = row->configuration->size,
                              .step = row->configuration->step,
                              .at = staircase->checkpoints[i]};
        columns_add_row(columns, COLUMN_COUNT, &stair, &text);
    }
    return output_write(output, text.bytes, text.length);
}
