/* One cycle is counted and probed between its phases; if it was short, a batch of cycles with
 * nothing in between is timed in its place. */
#include "sample.h"

#include <stdio.h>
#include <string.h>

#include "cycle.h"
#include "system/thread.h"

/* A sample lasts at least this long: enough to drown the clock and single interrupts, and to make
 * starting a process a small part of it. */
#define SAMPLE_MIN_NS 4000000u

/* And so long that one tick of a coarse clock is no more than a thousandth of it. */
#define SAMPLE_MIN_TICKS 1000u

/* Kept free for the rest of the machine when a size is checked against available memory. */
#define MEMORY_RESERVE_BYTES ((uint64_t)64 << 20)

enum { PREPARED_PAGES = 4 };

static uint64_t total_ns(const struct sample *sample)
{
    uint64_t total = 0;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        total += sample->phase_ns[phase];
    return total;
}

static uint64_t shortest_ns(void)
{
    uint64_t ticks_ns = SAMPLE_MIN_TICKS * meter_clock_tick_ns();
    return ticks_ns > SAMPLE_MIN_NS ? ticks_ns : SAMPLE_MIN_NS;
}

/* Larger batches until one lasts long enough. The first estimate may rest on a cold cycle, so each
 * batch is taken anew rather than added to. */
static int run_batches(struct cycle *cycle)
{
    int error = 0;
    double shortest = (double)shortest_ns();
    while (error == 0 && (double)total_ns(cycle->sample) < shortest) {
        double cycle_ns = (double)total_ns(cycle->sample) / (double)cycle->sample->batch + 1;
        error = cycle_repeat(cycle, (uint64_t)(1.2 * shortest / cycle_ns) + 1, false);
    }
    return error;
}

/* As far as the cycle came. */
static void keep_purged(const struct cycle *cycle)
{
    struct sample *sample = cycle->sample;
    bool purged = cycle->steps > 0 && cycle->phase >= PHASE_PURGE;
    bool retouched = purged && cycle->phase >= PHASE_RETOUCH;
    sample->purged_resident_bytes = sample->purged_table_bytes = (struct meter_count){0};
    sample->purged_commit_bytes = (struct meter_count){cycle->purged.region_commit_bytes, purged};
    sample->purged_region_count = (struct meter_count){cycle->purged.region_count, purged};
    sample->retouched_commit_bytes =
        (struct meter_count){cycle->retouched.region_commit_bytes, retouched};
    sample->retouched_region_count = (struct meter_count){cycle->retouched.region_count, retouched};
    sample->retouch_minor_faults = cycle->retouch_minor_faults;
    if (!purged)
        return;
    cycle_add_difference(&sample->purged_resident_bytes, cycle->before.process_resident_bytes,
                         cycle->purged.process_resident_bytes);
    cycle_add_difference(&sample->purged_table_bytes, cycle->before.process_table_bytes,
                         cycle->purged.process_table_bytes);
}

void sample_keep_memory(struct cycle *cycle)
{
    struct sample *sample = cycle->sample;
    const struct maps_memory *before = &cycle->before;
    cycle_add_others(cycle);
    bool reserved = cycle->base != NULL && !cycle->strategy->blocks;
    sample->reserved_commit_bytes =
        (struct meter_count){cycle->reserved.region_commit_bytes, reserved};
    sample->commit_bytes =
        (struct meter_count){cycle->peak.region_commit_bytes - before->region_commit_bytes, true};
    sample->region_count =
        (struct meter_count){cycle->peak.region_count - before->region_count, true};
    sample->released_commit_bytes = (struct meter_count){
        cycle->released.region_commit_bytes - before->region_commit_bytes, true};
    sample->commit_system_bytes = sample->commit_process_bytes = sample->resident_bytes =
        (struct meter_count){0};
    cycle_add_difference(&sample->commit_system_bytes, cycle->before.system_commit_bytes,
                         cycle->peak.system_commit_bytes);
    cycle_add_difference(&sample->commit_process_bytes, cycle->before.process_commit_bytes,
                         cycle->peak.process_commit_bytes);
    cycle_add_difference(&sample->resident_bytes, cycle->before.process_resident_bytes,
                         cycle->peak.process_resident_bytes);
    keep_purged(cycle);
}

bool sample_refuse(struct cycle *cycle, int error)
{
    cycle->sample->status = SAMPLE_REFUSED;
    cycle_probe(cycle, cycle_reached(cycle));
    cycle_describe_failure(cycle, error, cycle->sample->error, sizeof cycle->sample->error);
    cycle_release(cycle);
    cycle_probe(cycle, &cycle->released);
    if (cycle->probing)
        sample_keep_memory(cycle);
    return cycle_is_refusal(cycle, error);
}

/* Always false, so that what stops a sample is one statement. */
static bool stop_with(struct sample *sample, enum sample_status status, const char *why)
{
    sample->status = status;
    snprintf(sample->error, sizeof sample->error, "%s", why);
    return false;
}

/* What may get resident: what is touched, or all that may be committed ahead of it. */
static uint64_t resident_bytes(const struct configuration *configuration)
{
    if (configuration->resident > 0)
        return configuration->resident;
    uint64_t bytes =
        commit_populates(configuration->commit) ? configuration->size : configuration->touched;
    return configuration_regions(configuration) * bytes;
}

/* With the page tables that map it: 8 bytes for each page of 4 KiB. */
static bool memory_holds(const struct configuration *configuration, struct sample *sample)
{
    uint64_t available;
    uint64_t resident = resident_bytes(configuration);
    uint64_t needed = resident + resident / 512 + MEMORY_RESERVE_BYTES;
    if (meter_read_available(&available) != 0 || needed <= available)
        return true;
    sample->status = SAMPLE_SKIPPED;
    snprintf(sample->error, sizeof sample->error,
             "needs %llu bytes of memory, and %llu are available", (unsigned long long)needed,
             (unsigned long long)available);
    return false;
}

static bool take_cycles(struct cycle *cycle)
{
    struct sample *sample = cycle->sample;
    int error = cycle_repeat(cycle, 1, true);
    if (error != 0)
        return sample_refuse(cycle, error);
    sample_keep_memory(cycle);
    if (cycle->strategy->blocks)
        return true;
    struct sample counted = *sample;
    error = run_batches(cycle);
    if (error == 0) {
        sample->lock_count = cycle_count_locks(cycle);
        cycle_find_most(cycle, &sample->most_commit_bytes, &sample->most_resident_bytes);
        return true;
    }
    *sample = counted;
    return sample_refuse(cycle, error);
}

static bool take(const struct strategy *strategy, const struct configuration *configuration,
                 const struct workload *workload, struct sample *sample)
{
    struct cycle cycle = cycle_start(strategy, configuration, workload, sample);
    vm_warm(resident_bytes(configuration), configuration->pages);
    bool taken = take_cycles(&cycle);
    cycle_stop(&cycle);
    return taken;
}

bool sample_possible(const struct strategy *strategy, const struct configuration *configuration,
                     uint64_t seed, struct workload *workload, struct sample *sample)
{
    *sample = (struct sample){.status = SAMPLE_OK};
    *workload = (struct workload){.pages = NULL};
    const char *unsupported = strategy_unsupported(strategy, configuration);
    if (unsupported != NULL)
        return stop_with(sample, SAMPLE_UNSUPPORTED, unsupported);
    if (!memory_holds(configuration, sample))
        return false;
    struct configuration part = configuration_part(configuration);
    if (!workload_make(workload, &part, seed))
        return stop_with(sample, SAMPLE_SKIPPED, "no memory for the list of pages");
    if (!strategy->guarded || workload_suits_guard(workload, &part))
        return true;
    workload_free(workload);
    return stop_with(sample, SAMPLE_UNSUPPORTED, "the order jumps past the guard page");
}

bool sample_take(const struct strategy *strategy, const struct configuration *configuration,
                 uint64_t seed, struct sample *sample)
{
    static bool taken_before;
    struct workload workload;
    if (!sample_possible(strategy, configuration, seed, &workload, sample))
        return true;
    bool kept = strategy->blocks && taken_before;
    taken_before = true;
    if (kept)
        stop_with(sample, SAMPLE_SKIPPED,
                  "the allocator may have kept memory of the sample before: "
                  "use --repeat 1, one size and one step");
    bool done = kept || take(strategy, configuration, &workload, sample);
    workload_free(&workload);
    return done;
}

void sample_prepare(const struct strategy *strategy, const struct configuration *configuration)
{
    static struct workload workload; /* static like the cycle, which holds blocks to the end */
    static struct sample discarded;
    static struct cycle cycle;
    struct configuration small = *configuration;
    thread_touch_stack();
    if (strategy_unsupported(strategy, configuration) != NULL)
        return;
    size_t unit = vm_pages_unit(configuration->pages);
    size_t stripes = configuration_stripes(configuration);
    small.step = unit;
    small.touched = PREPARED_PAGES * vm_page_bytes();
    small.purge_step = small.touched;
    small.size = stripes * (unit > small.touched ? unit : small.touched);
    small.touched *= stripes;
    workload.last = strategy->blocks ? 0 : PREPARED_PAGES;
    cycle = cycle_start(strategy, &small, &workload, &discarded);
    int error = cycle_repeat(&cycle, 1, true);
    if (error == 0)
        error = cycle_repeat(&cycle, 1, false);
    if (error != 0)
        sample_refuse(&cycle, error);
    workload.last = PREPARED_PAGES;
    if (strategy->blocks)
        strategy->touch(&cycle.region, &workload); /* and kept: what is freed would come again */
    else
        cycle_stop(&cycle);
}
