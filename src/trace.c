/* A cycle whose touches are timed one by one, and how their times are spread. */
#include <stdlib.h>
#include <string.h>

#include "cycle.h"
#include "system/vm.h"

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

static bool find_quantiles(struct sample_trace *trace)
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

bool sample_trace(const struct strategy *strategy, const struct configuration *configuration,
                  uint64_t seed, struct sample_trace *trace)
{
    struct workload *workload = &trace->workload;
    struct sample unseen = {0};
    memset(trace, 0, sizeof *trace);
    if (!workload_make(workload, configuration->order, configuration->touched, seed))
        return false;
    size_t bytes = workload->last * sizeof *workload->trace;
    workload->trace = malloc(bytes);
    if (workload->trace == NULL)
        return false;
    memset(workload->trace, 0xff, bytes); /* in memory before the first touch */
    vm_warm(configuration->touched);
    struct run run = cycle_start(strategy, configuration, workload, &unseen);
    int error = cycle_repeat(&run, 1, false);
    trace->touch_ns = unseen.phase_ns[PHASE_TOUCH];
    cycle_release(&run);
    return error == 0 && find_quantiles(trace);
}

void sample_trace_free(struct sample_trace *trace)
{
    free(trace->workload.trace);
    workload_free(&trace->workload);
}
