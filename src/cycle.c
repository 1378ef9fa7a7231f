/* One cycle, and many of them. The windows hold nothing but the strategy's own work. */
#include "cycle.h"

#include <stdio.h>
#include <string.h>

static const char *const phase_names[] = {
    [PHASE_RESERVE] = "reserve", [PHASE_COMMIT] = "commit",       [PHASE_TOUCH] = "touch",
    [PHASE_PURGE] = "give back", [PHASE_RETOUCH] = "touch again", [PHASE_RELEASE] = "release"};

void cycle_add_difference(struct meter_count *sum, struct meter_count from, struct meter_count to)
{
    sum->known = from.known && to.known;
    sum->value += to.value - from.value;
}

void cycle_keep_error(struct cycle *cycle, const char *failed, int error)
{
    if (error == 0 || cycle->error != 0)
        return;
    cycle->failed = failed;
    cycle->error = error;
}

static struct meter_faults read_faults(struct cycle *cycle)
{
    struct meter_faults faults = {{0, false}, {0, false}};
    cycle_keep_error(cycle, "reading the fault counters", meter_read_faults(&faults));
    return faults;
}

static void add_faults_since(struct cycle *cycle, const struct meter_faults *start)
{
    struct meter_faults now = read_faults(cycle);
    cycle_add_difference(&cycle->sample->minor_faults, start->minor, now.minor);
    cycle_add_difference(&cycle->sample->major_faults, start->major, now.major);
}

static void window_open(struct cycle *cycle, enum phase phase)
{
    cycle->phase = phase;
    cycle->open = true;
    if (cycle->counting)
        cycle->start_faults = read_faults(cycle);
    cycle->start_ns = meter_clock_ns();
}

static void window_close(struct cycle *cycle)
{
    uint64_t taken_ns = meter_clock_ns() - cycle->start_ns;
    if (taken_ns > cycle->reading_ns)
        cycle->sample->phase_ns[cycle->phase] += taken_ns - cycle->reading_ns;
    cycle->open = false;
    if (cycle->counting)
        add_faults_since(cycle, &cycle->start_faults);
}

/* The least of many: the first is of a cold clock, and anything may interrupt one. */
uint64_t cycle_empty_window_ns(void)
{
    enum { TRIES = 1000 };
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t start_ns = meter_clock_ns();
        uint64_t taken_ns = meter_clock_ns() - start_ns;
        least = taken_ns < least ? taken_ns : least;
    }
    return least;
}

void cycle_probe(struct cycle *cycle, struct maps_memory *memory)
{
    if (!cycle->probing)
        return;
    if (cycle->region.base != NULL)
        cycle->base = cycle->region.base;
    size_t size = cycle->base != NULL ? cycle->region.size : 0;
    cycle_keep_error(cycle, "reading the memory map",
                     cycle->strategy->blocks ? maps_read(NULL, SIZE_MAX, memory)
                                             : maps_read(cycle->base, size, memory));
}

int cycle_release(struct cycle *cycle)
{
    int (*release)(struct region *) = cycle->strategy->release;
    return release != NULL ? release(&cycle->region) : region_release(&cycle->region);
}

/* Keeps what a hook returned that kept no failure of its own. */
static bool succeeded(struct cycle *cycle, int error)
{
    struct region *region = &cycle->region;
    return region_keep_failure(region, phase_names[cycle->phase], 0, region->size, error) == 0;
}

static bool reserve(struct cycle *cycle)
{
    window_open(cycle, PHASE_RESERVE);
    int error = cycle->strategy->reserve(&cycle->region);
    window_close(cycle);
    cycle_probe(cycle, &cycle->reserved);
    return succeeded(cycle, error);
}

static bool commit(struct cycle *cycle)
{
    window_open(cycle, PHASE_COMMIT);
    int error = cycle->strategy->commit(&cycle->region);
    window_close(cycle);
    if (cycle->strategy->reserve == NULL)
        cycle_probe(cycle, &cycle->reserved);
    return succeeded(cycle, error);
}

static bool touch(struct cycle *cycle)
{
    window_open(cycle, PHASE_TOUCH);
    int error = cycle->strategy->touch(&cycle->region, cycle->workload);
    window_close(cycle);
    return succeeded(cycle, error);
}

static size_t touched_bytes(const struct cycle *cycle)
{
    return cycle->touches * cycle->region.page;
}

static bool purge(struct cycle *cycle)
{
    if (cycle->first_step == 0)
        cycle_probe(cycle, &cycle->peak);
    window_open(cycle, PHASE_PURGE);
    int error =
        region_purge(&cycle->region, cycle->first_step, cycle->last_step, touched_bytes(cycle));
    window_close(cycle);
    if (cycle->last_step == cycle->steps)
        cycle_probe(cycle, &cycle->purged);
    return succeeded(cycle, error);
}

static void close_retouch(struct cycle *cycle, uint64_t faults_before)
{
    window_close(cycle);
    if (cycle->counting)
        cycle_add_difference(&cycle->retouch_minor_faults,
                             (struct meter_count){faults_before, true},
                             cycle->sample->minor_faults);
}

static bool restore(struct cycle *cycle)
{
    uint64_t faults_before = cycle->sample->minor_faults.value;
    window_open(cycle, PHASE_RETOUCH);
    int error =
        region_restore(&cycle->region, cycle->first_step, cycle->last_step, touched_bytes(cycle));
    close_retouch(cycle, faults_before);
    return succeeded(cycle, error);
}

static bool retouch(struct cycle *cycle)
{
    uint64_t faults_before = cycle->sample->minor_faults.value;
    window_open(cycle, PHASE_RETOUCH);
    int error = cycle->strategy->touch(&cycle->region, &cycle->again);
    close_retouch(cycle, faults_before);
    if (cycle->again.last == cycle->touches)
        cycle_probe(cycle, &cycle->retouched);
    return succeeded(cycle, error);
}

struct maps_memory *cycle_reached(struct cycle *cycle)
{
    switch (cycle->phase) {
    case PHASE_PURGE: return &cycle->purged;
    case PHASE_RETOUCH: return &cycle->retouched;
    default: return &cycle->peak;
    }
}

static bool release(struct cycle *cycle)
{
    window_open(cycle, PHASE_RELEASE);
    int error = cycle_release(cycle);
    window_close(cycle);
    cycle_probe(cycle, &cycle->released);
    return succeeded(cycle, error);
}

static void choose_all(struct cycle *cycle)
{
    cycle->first_step = 0;
    cycle->last_step = cycle->steps;
    cycle->again = (struct workload){.last = cycle->touches};
    cycle->retouch_minor_faults = (struct meter_count){0};
}

/* The parts of a cycle. False, with what failed in the region, where it could not go on. */
static bool begin(struct cycle *cycle)
{
    const struct strategy *strategy = cycle->strategy;
    region_restart(&cycle->region);
    choose_all(cycle);
    cycle_probe(cycle, &cycle->before);
    if (strategy->reserve != NULL && !reserve(cycle))
        return false;
    return strategy->commit == NULL || commit(cycle);
}

static bool end(struct cycle *cycle)
{
    if (cycle->steps == 0)
        cycle_probe(cycle, &cycle->peak);
    return release(cycle);
}

static void run_begin(void *context)
{
    begin(context);
}

static void run_touch(void *context)
{
    touch(context);
}

static void run_purge(void *context)
{
    purge(context);
}

static void run_restore(void *context)
{
    restore(context);
}

static void run_retouch(void *context)
{
    retouch(context);
}

static void run_end(void *context)
{
    end(context);
}

static bool run_one(struct cycle *cycle)
{
    if (!begin(cycle) || !touch(cycle))
        return false;
    if (cycle->steps > 0 && !(purge(cycle) && restore(cycle) && retouch(cycle)))
        return false;
    return end(cycle);
}

static void run_all(void *context)
{
    struct cycle *cycle = context;
    for (uint64_t i = 0; i < cycle->count; i++)
        if (!run_one(cycle))
            return;
}

/* A page that faults again right after it was handled would do so for ever: that is no fault that
 * committing can mend. Counted beforehand, since under TRAP_THREAD the access may be over, and its
 * cycle too, before `fault` returns. */
static enum trap_answer answer_fault(void *context, const void *address)
{
    struct cycle *cycle = context;
    struct region *region = &cycle->region;
    size_t offset;
    if (cycle->strategy->fault == NULL || !region_find(region, address, &offset) ||
        region_page_start(region, offset) == region->last_fault)
        return TRAP_FOREIGN;
    region->last_fault = region_page_start(region, offset);
    region->handled_faults++;
    int error = cycle->strategy->fault(region, offset);
    if (error == 0)
        return TRAP_RETRY;
    region->handled_faults--;
    if (error == REGION_FOREIGN)
        return TRAP_FOREIGN;
    region_keep_failure(region, "commit", region->last_fault, region->page, error);
    return TRAP_ABANDON;
}

int cycle_trap(struct cycle *cycle, void (*body)(void *))
{
    bool completed;
    cycle_keep_error(cycle, "catching faults",
                     trap_run(cycle->trap, body, answer_fault, cycle, &completed));
    if (cycle->open)
        window_close(cycle);
    cycle->sample->commit_calls = cycle->region.commit_calls;
    cycle->sample->handled_faults = cycle->region.handled_faults;
    cycle->sample->purge_calls = cycle->region.purge_calls;
    return cycle->error != 0 ? cycle->error : cycle->region.error;
}

void cycle_forget(struct cycle *cycle)
{
    cycle->sample->batch = 0;
    memset(cycle->sample->phase_ns, 0, sizeof cycle->sample->phase_ns);
    cycle->sample->minor_faults = (struct meter_count){0};
    cycle->sample->major_faults = (struct meter_count){0};
    cycle->region.commit_calls = 0;
    cycle->region.handled_faults = 0;
    cycle->region.purge_calls = 0;
}

int cycle_begin(struct cycle *cycle)
{
    cycle->counting = true;
    cycle->sample->batch++;
    return cycle_trap(cycle, run_begin);
}

int cycle_touch(struct cycle *cycle)
{
    return cycle_trap(cycle, run_touch);
}

int cycle_purge(struct cycle *cycle)
{
    return cycle_trap(cycle, run_purge);
}

int cycle_restore(struct cycle *cycle)
{
    return cycle_trap(cycle, run_restore);
}

int cycle_retouch(struct cycle *cycle)
{
    return cycle_trap(cycle, run_retouch);
}

int cycle_end(struct cycle *cycle)
{
    return cycle_trap(cycle, run_end);
}

int cycle_run(struct cycle *cycle, uint64_t count)
{
    cycle->count = count;
    cycle->counting = cycle->probing;
    cycle->sample->batch += count;
    struct meter_faults start = read_faults(cycle);
    cycle_trap(cycle, run_all);
    if (!cycle->counting)
        add_faults_since(cycle, &start);
    return cycle->error != 0 ? cycle->error : cycle->region.error;
}

int cycle_repeat(struct cycle *cycle, uint64_t count, bool probing)
{
    cycle_forget(cycle);
    cycle->probing = probing;
    return cycle_run(cycle, count);
}

struct cycle cycle_start(const struct strategy *strategy, const struct configuration *configuration,
                         const struct workload *workload, struct sample *sample)
{
    struct cycle cycle = {.strategy = strategy,
                          .workload = workload,
                          .touches = configuration->touched / vm_page_bytes(),
                          .sample = sample,
                          .region = region_make(configuration),
                          .trap = configuration->trap,
                          .reading_ns = cycle_empty_window_ns()};
    cycle_keep_error(&cycle, "choosing the size of pages", vm_use_pages(configuration->pages));
    if (strategy->purges && configuration->purge != PURGE_NONE)
        cycle.steps = region_purge_steps(&cycle.region, configuration->touched);
    if (strategy->prepare != NULL)
        cycle_keep_error(&cycle, "getting ready", strategy->prepare(configuration));
    vm_place(configuration->size, configuration->purge == PURGE_NONE ? 1 : 2);
    return cycle;
}

void cycle_describe_failure(struct cycle *cycle, int error, char *message, size_t size)
{
    const struct region *region = &cycle->region;
    char text[128];
    vm_error_text(error, text, sizeof text);
    if (cycle->error != 0) {
        snprintf(message, size, "%s: %s", cycle->failed, text);
        return;
    }
    if (error == REGION_BROKEN) {
        snprintf(message, size, "%s", region->failed_call);
        return;
    }
    const char *cause = vm_refusal_cause(error, cycle_reached(cycle)->region_count);
    snprintf(message, size, "%s of %zu bytes at offset %zu: %s%s%s", region->failed_call,
             region->failed_size, region->failed_offset, text, cause != NULL ? "; " : "",
             cause != NULL ? cause : "");
}

bool cycle_is_refusal(const struct cycle *cycle, int error)
{
    return cycle->error == 0 && vm_is_refusal(error);
}
