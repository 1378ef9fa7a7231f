/* What is booked where, by a clock and counters that the test moves: each phase takes a time and
 * some faults that no other does, and memory changes by amounts that tell the moments apart. */
#include <stdlib.h>

#include "check.h"
#include "cycle.h"
#include "fake.h"
#include "staircase.h"
#include "trace.h"

enum { MIB = 1 << 20 };

static size_t page;
static int calls; /* of the touch hook */

static void pass(uint64_t ns, uint64_t minor, uint64_t major)
{
    fake.now_ns += ns;
    fake.minor += minor;
    fake.major += major;
}

static void hold(uint64_t commit, uint64_t system, uint64_t process, uint64_t resident)
{
    fake.memory = (struct maps_memory){.region_commit_bytes = commit,
                                       .region_count = commit / 10,
                                       .system_commit_bytes = {system, true},
                                       .process_commit_bytes = {process, true},
                                       .process_resident_bytes = {resident, true}};
}

static int reserve(struct region *region)
{
    static unsigned char memory[64 * 4096];
    region->base = memory;
    pass(1000000, 1, 10);
    hold(10, 90000, 1010, 100);
    return 0;
}

static int commit(struct region *region)
{
    region->commit_calls++;
    pass(200000000, 2, 20);
    hold(20, 80000, 1020, 200);
    return 0;
}

static int touch(struct region *region, const struct workload *workload)
{
    (void)workload;
    region->commit_calls += 5;
    region->handled_faults += 3;
    calls++;
    pass(3000000000, 4, 40);
    hold(70, 60000, 1040, 400);
    return 0;
}

static int release(struct region *region)
{
    region->base = NULL;
    pass(40000000000, 8, 80);
    hold(5, 99000, 1001, 50);
    return 0;
}

static const struct strategy in_phases = {
    .name = "phases", .reserve = reserve, .commit = commit, .touch = touch, .release = release};

static struct configuration small(void)
{
    return configuration_make(16 * page, page);
}

static void start_afresh(void)
{
    fake = (struct fake){.now_ns = 5, .tick_ns = 1, .available = UINT64_MAX};
    hold(0, 100000, 1000, 30);
    calls = 0;
}

/* The window of each phase is its own; what passes between them is in none. */
static void each_phase_has_its_own_time(void)
{
    struct configuration configuration = small();
    struct sample sample;
    start_afresh();
    CHECK(sample_take(&in_phases, &configuration, 1, &sample));
    CHECK_EQUAL(sample.status, SAMPLE_OK);
    CHECK_EQUAL(sample.batch, 1);
    CHECK_EQUAL(sample.phase_ns[PHASE_RESERVE], 1000000);
    CHECK_EQUAL(sample.phase_ns[PHASE_COMMIT], 200000000);
    CHECK_EQUAL(sample.phase_ns[PHASE_TOUCH], 3000000000);
    CHECK_EQUAL(sample.phase_ns[PHASE_RELEASE], 40000000000);
    CHECK_EQUAL(sample.minor_faults.value, 1 + 2 + 4 + 8);
    CHECK_EQUAL(sample.major_faults.value, 10 + 20 + 40 + 80);
    CHECK_EQUAL(sample.commit_calls, 6);
    CHECK_EQUAL(sample.handled_faults, 3);
}

/* Against before the reserve, at the peak: after the touching, before the release. */
static void memory_is_of_its_moment(void)
{
    struct configuration configuration = small();
    struct sample sample;
    start_afresh();
    CHECK(sample_take(&in_phases, &configuration, 1, &sample));
    CHECK_EQUAL(sample.reserved_commit_bytes.value, 10);
    CHECK_EQUAL(sample.commit_bytes.value, 70);
    CHECK_EQUAL(sample.region_count.value, 7);
    CHECK_EQUAL(sample.commit_process_bytes.value, 40);
    CHECK_EQUAL(sample.resident_bytes.value, 370);
    CHECK_EQUAL(sample.released_commit_bytes.value, 5);
    CHECK_EQUAL((int64_t)sample.commit_system_bytes.value, -40000);
    CHECK(sample.commit_system_bytes.known && sample.resident_bytes.known);
    CHECK_EQUAL(fake.map_readings, 4);
}

/* Where nothing is reserved beforehand, the moment after the commit is that of the reserve. */
static void a_commit_that_reserves_is_read_after_it(void)
{
    static int (*const committing)(struct region *) = reserve;
    const struct strategy strategy = {
        .name = "upfront", .commit = committing, .touch = touch, .release = release};
    struct configuration configuration = small();
    struct sample sample;
    start_afresh();
    CHECK(sample_take(&strategy, &configuration, 1, &sample));
    CHECK_EQUAL(sample.phase_ns[PHASE_RESERVE], 0);
    CHECK_EQUAL(sample.phase_ns[PHASE_COMMIT], 1000000);
    CHECK_EQUAL(sample.reserved_commit_bytes.value, 10);
}

static int touch_briefly(struct region *region, const struct workload *workload)
{
    (void)workload;
    region->commit_calls += 2;
    calls++;
    pass(1000, 3, 1);
    return 0;
}

static int reserve_briefly(struct region *region)
{
    static unsigned char memory[64 * 4096];
    region->base = memory;
    return 0;
}

static int release_briefly(struct region *region)
{
    region->base = NULL;
    return 0;
}

/* 4 ms, or a thousand ticks: so many cycles of 1 us, all of which count. */
static void short_cycles_are_timed_in_batches(uint64_t tick_ns, uint64_t shortest_ns)
{
    const struct strategy strategy = {.name = "brief",
                                      .reserve = reserve_briefly,
                                      .touch = touch_briefly,
                                      .release = release_briefly};
    struct configuration configuration = small();
    struct sample sample;
    start_afresh();
    fake.tick_ns = tick_ns;
    CHECK(sample_take(&strategy, &configuration, 1, &sample));
    CHECK(sample.batch * 1000 >= shortest_ns);
    CHECK(sample.batch * 1000 < 2 * shortest_ns);
    CHECK_EQUAL(sample.batch, calls - 1); /* and the one that was probed */
    CHECK_EQUAL(sample.phase_ns[PHASE_TOUCH], sample.batch * 1000);
    CHECK_EQUAL(sample.commit_calls, sample.batch * 2);
    CHECK_EQUAL(sample.minor_faults.value, sample.batch * 3);
    CHECK_EQUAL(sample.major_faults.value, sample.batch);
}

/* 64 MiB stay free beside what is touched and its page tables. */
static void memory_is_kept_free(void)
{
    struct configuration configuration = configuration_make(2 * MIB, page);
    struct sample sample;
    configuration.touched = MIB;
    start_afresh();
    fake.available = MIB + MIB / 512 + 64 * MIB;
    CHECK(sample_take(&in_phases, &configuration, 1, &sample));
    CHECK_EQUAL(sample.status, SAMPLE_OK);
    start_afresh();
    fake.available = MIB + MIB / 512 + 64 * MIB - 1;
    CHECK(sample_take(&in_phases, &configuration, 1, &sample));
    CHECK_EQUAL(sample.status, SAMPLE_SKIPPED);
    CHECK_TEXT(sample.error, "needs 68159488 bytes of memory, and 68159487 are available");
    CHECK_EQUAL(calls, 0);
}

static int refusal;

static int touch_in_vain(struct region *region, const struct workload *workload)
{
    (void)workload;
    pass(7, 1, 1);
    hold(60, 70000, 1030, 330);
    region_keep_failure(region, "commit", 4096, 8192, refusal);
    return region_keep_failure(region, "set guard", 1, 2, refusal + 1);
}

/* The first failure is the one that is reported. */
static void a_refusal_keeps_what_was_reached(void)
{
    const struct strategy strategy = {
        .name = "vain", .reserve = reserve, .touch = touch_in_vain, .release = release};
    struct configuration configuration = small();
    struct sample sample;
    start_afresh();
    CHECK(sample_take(&strategy, &configuration, 1, &sample));
    CHECK_EQUAL(sample.status, SAMPLE_REFUSED);
    CHECK(strncmp(sample.error, "commit of 8192 bytes at offset 4096: ", 37) == 0);
    CHECK_EQUAL(sample.commit_bytes.value, 60);
    CHECK_EQUAL((int64_t)sample.commit_system_bytes.value, -30000);
    CHECK_EQUAL(sample.resident_bytes.value, 300);
    CHECK_EQUAL(sample.released_commit_bytes.value, 5);
    CHECK_EQUAL(sample.minor_faults.value, 2);
    CHECK_EQUAL(sample.major_faults.value, 11);
}

/* The probed cycle goes well, the fifth of the batch is refused: the row is the probed cycle's. */
static int touch_until_refused(struct region *region, const struct workload *workload)
{
    region->commit_calls++;
    if (++calls == 6)
        return region_keep_failure(region, "commit", 0, 4096, refusal);
    calls--;
    (void)touch_briefly(region, workload);
    hold(70, 100000, 1070, 100);
    return 0;
}

static void a_refusal_in_a_batch_keeps_the_counted_cycle(void)
{
    const struct strategy strategy = {.name = "late",
                                      .reserve = reserve_briefly,
                                      .touch = touch_until_refused,
                                      .release = release_briefly};
    struct configuration configuration = small();
    struct sample sample;
    start_afresh();
    CHECK(sample_take(&strategy, &configuration, 1, &sample));
    CHECK_EQUAL(sample.status, SAMPLE_REFUSED);
    CHECK_EQUAL(sample.batch, 1);
    CHECK_EQUAL(sample.commit_calls, 3);
    CHECK_EQUAL(sample.minor_faults.value, 3);
    CHECK_EQUAL(sample.commit_bytes.value, 70);
    CHECK_EQUAL(sample.resident_bytes.value, 70);
}

/* Neither a hook that gives no reason nor a reading that fails passes for a sample. */
static int fail_without_a_word(struct region *region)
{
    (void)region;
    return 1;
}

static void nothing_fails_silently(void)
{
    const struct strategy strategy = {
        .name = "mute", .reserve = fail_without_a_word, .touch = touch, .release = release};
    struct configuration configuration = small();
    struct sample sample;
    start_afresh();
    CHECK(!sample_take(&strategy, &configuration, 1, &sample));
    CHECK(strncmp(sample.error, "reserve of ", 11) == 0);
    for (int reading = 1; reading <= 4; reading++) {
        start_afresh();
        fake.failing_map_reading = reading;
        fake.error = refusal; /* no refusal of memory to the strategy, whatever the code */
        CHECK(!sample_take(&in_phases, &configuration, 1, &sample));
        CHECK(strncmp(sample.error, "reading the memory map: ", 24) == 0);
    }
}

/* Page i takes 10 (i + 1) ns; every second page commits. */
static int before_write(struct region *region, size_t offset)
{
    fake.now_ns += 10 * (offset / region->page + 1);
    region->commit_calls += offset / region->page % 2;
    return 0;
}

static int touch_traced(struct region *region, const struct workload *workload)
{
    fake.now_ns += 77;
    int error = workload_touch(region, workload, before_write);
    fake.now_ns += 3;
    return error;
}

static int reserve_pages(struct region *region)
{
    region->base = malloc(region->size);
    return 0;
}

static int release_pages(struct region *region)
{
    free(region->base);
    region->base = NULL;
    return 0;
}

/* 2001 touches: the parts end within the 1001st, 1801st, 1981st and 1999th. */
static void a_trace_is_spread_as_its_touches(void)
{
    enum { TOUCHES = 2001 };
    const struct strategy strategy = {
        .name = "t", .reserve = reserve_pages, .touch = touch_traced, .release = release_pages};
    struct configuration configuration = configuration_make(TOUCHES * page, page);
    struct trace trace;
    start_afresh();
    configuration.order = ORDER_REVERSE;
    CHECK(trace_take(&strategy, &configuration, 1, &trace));
    CHECK(trace.taken);
    for (size_t i = 0; i < TOUCHES; i++) {
        CHECK_EQUAL(trace.workload.trace[i].ns, 10 * (TOUCHES - i));
        CHECK_EQUAL(trace.workload.trace[i].commit_calls, (TOUCHES - 1 - i) % 2);
    }
    CHECK_EQUAL(trace.p50_ns, 10010);
    CHECK_EQUAL(trace.p90_ns, 18010);
    CHECK_EQUAL(trace.p99_ns, 19810);
    CHECK_EQUAL(trace.p999_ns, 19990);
    CHECK_EQUAL(trace.max_ns, 20010);
    CHECK_EQUAL(trace.touch_ns, 77 + 10 * TOUCHES * (TOUCHES + 1) / 2 + 3);
    trace_free(&trace);
}

/* Each page that is touched adds to all figures; the process had 30 bytes resident before. */
static int touch_part(struct region *region, const struct workload *workload)
{
    region->commit_calls += workload->last - workload->first;
    region->handled_faults++;
    hold(10 * workload->last, 0, 0, 30 + 7 * workload->last);
    return 0;
}

static void a_staircase_reads_at_even_distances(void)
{
    const struct strategy strategy = {
        .name = "s", .reserve = reserve_briefly, .touch = touch_part, .release = release_briefly};
    struct configuration configuration = configuration_make(160 * page, page);
    struct staircase staircase;
    start_afresh();
    CHECK(staircase_take(&strategy, &configuration, 1, &staircase));
    CHECK_EQUAL(staircase.reached, STAIRCASE_CHECKPOINTS);
    for (size_t i = 0; i < STAIRCASE_CHECKPOINTS; i++) {
        const struct checkpoint *checkpoint = &staircase.checkpoints[i];
        size_t pages = 160 * (i + 1) / STAIRCASE_CHECKPOINTS;
        CHECK_EQUAL(checkpoint->touched, pages * page);
        CHECK_EQUAL(checkpoint->commit_bytes, 10 * pages);
        CHECK_EQUAL(checkpoint->region_count, pages);
        CHECK_EQUAL(checkpoint->resident_bytes.value, 7 * pages);
        CHECK_EQUAL(checkpoint->commit_calls, pages);
        CHECK_EQUAL(checkpoint->handled_faults, i + 1);
    }
    CHECK_EQUAL(fake.map_readings, STAIRCASE_CHECKPOINTS + 1);
    start_afresh();
    fake.failing_map_reading = 4;
    fake.error = refusal;
    CHECK(!staircase_take(&strategy, &configuration, 1, &staircase));
    CHECK(strncmp(staircase.error, "reading the memory map: ", 24) == 0);
}

/* A refusal in the cycle of a trace or a staircase leaves that out; anything else is an error. */
static void details_are_refused_or_break(void)
{
    const struct strategy strategy = {
        .name = "vain", .reserve = reserve, .touch = touch_in_vain, .release = release};
    const struct strategy mute = {
        .name = "mute", .reserve = fail_without_a_word, .touch = touch, .release = release};
    struct configuration configuration = small();
    struct staircase staircase;
    struct trace trace;
    start_afresh();
    CHECK(trace_take(&strategy, &configuration, 1, &trace));
    CHECK(!trace.taken);
    trace_free(&trace);
    CHECK(staircase_take(&strategy, &configuration, 1, &staircase));
    CHECK_EQUAL(staircase.reached, 0);
    CHECK(!trace_take(&mute, &configuration, 1, &trace));
    CHECK(strncmp(trace.error, "reserve of ", 11) == 0);
    trace_free(&trace);
    CHECK(!staircase_take(&mute, &configuration, 1, &staircase));
    CHECK(strncmp(staircase.error, "reserve of ", 11) == 0);
}

static void the_first_error_is_kept(void)
{
    struct cycle cycle = {.sample = NULL};
    char message[256];
    cycle_keep_error(&cycle, "nothing", 0);
    CHECK(cycle.failed == NULL);
    cycle_keep_error(&cycle, "the first", refusal);
    cycle_keep_error(&cycle, "the second", refusal + 1);
    CHECK_EQUAL(cycle.error, refusal);
    cycle_describe_failure(&cycle, refusal, message, sizeof message);
    CHECK(strncmp(message, "the first: ", 11) == 0);
    CHECK(!cycle_is_refusal(&cycle, refusal)); /* not the strategy's */
}

int main(void)
{
    void *base;
    page = vm_page_bytes();
    refusal = vm_reserve_committed(SIZE_MAX / page * page, VM_PAGES_SMALL, &base);
    CHECK(vm_is_refusal(refusal));
    each_phase_has_its_own_time();
    memory_is_of_its_moment();
    a_commit_that_reserves_is_read_after_it();
    short_cycles_are_timed_in_batches(1, 4000000);
    short_cycles_are_timed_in_batches(10000, 10000000);
    memory_is_kept_free();
    a_refusal_keeps_what_was_reached();
    a_refusal_in_a_batch_keeps_the_counted_cycle();
    nothing_fails_silently();
    a_trace_is_spread_as_its_touches();
    a_staircase_reads_at_even_distances();
    details_are_refused_or_break();
    the_first_error_is_kept();
    return check_result();
}
