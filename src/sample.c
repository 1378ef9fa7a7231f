/* Runs cycles under a trap. One cycle is counted and probed between its phases; if it was short, a
 * batch of cycles with nothing in between is timed in its place. */
#include "sample.h"

#include <stdio.h>
#include <string.h>

#include "trap.h"
#include "vm.h"

/* A sample lasts at least this long: enough to drown the clock and single interrupts, and to make
 * starting a process a small part of it. */
#define SAMPLE_MIN_NS 4000000u

/* And so long that one tick of a coarse clock is no more than a thousandth of it. */
#define SAMPLE_MIN_TICKS 1000u

/* Kept free for the rest of the machine when a size is checked against available memory. */
#define MEMORY_RESERVE_BYTES ((uint64_t)64 << 20)

struct run {
    const struct strategy *strategy;
    const struct workload *workload;
    struct sample *sample;
    struct region region;
    uint64_t cycles;
    bool probing; /* read counters and memory between the phases */
    int meter_error;

    /* The window that is open, if any. */
    bool open;
    enum phase phase;
    uint64_t start_ns;
    struct meter_faults start_faults;

    /* The probing cycle's readings. */
    unsigned char *base;
    struct meter_memory before, reserved, peak, released;
};

static void add_difference(struct meter_count *sum, struct meter_count from, struct meter_count to)
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
    add_difference(&run->sample->minor_faults, start->minor, now.minor);
    add_difference(&run->sample->major_faults, start->major, now.major);
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

static void probe(struct run *run, struct meter_memory *memory)
{
    if (!run->probing)
        return;
    if (run->region.base != NULL)
        run->base = run->region.base;
    size_t size = run->base != NULL ? run->region.size : 0;
    keep_meter_error(run, meter_read_memory(run->base, size, memory));
}

static bool release(struct run *run)
{
    window_open(run, PHASE_RELEASE);
    int error = region_release(&run->region);
    window_close(run);
    probe(run, &run->released);
    return error == 0;
}

/* One cycle; false, with what failed in the region, where it could not go on. */
static bool cycle(struct run *run)
{
    const struct strategy *strategy = run->strategy;
    struct region *region = &run->region;
    int error = 0;

    region_restart(region);
    probe(run, &run->before);
    if (strategy->reserve != NULL) {
        window_open(run, PHASE_RESERVE);
        error = strategy->reserve(region);
        window_close(run);
        probe(run, &run->reserved);
    }
    if (error == 0 && strategy->commit != NULL) {
        window_open(run, PHASE_COMMIT);
        error = strategy->commit(region);
        window_close(run);
        if (strategy->reserve == NULL)
            probe(run, &run->reserved);
    }
    if (error == 0) {
        window_open(run, PHASE_TOUCH);
        error = strategy->touch(region, run->workload);
        window_close(run);
    }
    if (error != 0)
        return false;
    probe(run, &run->peak);
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
static enum trap_answer answer_fault(void *context, const void *address)
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

/* Runs `count` cycles and adds up their work. Returns 0 or the error that ended them early; an
 * abandoned cycle leaves its window open. */
static int run_cycles(struct run *run, uint64_t count, bool probing)
{
    struct meter_faults start;
    bool completed;
    run->cycles = count;
    run->probing = probing;
    run->sample->batch = count;
    forget_work(run);
    keep_meter_error(run, meter_read_faults(&start));
    keep_meter_error(run, trap_run(cycles, answer_fault, run, &completed));
    if (run->open)
        window_close(run);
    if (!probing)
        add_faults_since(run, &start);
    run->sample->commit_calls = run->region.commit_calls;
    run->sample->handled_faults = run->region.handled_faults;
    return run->meter_error != 0 ? run->meter_error : run->region.error;
}

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
static int run_batches(struct run *run)
{
    int error = 0;
    double shortest = (double)shortest_ns();
    while (error == 0 && (double)total_ns(run->sample) < shortest) {
        double cycle_ns = (double)total_ns(run->sample) / (double)run->sample->batch + 1;
        error = run_cycles(run, (uint64_t)(1.2 * shortest / cycle_ns) + 1, false);
    }
    return error;
}

static void keep_memory(const struct run *run)
{
    struct sample *sample = run->sample;
    bool reserved = run->base != NULL;
    sample->reserved_commit_bytes =
        (struct meter_count){run->reserved.region_commit_bytes, reserved};
    sample->commit_bytes = (struct meter_count){run->peak.region_commit_bytes, true};
    sample->region_count = (struct meter_count){run->peak.region_count, true};
    sample->released_commit_bytes = (struct meter_count){run->released.region_commit_bytes, true};
    sample->commit_system_bytes = sample->commit_process_bytes = sample->resident_bytes =
        (struct meter_count){0};
    add_difference(&sample->commit_system_bytes, run->before.system_commit_bytes,
                   run->peak.system_commit_bytes);
    add_difference(&sample->commit_process_bytes, run->before.process_commit_bytes,
                   run->peak.process_commit_bytes);
    add_difference(&sample->resident_bytes, run->before.process_resident_bytes,
                   run->peak.process_resident_bytes);
}

static void describe_failure(const struct run *run, int error)
{
    const struct region *region = &run->region;
    char *message = run->sample->error;
    size_t size = sizeof run->sample->error;
    char text[128];
    vm_error_text(error, text, sizeof text);
    const char *cause = vm_refusal_cause(error, run->peak.region_count);
    if (run->meter_error != 0)
        snprintf(message, size, "reading the counters: %s", text);
    else
        snprintf(message, size, "%s of %zu bytes at offset %zu: %s%s%s", region->failed_call,
                 region->failed_size, region->failed_offset, text, cause != NULL ? "; " : "",
                 cause != NULL ? cause : "");
}

/* Keeps what the counted cycle had reached when the system refused to go on, then lets go of it.
 * False if it was no refusal. */
static bool refuse(struct run *run, int error)
{
    run->sample->status = SAMPLE_REFUSED;
    probe(run, &run->peak);
    describe_failure(run, error);
    region_release(&run->region);
    probe(run, &run->released);
    if (run->probing)
        keep_memory(run);
    return run->meter_error == 0 && vm_is_refusal(error);
}

static bool stop_with(struct sample *sample, enum sample_status status, const char *why)
{
    sample->status = status;
    snprintf(sample->error, sizeof sample->error, "%s", why);
    return true;
}

/* Touched bytes and the page tables that map them, an eighth of a word a byte of page. */
static bool memory_holds(const struct configuration *configuration, struct sample *sample)
{
    uint64_t available;
    uint64_t needed = configuration->touched + configuration->touched / 512 + MEMORY_RESERVE_BYTES;
    if (meter_read_available(&available) != 0 || needed <= available)
        return true;
    sample->status = SAMPLE_SKIPPED;
    snprintf(sample->error, sizeof sample->error,
             "needs %llu bytes of memory, and %llu are available", (unsigned long long)needed,
             (unsigned long long)available);
    return false;
}

static struct run start(const struct strategy *strategy, const struct configuration *configuration,
                        const struct workload *workload, struct sample *sample)
{
    return (struct run){.strategy = strategy,
                        .workload = workload,
                        .sample = sample,
                        .region = {.size = configuration->size,
                                   .step = configuration->step,
                                   .page = vm_page_bytes()}};
}

static bool take(const struct strategy *strategy, const struct configuration *configuration,
                 const struct workload *workload, struct sample *sample)
{
    struct run run = start(strategy, configuration, workload, sample);
    vm_warm(workload->touched);
    int error = run_cycles(&run, 1, true);
    if (error != 0)
        return refuse(&run, error);
    keep_memory(&run);
    struct sample counted = *sample;
    error = run_batches(&run);
    if (error == 0)
        return true;
    *sample = counted;
    return refuse(&run, error);
}

bool sample_take(const struct strategy *strategy, const struct configuration *configuration,
                 uint64_t seed, struct sample *sample)
{
    struct workload workload;
    *sample = (struct sample){.status = SAMPLE_OK};
    if (vm_pages_unsupported() != NULL)
        return stop_with(sample, SAMPLE_UNSUPPORTED, vm_pages_unsupported());
    if (strategy->guarded && vm_guard_unsupported() != NULL)
        return stop_with(sample, SAMPLE_UNSUPPORTED, vm_guard_unsupported());
    if (!memory_holds(configuration, sample))
        return true;
    if (!workload_make(&workload, configuration->order, configuration->touched, seed))
        return stop_with(sample, SAMPLE_SKIPPED, "no memory for the list of pages");
    bool done = strategy->guarded && !workload_suits_guard(&workload, configuration->step)
                    ? stop_with(sample, SAMPLE_UNSUPPORTED, "the order jumps past the guard page")
                    : take(strategy, configuration, &workload, sample);
    workload_free(&workload);
    return done;
}

/* A signal's frame alone takes some KiB of stack, more than a small cycle may have touched. By
 * recursion, so that a sanitizer's bookkeeping of the stack is touched as well. */
static void touch_stack(int depth)
{
    volatile unsigned char frame[1024];
    frame[0] = 0;
    if (depth > 0)
        touch_stack(depth - 1);
    frame[sizeof frame - 1] = 0;
}

void sample_prepare(const struct strategy *strategy)
{
    touch_stack(64);
    size_t page = vm_page_bytes();
    struct configuration small = {.size = 4 * page, .step = page, .touched = 4 * page};
    struct workload workload = {.touched = small.touched};
    struct sample unseen = {0};
    struct run run = start(strategy, &small, &workload, &unseen);
    if (strategy->guarded && vm_guard_unsupported() != NULL)
        return;
    if (run_cycles(&run, 1, true) != 0 || run_cycles(&run, 1, false) != 0)
        refuse(&run, run.region.error);
}
