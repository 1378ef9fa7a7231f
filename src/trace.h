/* A cycle whose touches are timed one by one: its CSV file, and how the times are spread. */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "strategy.h"
#include "system/output.h"

struct row;

struct trace {
    bool taken;      /* false if memory was refused to the cycle, or for its lists */
    char error[256]; /* what broke */

    /* In ns: the smallest time that this part of the touches stays within. */
    uint64_t p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
    uint64_t touch_ns;        /* of the traced cycle, to hold against the sample's */
    struct workload workload; /* with the touches one by one */
};

/* Carries out one more cycle. To be freed by trace_free, whatever was returned. Returns false if
 * something broke that is not a refusal. */
bool trace_take(const struct strategy *strategy, const struct configuration *configuration,
                uint64_t seed, struct trace *trace);
void trace_free(struct trace *trace);

/* Writes the header line; writes a row for each touch, which is joined to its sample by the row's
 * round and position. Return 0 or the system's error code. */
int trace_write_header(const struct output *output);
int trace_write(const struct output *output, const struct row *row, const struct trace *trace);

#endif
