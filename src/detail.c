/* Rows are gathered in a buffer: there may be a million of them. */
#include "detail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 256 };

static char buffer[64 * 1024];

static int begin(const struct output *output, const char *header)
{
    return output_write(output, header, strlen(header));
}

int detail_begin_trace(const struct output *output)
{
    return begin(output, "strategy,round,position,touch,page,ns,commit_calls\r\n");
}

int detail_write_trace(const struct output *output, const struct record *record,
                       const struct sample_trace *trace)
{
    const struct workload *workload = &trace->workload;
    size_t held = 0;
    for (size_t i = 0; i < workload->last; i++) {
        if (held + LINE_MAX_BYTES > sizeof buffer) {
            int error = output_write(output, buffer, held);
            if (error != 0)
                return error;
            held = 0;
        }
        size_t page = workload->pages != NULL ? workload->pages[i] : i;
        held += (size_t)snprintf(
            buffer + held, LINE_MAX_BYTES, "%s,%" PRIu64 ",%" PRIu64 ",%zu,%zu,%u,%u\r\n",
            record->strategy->name, record->round, record->position, i, page,
            (unsigned)workload->trace[i].ns, (unsigned)workload->trace[i].commit_calls);
    }
    return output_write(output, buffer, held);
}

int detail_begin_staircase(const struct output *output)
{
    return begin(output,
                 "strategy,round,position,size_bytes,chunk_bytes,touched_bytes,commit_bytes,"
                 "resident_bytes,region_count,commit_calls,handled_faults\r\n");
}

int detail_write_staircase(const struct output *output, const struct record *record,
                           const struct sample_checkpoint *checkpoints, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sample_checkpoint *at = &checkpoints[i];
        char resident[32] = "";
        if (at->resident_bytes.known)
            snprintf(resident, sizeof resident, "%" PRIu64, at->resident_bytes.value);
        int length = snprintf(buffer, LINE_MAX_BYTES,
                              "%s,%" PRIu64 ",%" PRIu64 ",%zu,%zu,%zu,%" PRIu64 ",%s,%" PRIu64
                              ",%" PRIu64 ",%" PRIu64 "\r\n",
                              record->strategy->name, record->round, record->position,
                              record->configuration->size, record->configuration->step, at->touched,
                              at->commit_bytes, resident, at->region_count, at->commit_calls,
                              at->handled_faults);
        int error = output_write(output, buffer, (size_t)length);
        if (error != 0)
            return error;
    }
    return 0;
}
