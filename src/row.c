/* The columns, once, in the order of the contract. */
#include "row.h"

#include "columns.h"

static const char *const status_names[] = {
    [SAMPLE_OK] = "ok",
    [SAMPLE_REFUSED] = "refused",
    [SAMPLE_UNSUPPORTED] = "unsupported",
    [SAMPLE_SKIPPED] = "skipped",
};

static const struct sample *sample_of(const void *row)
{
    return ((const struct row *)row)->sample;
}

static const struct configuration *configuration_of(const void *row)
{
    return ((const struct row *)row)->configuration;
}

static const struct strategy *strategy_of(const void *row)
{
    return ((const struct row *)row)->strategy;
}

static void add_strategy(struct text *text, const void *row, size_t at)
{
    (void)at;
    columns_add_text(text, strategy_of(row)->name);
}

static void add_platform(struct text *text, const void *row, size_t at)
{
    (void)row;
    (void)at;
    columns_add_text(text, meter_platform());
}

static void add_page_bytes(struct text *text, const void *row, size_t at)
{
    (void)row;
    (void)at;
    columns_add_number(text, vm_page_bytes());
}

static void add_clock_tick(struct text *text, const void *row, size_t at)
{
    (void)row;
    (void)at;
    columns_add_number(text, meter_clock_tick_ns());
}

/* A size_t of the configuration. */
static void add_size(struct text *text, const void *row, size_t at)
{
    columns_add_size_at(text, configuration_of(row), at);
}

static void add_batch(struct text *text, const void *row, size_t at)
{
    (void)at;
    if (sample_of(row)->batch > 0)
        columns_add_number(text, sample_of(row)->batch);
}

static void add_status(struct text *text, const void *row, size_t at)
{
    (void)at;
    columns_add_text(text, status_names[sample_of(row)->status]);
}

static void add_error(struct text *text, const void *row, size_t at)
{
    (void)at;
    columns_add_text(text, sample_of(row)->error);
}

static void add_ns_per_cycle(struct text *text, const struct sample *sample, uint64_t ns)
{
    if (sample->status == SAMPLE_OK && sample->batch > 0)
        text_add(text, "%.1f", (double)ns / (double)sample->batch);
}

/* `at` is the phase. */
static void add_phase(struct text *text, const void *row, size_t at)
{
    add_ns_per_cycle(text, sample_of(row), sample_of(row)->phase_ns[at]);
}

static void add_total(struct text *text, const void *row, size_t at)
{
    uint64_t total = 0;
    (void)at;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        total += sample_of(row)->phase_ns[phase];
    add_ns_per_cycle(text, sample_of(row), total);
}

/* A count that is not the same in every cycle shows as a fraction, so that it can't pass for an
 * exact one. */
static void add_per_cycle(struct text *text, uint64_t count, uint64_t batch)
{
    if (batch == 0)
        return;
    if (count % batch == 0)
        columns_add_number(text, count / batch);
    else
        text_add(text, "%.6f", (double)count / (double)batch);
}

/* A uint64_t of the sample, of the whole batch. */
static void add_count(struct text *text, const void *row, size_t at)
{
    const struct sample *sample = sample_of(row);
    add_per_cycle(text, *(const uint64_t *)(const void *)((const char *)sample + at),
                  sample->batch);
}

/* A struct meter_count of the sample, of the whole batch. */
static void add_faults(struct text *text, const void *row, size_t at)
{
    const struct sample *sample = sample_of(row);
    const struct meter_count *faults =
        (const struct meter_count *)(const void *)((const char *)sample + at);
    if (faults->known)
        add_per_cycle(text, faults->value, sample->batch);
}

/* The same of what is no more exact than a time. */
static void add_switches(struct text *text, const void *row, size_t at)
{
    if (sample_of(row)->status == SAMPLE_OK)
        add_faults(text, row, at);
}

/* A struct meter_count of the sample, of one cycle. */
static void add_bytes(struct text *text, const void *row, size_t at)
{
    columns_add_bytes_at(text, sample_of(row), at);
}

/* A uint64_t of the trace. */
static void add_trace(struct text *text, const void *row, size_t at)
{
    const struct trace *trace = ((const struct row *)row)->trace;
    if (trace != NULL)
        columns_add_number_at(text, trace, at);
}

static void add_pages(struct text *text, const void *row, size_t at)
{
    (void)at;
    columns_add_text(
        text, kind_name(strategy_pages_kinds(strategy_of(row)), (int)configuration_of(row)->pages));
}

static void add_order(struct text *text, const void *row, size_t at)
{
    (void)at;
    columns_add_text(
        text, kind_name(strategy_orders(strategy_of(row)), (int)configuration_of(row)->order));
}

static void add_guard(struct text *text, const void *row, size_t at)
{
    (void)at;
    if (strategy_of(row)->guarded)
        columns_add_text(text, kind_name(guard_kinds, (int)configuration_of(row)->guard));
}

static void add_trap(struct text *text, const void *row, size_t at)
{
    (void)at;
    if (strategy_of(row)->fault != NULL)
        columns_add_text(text, kind_name(strategy_trap_kinds(strategy_of(row)),
                                         (int)configuration_of(row)->trap));
}

static void add_commit_kind(struct text *text, const void *row, size_t at)
{
    (void)at;
    if (strategy_commits(strategy_of(row)))
        columns_add_text(text, kind_name(strategy_commit_kinds(strategy_of(row)),
                                         (int)configuration_of(row)->commit));
}

static void add_growth(struct text *text, const void *row, size_t at)
{
    (void)at;
    if (strategy_of(row)->grows)
        columns_add_text(text, kind_name(growth_kinds, (int)configuration_of(row)->growth));
}

static void add_threads(struct text *text, const void *row, size_t at)
{
    (void)at;
    columns_add_number(text, configuration_of(row)->threads);
}

static void add_share(struct text *text, const void *row, size_t at)
{
    (void)at;
    columns_add_text(text, kind_name(share_names, (int)configuration_of(row)->share));
}

static void add_cpu_time(struct text *text, const void *row, size_t at)
{
    (void)at;
    if (sample_of(row)->cpu_ns.known)
        add_ns_per_cycle(text, sample_of(row), sample_of(row)->cpu_ns.value);
}

static void add_wall_time(struct text *text, const void *row, size_t at)
{
    (void)at;
    add_ns_per_cycle(text, sample_of(row), sample_of(row)->wall_ns);
}

static bool purging(const void *row)
{
    return strategy_of(row)->purges && configuration_of(row)->purge != PURGE_NONE;
}

static void add_purge(struct text *text, const void *row, size_t at)
{
    (void)at;
    if (strategy_of(row)->purges || strategy_of(row)->gives_back != NULL)
        columns_add_text(text, kind_name(strategy_purge_kinds(strategy_of(row)),
                                         (int)configuration_of(row)->purge));
}

static void add_purge_step(struct text *text, const void *row, size_t at)
{
    if (purging(row))
        add_size(text, row, at);
}

static void add_purge_calls(struct text *text, const void *row, size_t at)
{
    if (purging(row) || strategy_of(row)->gives_back != NULL)
        add_count(text, row, at);
}

/* `at` is the phase. */
static void add_purge_phase(struct text *text, const void *row, size_t at)
{
    if (purging(row))
        add_phase(text, row, at);
}

/* A uint64_t of the row; nothing if it is 0. */
static void add_if_any(struct text *text, const void *row, size_t at)
{
    if (*(const uint64_t *)(const void *)((const char *)row + at) != 0)
        columns_add_number_at(text, row, at);
}

static const struct column columns[] = {
    {"strategy", add_strategy, 0},
    {"platform", add_platform, 0},
    {"pages", add_pages, 0},
    {"page_bytes", add_page_bytes, 0},
    {"size_bytes", add_size, offsetof(struct configuration, size)},
    {"chunk_bytes", add_size, offsetof(struct configuration, step)},
    {"touched_bytes", add_size, offsetof(struct configuration, touched)},
    {"round", columns_add_number_at, offsetof(struct row, round)},
    {"position", columns_add_number_at, offsetof(struct row, position)},
    {"batch", add_batch, 0},
    {"status", add_status, 0},
    {"error", add_error, 0},
    {"reserve_ns", add_phase, PHASE_RESERVE},
    {"commit_ns", add_phase, PHASE_COMMIT},
    {"touch_ns", add_phase, PHASE_TOUCH},
    {"release_ns", add_phase, PHASE_RELEASE},
    {"total_ns", add_total, 0},
    {"commit_calls", add_count, offsetof(struct sample, commit_calls)},
    {"handled_faults", add_count, offsetof(struct sample, handled_faults)},
    {"minor_faults", add_faults, offsetof(struct sample, minor_faults)},
    {"major_faults", add_faults, offsetof(struct sample, major_faults)},
    {"reserved_commit_bytes", add_bytes, offsetof(struct sample, reserved_commit_bytes)},
    {"commit_bytes", add_bytes, offsetof(struct sample, commit_bytes)},
    {"commit_system_bytes", add_bytes, offsetof(struct sample, commit_system_bytes)},
    {"commit_process_bytes", add_bytes, offsetof(struct sample, commit_process_bytes)},
    {"resident_bytes", add_bytes, offsetof(struct sample, resident_bytes)},
    {"released_commit_bytes", add_bytes, offsetof(struct sample, released_commit_bytes)},
    {"region_count", add_bytes, offsetof(struct sample, region_count)},
    {"guard", add_guard, 0},
    {"trap", add_trap, 0},
    {"clock_tick_ns", add_clock_tick, 0},
    {"touch_order", add_order, 0},
    {"touch_p50_ns", add_trace, offsetof(struct trace, p50_ns)},
    {"touch_p90_ns", add_trace, offsetof(struct trace, p90_ns)},
    {"touch_p99_ns", add_trace, offsetof(struct trace, p99_ns)},
    {"touch_p999_ns", add_trace, offsetof(struct trace, p999_ns)},
    {"touch_max_ns", add_trace, offsetof(struct trace, max_ns)},
    {"traced_touch_ns", add_trace, offsetof(struct trace, touch_ns)},
    {"commit_kind", add_commit_kind, 0},
    {"growth", add_growth, 0},
    {"purge", add_purge, 0},
    {"purge_step_bytes", add_purge_step, offsetof(struct configuration, purge_step)},
    {"purge_calls", add_purge_calls, offsetof(struct sample, purge_calls)},
    {"purge_ns", add_purge_phase, PHASE_PURGE},
    {"retouch_ns", add_purge_phase, PHASE_RETOUCH},
    {"retouch_minor_faults", add_bytes, offsetof(struct sample, retouch_minor_faults)},
    {"purged_commit_bytes", add_bytes, offsetof(struct sample, purged_commit_bytes)},
    {"purged_resident_bytes", add_bytes, offsetof(struct sample, purged_resident_bytes)},
    {"purged_table_bytes", add_bytes, offsetof(struct sample, purged_table_bytes)},
    {"purged_region_count", add_bytes, offsetof(struct sample, purged_region_count)},
    {"retouched_commit_bytes", add_bytes, offsetof(struct sample, retouched_commit_bytes)},
    {"retouched_region_count", add_bytes, offsetof(struct sample, retouched_region_count)},
    {"set", add_if_any, offsetof(struct row, set)},
    {"slice_bytes", add_if_any, offsetof(struct row, slice_bytes)},
    {"threads", add_threads, 0},
    {"share", add_share, 0},
    {"cpu_ns", add_cpu_time, 0},
    {"wall_ns", add_wall_time, 0},
    {"voluntary_switches", add_switches, offsetof(struct sample, voluntary_switches)},
    {"involuntary_switches", add_switches, offsetof(struct sample, involuntary_switches)},
    {"lock_count", add_bytes, offsetof(struct sample, lock_count)},
    {"most_commit_bytes", add_bytes, offsetof(struct sample, most_commit_bytes)},
    {"most_resident_bytes", add_bytes, offsetof(struct sample, most_resident_bytes)},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

void row_add_header(struct text *text)
{
    columns_add_header(columns, COLUMN_COUNT, text);
}

void row_add(const struct row *row, struct text *text)
{
    columns_add_row(columns, COLUMN_COUNT, row, text);
}
