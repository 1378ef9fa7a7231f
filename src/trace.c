/* There may be a million touches: their rows are gathered in a buffer before they are written. */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "cycle.h"
#include "row.h"

enum { LINE_MAX_BYTES = 256 };

static char buffer[64 * 1024];

/* One touch of a traced cycle. */
struct touch {
    const char *strategy;
    uint64_t round, position; /* of the sample */
    uint64_t index;           /* in the order of touching */
    uint64_t page;
    uint64_t ns;
    uint64_t commit_calls;
};

static const struct column columns[] = {
    {"strategy", columns_add_text_at, offsetof(struct touch, strategy)},
    {"round", columns_add_number_at, offsetof(struct touch, round)},
    {"position", columns_add_number_at, offsetof(struct touch, position)},
    {"touch", columns_add_number_at, offsetof(struct touch, index)},
    {"page", columns_add_number_at, offsetof(struct touch, page)},
    {"ns", columns_add_number_at, offsetof(struct touch, ns)},
    {"commit_calls", columns_add_number_at, offsetof(struct touch, commit_calls)},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

static int by_ns(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The smallest value that `part` millionths of the values do not exceed. */
static uint64_t quantile(const uint32_t *sorted, size_t count, uint64_t part)
{
    uint64_t rank = (count * part + 999999) / 1000000;
    return sorted[rank > 0 ? rank - 1 : 0];
}

static bool find_quantiles(struct trace *trace)
{
    size_t count = trace->workload.last;
    uint32_t *sorted = malloc(count * sizeof *sorted);
    if (sorted == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        sorted[i] = trace->workload.trace[i].ns;
    qsort(sorted, count, sizeof *sorted, by_ns);
    trace->p50_ns = quantile(sorted, count, 500000);
    trace->p90_ns = quantile(sorted, count, 900000);
    trace->p99_ns = quantile(sorted, count, 990000);
    trace->p999_ns = quantile(sorted, count, 999000);
    trace->max_ns = sorted[count - 1];
    free(sorted);
    return true;
}

/* The lists are written, and so in memory, before the first touch. */
static bool make_lists(const struct configuration *configuration, uint64_t seed,
                       struct workload *workload)
{
    if (!workload_make(workload, configuration, seed))
        return false;
    size_t bytes = workload->last * sizeof *workload->trace;
    workload->trace = malloc(bytes);
    if (workload->trace == NULL)
        return false;
    memset(workload->trace, 0xff, bytes);
    return true;
}

bool trace_take(const struct strategy *strategy, const struct configuration *configuration,
                uint64_t seed, struct trace *trace)
{
    struct sample discarded = {0};
    *trace = (struct trace){.taken = false};
    if (!make_lists(configuration, seed, &trace->workload))
        return true;
    vm_warm(configuration->touched, configuration->pages);
    struct cycle cycle = cycle_start(strategy, configuration, &trace->workload, &discarded);
    int error = cycle_repeat(&cycle, 1, false);
    trace->touch_ns = discarded.phase_ns[PHASE_TOUCH];
    cycle_release(&cycle);
    trace->taken = error == 0 && find_quantiles(trace);
    if (error == 0 || cycle_is_refusal(&cycle, error))
        return true;
    cycle_describe_failure(&cycle, error, trace->error, sizeof trace->error);
    return false;
}

void trace_free(struct trace *trace)
{
    free(trace->workload.trace);
    workload_free(&trace->workload);
}

int trace_write_header(const struct output *output)
{
    struct text text = text_in(buffer, sizeof buffer);
    columns_add_header(columns, COLUMN_COUNT, &text);
    return output_write(output, text.bytes, text.length);
}

static struct touch touch_at(const struct row *row, const struct workload *workload, size_t i)
{
    return (struct touch){.strategy = row->strategy->name,
                          .round = row->round,
                          .position = row->position,
                          .index = i,
                          .page = workload->pages != NULL ? workload->pages[i] : i,
                          .ns = workload->trace[i].ns,
                          .commit_calls = workload->trace[i].commit_calls};
}

int trace_write(const struct output *output, const struct row *row, const struct trace *trace)
{
    struct text text = text_in(buffer, sizeof buffer);
    for (size_t i = 0; i < trace->workload.last; i++) {
        struct touch touch = touch_at(row, &trace->workload, i);
        if (text.length + LINE_MAX_BYTES > sizeof buffer) {
            int error = output_write(output, text.bytes, text.length);
            if (error != 0)
                return error;
            text = text_in(buffer, sizeof buffer);
        }
        columns_add_row(columns, COLUMN_COUNT, &touch, &text);
    }
    return output_write(output, text.bytes, text.length);
}
