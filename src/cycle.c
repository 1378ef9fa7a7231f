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

/* Of two threads: known if both are. */
static void join_count(struct meter_count *sum, struct meter_count count)
{
    sum->known = sum->known && count.known;
    sum->value += count.value;
}

static void join_usage(struct meter_usage *sum, const struct meter_usage *usage)
{
    join_count(&sum->faults.minor, usage->faults.minor);
    join_count(&sum->faults.major, usage->faults.major);
    join_count(&sum->cpu_ns, usage->cpu_ns);
    join_count(&sum->voluntary_switches, usage->voluntary_switches);
    join_count(&sum->involuntary_switches, usage->involuntary_switches);
    join_count(&sum->locks, usage->locks);
}

static struct meter_usage read_usage(struct cycle *cycle)
{
    struct meter_usage usage = {.locks = {0, false}};
    cycle_keep_error(cycle, "reading the counters",
                     cycle->crew != NULL ? meter_read_thread(&usage) : meter_read_process(&usage));
    usage.locks = meter_read_locks(cycle->locks);
    return usage;
}

static void add_usage_since(struct cycle *cycle, const struct meter_usage *start)
{
    struct meter_usage now = read_usage(cycle);
    struct meter_usage *sum = &cycle->work.usage;
    cycle_add_difference(&sum->faults.minor, start->faults.minor, now.faults.minor);
    cycle_add_difference(&sum->faults.major, start->faults.major, now.faults.major);
    cycle_add_difference(&sum->cpu_ns, start->cpu_ns, now.cpu_ns);
    cycle_add_difference(&sum->voluntary_switches, start->voluntary_switches,
                         now.voluntary_switches);
    cycle_add_difference(&sum->involuntary_switches, start->involuntary_switches,
                         now.involuntary_switches);
    cycle_add_difference(&sum->locks, start->locks, now.locks);
}

static bool is_leader(const struct cycle *cycle)
{
    return cycle->index == 0;
}

static bool meet(struct cycle *cycle)
{
    return cycle->crew == NULL || crew_meet(cycle->crew, cycle->index);
}

static unsigned crew_size(const struct cycle *cycle)
{
    return cycle->crew != NULL ? crew_count(cycle->crew) : 1;
}

static struct cycle *member(struct cycle *leader, unsigned index)
{
    return index == 0 ? leader : crew_member(leader->crew, index);
}

/* Outside of its windows, all are there before it opens. */
static bool window_open(struct cycle *cycle, enum phase phase)
{
    cycle->phase = phase;
    if (!meet(cycle))
        return false;
    cycle->open = true;
    if (cycle->counting)
        cycle->start_usage = read_usage(cycle);
    cycle->start_ns = meter_clock_ns();
    return true;
}

static uint64_t without_reading(const struct cycle *cycle, uint64_t taken_ns)
{
    return taken_ns > cycle->reading_ns ? taken_ns - cycle->reading_ns : 0;
}

/* From the first one's start to the last one's end, of those that took part. */
static void add_wall(struct cycle *leader)
{
    uint64_t start_ns = UINT64_MAX, end_ns = 0;
    for (unsigned i = 0; i < crew_size(leader); i++) {
        const struct cycle *each = member(leader, i);
        if (each->end_ns == 0)
            continue;
        start_ns = each->start_ns < start_ns ? each->start_ns : start_ns;
        end_ns = each->end_ns > end_ns ? each->end_ns : end_ns;
    }
    leader->work.wall_ns += without_reading(leader, end_ns - start_ns);
}

/* Keeps what the hook returned that kept no failure of its own. False if that or another thread
 * failed. */
static bool window_close(struct cycle *cycle, int error)
{
    struct region *region = &cycle->region;
    cycle->end_ns = meter_clock_ns();
    cycle->work.phase_ns[cycle->phase] += without_reading(cycle, cycle->end_ns - cycle->start_ns);
    cycle->open = false;
    if (cycle->counting)
        add_usage_since(cycle, &cycle->start_usage);
    region_keep_failure(region, phase_names[cycle->phase], 0, region->size, error);
    if (cycle->crew != NULL && (region->error != 0 || cycle->error != 0))
        crew_give_up(cycle->crew);
    bool together = meet(cycle);
    if (is_leader(cycle) && (together || cycle->crew == NULL))
        add_wall(cycle);
    return error == 0 && together;
}

/* A phase that is the leader's alone. */
static bool sit_out(struct cycle *cycle, enum phase phase)
{
    cycle->phase = phase;
    if (!meet(cycle))
        return false;
    cycle->end_ns = 0;
    return meet(cycle);
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

static void read_memory(struct cycle *cycle, struct cycle *of, struct maps_memory *memory)
{
    if (of->region.base != NULL)
        of->base = of->region.base;
    size_t size = of->base != NULL ? of->held : 0;
    cycle_keep_error(cycle, "reading the memory map",
                     of->strategy->blocks ? maps_read(NULL, SIZE_MAX, memory)
                                          : maps_read(of->base, size, memory));
}

/* One after the other: what reads them has one buffer. */
static void add_regions_of_threads(struct cycle *leader, struct maps_memory *memory)
{
    if (leader->crew == NULL || leader->share != SHARE_OWN)
        return;
    for (unsigned i = 1; i < crew_size(leader); i++) {
        struct maps_memory one = {0};
        read_memory(leader, member(leader, i), &one);
        memory->region_commit_bytes += one.region_commit_bytes;
        memory->region_count += one.region_count;
    }
}

void cycle_probe(struct cycle *cycle, struct maps_memory *memory)
{
    if (!cycle->probing || (!is_leader(cycle) && cycle->share != SHARE_PROCESSES))
        return;
    read_memory(cycle, cycle, memory);
    if (is_leader(cycle))
        add_regions_of_threads(cycle, memory);
}

static void add_memory(struct maps_memory *sum, const struct maps_memory *one)
{
    sum->region_commit_bytes += one->region_commit_bytes;
    sum->region_count += one->region_count;
    join_count(&sum->process_commit_bytes, one->process_commit_bytes);
    join_count(&sum->process_resident_bytes, one->process_resident_bytes);
    join_count(&sum->process_table_bytes, one->process_table_bytes);
}

void cycle_add_others(struct cycle *cycle)
{
    if (cycle->share != SHARE_PROCESSES)
        return;
    for (unsigned i = 1; i < crew_size(cycle); i++) {
        struct cycle *other = member(cycle, i);
        add_memory(&cycle->before, &other->before);
        add_memory(&cycle->reserved, &other->reserved);
        add_memory(&cycle->peak, &other->peak);
        add_memory(&cycle->purged, &other->purged);
        add_memory(&cycle->retouched, &other->retouched);
        add_memory(&cycle->released, &other->released);
    }
}

/* What is shared is one region, the leader's. */
static bool has_region(const struct cycle *cycle)
{
    return is_leader(cycle) || cycle->share == SHARE_OWN || cycle->share == SHARE_PROCESSES;
}

static void see_all(struct cycle *cycle)
{
    cycle->region.size = cycle->held;
}

static size_t part_size(const struct cycle *cycle)
{
    return cycle->share == SHARE_STRIPES ? cycle->held / crew_size(cycle) : cycle->held;
}

static void see_part(struct cycle *cycle)
{
    cycle->region.size = part_size(cycle);
}

/* Of the leader's region, which is there by now. Always true. */
static bool take_part(struct cycle *cycle)
{
    if (!has_region(cycle))
        cycle->region.base = cycle->leader->region.base;
    if (cycle->share == SHARE_STRIPES && !is_leader(cycle))
        cycle->region.base += cycle->index * part_size(cycle);
    return true;
}

static int release_region(struct cycle *cycle)
{
    int (*release)(struct region *) = cycle->strategy->release;
    return release != NULL ? release(&cycle->region) : region_release(&cycle->region);
}

static bool reserve(struct cycle *cycle)
{
    if (!has_region(cycle))
        return sit_out(cycle, PHASE_RESERVE);
    see_all(cycle);
    if (!window_open(cycle, PHASE_RESERVE))
        return false;
    int error = cycle->strategy->reserve(&cycle->region);
    bool done = window_close(cycle, error);
    see_part(cycle);
    cycle_probe(cycle, &cycle->reserved);
    return done;
}

/* Each stripe by its thread, but where the region is not there yet. */
static bool commit(struct cycle *cycle)
{
    bool reserves = cycle->strategy->reserve == NULL;
    if (!has_region(cycle) && (reserves || cycle->share != SHARE_STRIPES))
        return sit_out(cycle, PHASE_COMMIT);
    if (reserves)
        see_all(cycle);
    if (!window_open(cycle, PHASE_COMMIT))
        return false;
    int error = cycle->strategy->commit(&cycle->region);
    bool done = window_close(cycle, error);
    see_part(cycle);
    if (reserves)
        cycle_probe(cycle, &cycle->reserved);
    return done;
}

static bool touch_slice(struct cycle *cycle, const struct workload *slice)
{
    if (!window_open(cycle, PHASE_TOUCH))
        return false;
    return window_close(cycle, cycle->strategy->touch(&cycle->region, slice));
}

/* In a crew all go on together after one touch each: what stripes have in front of them by then
 * decides how far their mappings merge. */
static bool touch(struct cycle *cycle)
{
    struct workload first = *cycle->workload, rest = first;
    if (cycle->crew == NULL || first.first > 0 || first.last <= 1)
        return touch_slice(cycle, cycle->workload);
    first.last = rest.first = 1;
    return touch_slice(cycle, &first) && touch_slice(cycle, &rest);
}

static size_t touched_bytes(const struct cycle *cycle)
{
    return cycle->touches * cycle->region.page;
}

static bool purge(struct cycle *cycle)
{
    if (cycle->first_step == 0)
        cycle_probe(cycle, &cycle->peak);
    if (!window_open(cycle, PHASE_PURGE))
        return false;
    int error =
        region_purge(&cycle->region, cycle->first_step, cycle->last_step, touched_bytes(cycle));
    bool done = window_close(cycle, error);
    if (cycle->last_step == cycle->steps)
        cycle_probe(cycle, &cycle->purged);
    return done;
}

static bool close_retouch(struct cycle *cycle, int error, uint64_t faults_before)
{
    bool done = window_close(cycle, error);
    if (cycle->counting)
        cycle_add_difference(&cycle->retouch_minor_faults,
                             (struct meter_count){faults_before, true},
                             cycle->work.usage.faults.minor);
    return done;
}

static bool restore(struct cycle *cycle)
{
    uint64_t faults_before = cycle->work.usage.faults.minor.value;
    if (!window_open(cycle, PHASE_RETOUCH))
        return false;
    int error =
        region_restore(&cycle->region, cycle->first_step, cycle->last_step, touched_bytes(cycle));
    return close_retouch(cycle, error, faults_before);
}

static bool retouch(struct cycle *cycle)
{
    uint64_t faults_before = cycle->work.usage.faults.minor.value;
    if (!window_open(cycle, PHASE_RETOUCH))
        return false;
    int error = cycle->strategy->touch(&cycle->region, &cycle->again);
    bool done = close_retouch(cycle, error, faults_before);
    if (cycle->again.last == cycle->touches)
        cycle_probe(cycle, &cycle->retouched);
    return done;
}

struct maps_memory *cycle_reached(struct cycle *cycle)
{
    switch (cycle->phase) {
    case PHASE_PURGE: return &cycle->purged;
    case PHASE_RETOUCH: return &cycle->retouched;
    default: return &cycle->peak;
    }
}

static void probe_peak(struct cycle *cycle)
{
    if (cycle->steps == 0)
        cycle_probe(cycle, &cycle->peak);
}

static bool release_part(struct cycle *cycle)
{
    size_t page = cycle->region.page;
    if (cycle->again.first == 0)
        probe_peak(cycle);
    if (!window_open(cycle, PHASE_RELEASE))
        return false;
    return window_close(
        cycle, region_empty(&cycle->region, cycle->again.first * page, cycle->again.last * page));
}

static bool release(struct cycle *cycle)
{
    if (!has_region(cycle))
        return sit_out(cycle, PHASE_RELEASE);
    see_all(cycle);
    if (!window_open(cycle, PHASE_RELEASE))
        return false;
    int error = release_region(cycle);
    bool done = window_close(cycle, error);
    see_part(cycle);
    cycle_probe(cycle, &cycle->released);
    return done;
}

static void restart(struct cycle *cycle)
{
    region_restart(&cycle->region);
    if (!is_leader(cycle))
        return;
    atomic_store(&cycle->shared.committed, 0);
    atomic_store(&cycle->shared.guard, 0);
    atomic_store(&cycle->shared.mover, 0);
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
    restart(cycle);
    choose_all(cycle);
    if (cycle->probing)
        meet(cycle); /* so that the leader reads where no other restarts */
    cycle_probe(cycle, &cycle->before);
    if (strategy->reserve != NULL && !(reserve(cycle) && take_part(cycle)))
        return false;
    return strategy->commit == NULL || (commit(cycle) && take_part(cycle));
}

static bool end(struct cycle *cycle)
{
    if (cycle->phase != PHASE_RELEASE)
        probe_peak(cycle);
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

static void run_release_part(void *context)
{
    release_part(context);
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

/* A page that faults again right after it was mended would do so for ever: that is no fault that
 * committing can mend. Counted beforehand, since under TRAP_THREAD the access may be over, and its
 * cycle too, before `fault` returns. */
static enum trap_answer answer_fault(void *context, const void *address)
{
    struct cycle *cycle = context;
    struct region *region = &cycle->region;
    size_t offset, mended_before = region->last_fault;
    if (cycle->strategy->fault == NULL || !region_find(region, address, &offset) ||
        region_page_start(region, offset) == mended_before)
        return TRAP_FOREIGN;
    region->last_fault = region_page_start(region, offset);
    region->handled_faults++;
    int error = cycle->strategy->fault(region, offset);
    if (error == 0 || error == REGION_MENDED)
        return TRAP_RETRY;
    if (error == REGION_AGAIN) {
        region->last_fault = mended_before;
        return TRAP_RETRY;
    }
    region->handled_faults--;
    if (error == REGION_FOREIGN)
        return TRAP_FOREIGN;
    region_keep_failure(region, "commit", region->last_fault, region->page, error);
    return TRAP_ABANDON;
}

/* Of who sits out a run: nothing, and that is known. */
static const struct meter_usage no_usage = {.faults = {{0, true}, {0, true}},
                                            .cpu_ns = {0, true},
                                            .voluntary_switches = {0, true},
                                            .involuntary_switches = {0, true},
                                            .locks = {0, true}};

/* What a thread of a crew has of the leader's, for a run. */
static void prepare_member(struct cycle *leader, unsigned index)
{
    struct cycle *cycle = member(leader, index);
    cycle->leader = leader;
    cycle->body = leader->body;
    cycle->workload = leader->workload;
    cycle->count = leader->count;
    cycle->counting = leader->counting;
    cycle->counting_locks = leader->counting_locks;
    cycle->probing = leader->probing;
    cycle->first_step = leader->first_step;
    cycle->last_step = leader->last_step;
    cycle->again = leader->again;
    cycle->work = (struct work){.usage = no_usage};
    if (leader->crew != NULL && leader->share == SHARE_PAGES)
        cycle->region.shared = &leader->shared;
    if (index == 0)
        return;
    cycle->failed = NULL;
    cycle->error = 0;
    cycle->region.failed_call = NULL;
    cycle->region.error = 0;
}

/* A copy of the process has no page tables of code that it has not run yet: it runs a cycle that
 * is discarded, of a few touches. */
static void warm_up(const struct cycle *cycle)
{
    enum { TOUCHES = 4 };
    bool completed;
    size_t pages = cycle->region.size / cycle->region.page;
    const struct workload few = {.last = pages < TOUCHES ? pages : TOUCHES};
    struct cycle alone = *cycle;
    alone.crew = NULL;
    alone.index = 0;
    alone.workload = &few;
    alone.touches = few.last;
    alone.steps = alone.steps > 0 ? region_purge_steps(&alone.region, touched_bytes(&alone)) : 0;
    alone.count = 1;
    alone.probing = false;
    trap_run(alone.trap, run_all, answer_fault, &alone, &completed);
    cycle_release(&alone);
}

static void run_member(void *context, unsigned index)
{
    struct cycle *cycle = member(context, index);
    bool completed;
    if (index > 0 && cycle->share == SHARE_PROCESSES)
        warm_up(cycle);
    cycle->locks = cycle->counting_locks ? meter_open_locks() : -1;
    meet(cycle); /* so that a first reading of memory has the stacks of all */
    cycle_keep_error(cycle, "catching faults",
                     trap_run(cycle->trap, cycle->body, answer_fault, cycle, &completed));
    if (cycle->open)
        window_close(cycle, 0);
    if (cycle->crew != NULL && cycle->error != 0)
        crew_give_up(cycle->crew);
    /* A copy that came no farther takes what it had reached with it when it ends. */
    if (index > 0 && cycle->share == SHARE_PROCESSES && cycle->probing &&
        cycle->phase < PHASE_RELEASE)
        cycle_probe(cycle, cycle_reached(cycle));
    meter_close_locks(cycle->locks);
}

static void gather_failure(struct cycle *leader, const struct cycle *other)
{
    cycle_keep_error(leader, other->failed, other->error);
    if (other->region.error != 0)
        region_keep_failure(&leader->region, other->region.failed_call, other->region.failed_offset,
                            other->region.failed_size, other->region.error);
}

/* Regions go on counting from run to run. */
static void gather_calls(struct sample *sample, const struct cycle *cycle)
{
    sample->commit_calls += cycle->region.commit_calls;
    sample->handled_faults += cycle->region.handled_faults;
    sample->purge_calls += cycle->region.purge_calls;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        sample->phase_ns[phase] += cycle->work.phase_ns[phase] / crew_size(cycle);
}

static void add_count(struct meter_count *sum, struct meter_count count)
{
    *sum = (struct meter_count){sum->value + count.value, count.known};
}

static void gather_usage(struct sample *sample, const struct meter_usage *usage)
{
    add_count(&sample->minor_faults, usage->faults.minor);
    add_count(&sample->major_faults, usage->faults.major);
    add_count(&sample->cpu_ns, usage->cpu_ns);
    add_count(&sample->voluntary_switches, usage->voluntary_switches);
    add_count(&sample->involuntary_switches, usage->involuntary_switches);
    add_count(&sample->lock_count, usage->locks);
}

/* Puts into the sample what all have done. */
static void gather(struct cycle *leader)
{
    struct sample *sample = leader->sample;
    struct meter_usage all = leader->work.usage;
    sample->commit_calls = sample->handled_faults = sample->purge_calls = 0;
    sample->wall_ns += leader->work.wall_ns;
    gather_calls(sample, leader);
    for (unsigned i = 1; i < crew_size(leader); i++) {
        struct cycle *other = member(leader, i);
        gather_calls(sample, other);
        gather_failure(leader, other);
        join_usage(&all, &other->work.usage);
        if (leader->phase >= PHASE_RETOUCH)
            join_count(&leader->retouch_minor_faults, other->retouch_minor_faults);
        other->retouch_minor_faults.value = 0;
    }
    gather_usage(sample, &all);
}

int cycle_trap(struct cycle *cycle, void (*body)(void *))
{
    cycle->body = body;
    for (unsigned i = 0; i < crew_size(cycle); i++)
        prepare_member(cycle, i);
    struct meter_usage start = read_usage(cycle);
    if (cycle->crew == NULL)
        run_member(cycle, 0);
    else
        cycle_keep_error(cycle, "running threads", crew_run(cycle->crew, run_member, cycle));
    if (!cycle->counting)
        add_usage_since(cycle, &start);
    gather(cycle);
    return cycle->error != 0 ? cycle->error : cycle->region.error;
}

void cycle_forget(struct cycle *cycle)
{
    cycle->sample->batch = 0;
    memset(cycle->sample->phase_ns, 0, sizeof cycle->sample->phase_ns);
    cycle->sample->wall_ns = 0;
    cycle->sample->minor_faults = cycle->sample->major_faults = (struct meter_count){0};
    cycle->sample->cpu_ns = cycle->sample->lock_count = (struct meter_count){0};
    cycle->sample->voluntary_switches = (struct meter_count){0};
    cycle->sample->involuntary_switches = (struct meter_count){0};
    for (unsigned i = 0; i < crew_size(cycle); i++) {
        struct region *region = &member(cycle, i)->region;
        region->commit_calls = region->handled_faults = region->purge_calls = 0;
    }
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

int cycle_release_part(struct cycle *cycle)
{
    return cycle_trap(cycle, run_release_part);
}

int cycle_end(struct cycle *cycle)
{
    return cycle_trap(cycle, run_end);
}

int cycle_run(struct cycle *cycle, uint64_t count)
{
    cycle->count = count;
    cycle->counting = cycle->probing || cycle->counting_locks || cycle->crew != NULL;
    cycle->sample->batch += count;
    return cycle_trap(cycle, run_all);
}

int cycle_repeat(struct cycle *cycle, uint64_t count, bool probing)
{
    cycle_forget(cycle);
    cycle->probing = probing;
    return cycle_run(cycle, count);
}

struct meter_count cycle_count_locks(struct cycle *cycle)
{
    struct sample *sample = cycle->sample, counted = {.status = SAMPLE_OK};
    int counter = meter_open_locks();
    if (counter < 0)
        return (struct meter_count){0, false};
    meter_close_locks(counter);
    cycle->sample = &counted;
    cycle->counting_locks = true;
    int error = cycle_repeat(cycle, 1, false);
    cycle->counting_locks = false;
    cycle->sample = sample;
    return error == 0 ? counted.lock_count : (struct meter_count){0, false};
}

static void run_most(void *context)
{
    struct cycle *cycle = context;
    struct region *region = &cycle->region;
    restart(cycle);
    region_keep_failure(region, "find the most", 0, region->size,
                        cycle->strategy->most(region, &cycle->most));
}

void cycle_find_most(struct cycle *cycle, struct meter_count *commit_bytes,
                     struct meter_count *resident_bytes)
{
    struct sample *sample = cycle->sample, passing = {.status = SAMPLE_OK};
    *commit_bytes = *resident_bytes = (struct meter_count){0, false};
    if (cycle->strategy->most == NULL)
        return;
    cycle->sample = &passing;
    int error = cycle_trap(cycle, run_most);
    cycle_release(cycle);
    cycle->sample = sample;
    if (error != 0)
        return;
    *commit_bytes = (struct meter_count){cycle->most.region_commit_bytes, true};
    *resident_bytes = cycle->most.process_resident_bytes;
}

/* The leader's cycle is the caller's; the others begin as copies of it. */
static void make_crew(struct cycle *leader, unsigned threads)
{
    if (threads == 1)
        return;
    leader->crew = crew_make(threads, leader->share == SHARE_PROCESSES, sizeof *leader);
    if (leader->crew == NULL)
        cycle_keep_error(leader, "making room for threads", vm_out_of_memory());
    for (unsigned i = 1; i < crew_size(leader); i++) {
        struct cycle *cycle = member(leader, i);
        *cycle = *leader;
        cycle->index = i;
        cycle->sample = NULL;
    }
}

/* Where what is touched is the beginning of the region, and one thread's. */
static bool releases_in_parts(const struct strategy *strategy,
                              const struct configuration *configuration)
{
    return strategy->release == NULL && configuration->threads == 1 &&
           configuration->pages == VM_PAGES_SMALL && configuration->order != ORDER_DOWNWARDS;
}

struct cycle cycle_start(const struct strategy *strategy, const struct configuration *configuration,
                         const struct workload *workload, struct sample *sample)
{
    struct configuration part = configuration_part(configuration);
    struct cycle cycle = {.strategy = strategy,
                          .workload = workload,
                          .touches = part.touched / vm_page_bytes(),
                          .sample = sample,
                          .region = region_make(&part),
                          .held = configuration->size,
                          .share = configuration->share,
                          .trap = configuration->trap,
                          .locks = -1,
                          .reading_ns = cycle_empty_window_ns()};
    cycle_keep_error(&cycle, "choosing the size of pages", vm_use_pages(configuration->pages));
    if (strategy->purges && configuration->purge != PURGE_NONE)
        cycle.steps = region_purge_steps(&cycle.region, part.touched);
    if (releases_in_parts(strategy, configuration))
        cycle.releases = cycle.touches;
    if (strategy->prepare != NULL)
        cycle_keep_error(&cycle, "getting ready", strategy->prepare(configuration));
    vm_place(configuration_regions(configuration) * configuration->size,
             configuration->purge == PURGE_NONE ? 1 : 2);
    make_crew(&cycle, configuration->threads);
    return cycle;
}

int cycle_release(struct cycle *cycle)
{
    see_all(cycle);
    int error = release_region(cycle);
    see_part(cycle);
    for (unsigned i = 1; i < crew_size(cycle) && cycle->share == SHARE_OWN; i++) {
        int left = release_region(member(cycle, i));
        error = error != 0 ? error : left;
    }
    return error;
}

void cycle_stop(struct cycle *cycle)
{
    cycle_release(cycle);
    crew_free(cycle->crew);
    cycle->crew = NULL;
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
