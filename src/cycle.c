/* One cycle, and many of them. The windows hold nothing but the strategy's own work. */
#include "cycle.h"

#include <string.h>

#include "system/vm.h"

void cycle_add_difference(struct meter_count *sum, struct meter_count from, struct meter_count to)
{
    sum->known = from.known && to.known;
    sum->value += to.value - from.value;
}

static void keep_meter_error(struct run *run, int error)
{
    if (error != 0)
        run->meter_error = error;
}

static void add_faults_since(struct run *run, const struct meter_faults *start)
{
    struct meter_faults now;
    keep_meter_error(run, meter_read_faults(&now));
    cycle_add_difference(&run->sample->minor_faults, start->minor, now.minor);
    cycle_add_difference(&run->sample->major_faults, start->major, now.major);
}

static void window_open(struct run *run, enum phase phase)
{
    run->phase = phase;
    run->open = true;
    if (run->probing)
        keep_meter_error(run, meter_read_faults(&run->start_faults));
    run->start_ns = meter_clock_ns();
}

static void window_close(struct run *run)
{
    run->sample->phase_ns[run->phase] += meter_clock_ns() - run->start_ns;
    run->open = false;
    if (run->probing)
        add_faults_since(run, &run->start_faults);
}

void cycle_probe(struct run *run, struct meter_memory *memory)
{
    if (!run->probing)
        return;
    if (run->region.base != NULL)
        run->base = run->region.base;
    size_t size = run->base != NULL ? run->region.size : 0;
    keep_meter_error(run, run->strategy->blocks ? meter_read_memory(NULL, SIZE_MAX, memory)
                                                : meter_read_memory(run->base, size, memory));
}

int cycle_release(struct run *run)
{
    int (*release)(struct region *) = run->strategy->release;
    return release != NULL ? release(&run->region) : region_release(&run->region);
}

static bool release(struct run *run)
{
    window_open(run, PHASE_RELEASE);
    int error = cycle_release(run);
    window_close(run);
    cycle_probe(run, &run->released);
    return error == 0;
}

/* One cycle; false, with what failed in the region, where it could not go on. */
static bool cycle(struct run *run)
{
    const struct strategy *strategy = run->strategy;
    struct region *region = &run->region;
    int error = 0;

    region_restart(region);
    cycle_probe(run, &run->before);
    if (strategy->reserve != NULL) {
        window_open(run, PHASE_RESERVE);
        error = strategy->reserve(region);
        window_close(run);
        cycle_probe(run, &run->reserved);
    }
    if (error == 0 && strategy->commit != NULL) {
        window_open(run, PHASE_COMMIT);
        error = strategy->commit(region);
        window_close(run);
        if (strategy->reserve == NULL)
            cycle_probe(run, &run->reserved);
    }
    if (error == 0) {
        window_open(run, PHASE_TOUCH);
        error = strategy->touch(region, run->workload);
        window_close(run);
    }
    if (error != 0)
        return false;
    cycle_probe(run, &run->peak);
    return release(run);
}

static void cycles(void *context)
{
    struct run *run = context;
    for (uint64_t i = 0; i < run->cycles; i++)
        if (!cycle(run))
            return;
}

/* A page that faults again right after it was handled would do so for ever: that is no fault that
 * committing can mend. */
enum trap_answer cycle_answer_fault(void *context, const void *address)
{
    struct run *run = context;
    struct region *region = &run->region;
    size_t offset;
    if (run->strategy->fault == NULL || !region_find(region, address, &offset) ||
        region_page_start(region, offset) == region->last_fault)
        return TRAP_FOREIGN;
    region->last_fault = region_page_start(region, offset);
    int error = run->strategy->fault(region, offset);
    if (error == REGION_FOREIGN)
        return TRAP_FOREIGN;
    if (error != 0)
        return TRAP_ABANDON;
    region->handled_faults++;
    return TRAP_RETRY;
}

static void forget_work(struct run *run)
{
    memset(run->sample->phase_ns, 0, sizeof run->sample->phase_ns);
    run->sample->minor_faults = (struct meter_count){0};
    run->sample->major_faults = (struct meter_count){0};
    run->region.commit_calls = 0;
    run->region.handled_faults = 0;
}

int cycle_repeat(struct run *run, uint64_t count, bool probing)
{
    struct meter_faults start;
    bool completed;
    run->cycles = count;
    run->probing = probing;
    run->sample->batch = count;
    forget_work(run);
    keep_meter_error(run, meter_read_faults(&start));
    keep_meter_error(run, trap_run(cycles, cycle_answer_fault, run, &completed));
    if (run->open)
        window_close(run);
    if (!probing)
        add_faults_since(run, &start);
    run->sample->commit_calls = run->region.commit_calls;
    run->sample->handled_faults = run->region.handled_faults;
    return run->meter_error != 0 ? run->meter_error : run->region.error;
}

struct run cycle_start(const struct strategy *strategy, const struct configuration *configuration,
                       const struct workload *workload, struct sample *sample)
{
    return (struct run){.strategy = strategy,
                        .workload = workload,
                        .sample = sample,
                        .region = region_make(configuration->size, configuration->step)};
}
