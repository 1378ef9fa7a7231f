/* Formats rows: the columns are listed once, in the order of the contract. */
#include "row.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "system/trap.h"
#include "system/vm.h"

static const char header[] =
    "strategy,platform,pages,page_bytes,size_bytes,chunk_bytes,touched_bytes,"
    "round,position,batch,status,error,"
    "reserve_ns,commit_ns,touch_ns,release_ns,total_ns,"
    "commit_calls,handled_faults,minor_faults,major_faults,"
    "reserved_commit_bytes,commit_bytes,commit_system_bytes,commit_process_bytes,resident_bytes,"
    "released_commit_bytes,region_count,"
    "guard,trap,clock_tick_ns,touch_order,"
    "touch_p50_ns,touch_p90_ns,touch_p99_ns,touch_p999_ns,touch_max_ns,traced_touch_ns\r\n";

static const char *const status_names[] = {
    [SAMPLE_OK] = "ok",
    [SAMPLE_REFUSED] = "refused",
    [SAMPLE_UNSUPPORTED] = "unsupported",
    [SAMPLE_SKIPPED] = "skipped",
};

struct row {
    char *text;
    size_t length;
};

static void append(struct row *row, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(row->text + row->length, ROW_MAX_BYTES - row->length, format, arguments);
    va_end(arguments);
    row->length += (size_t)length;
}

static void append_text(struct row *row, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        append(row, "%s,", text);
        return;
    }
    append(row, "\"");
    for (const char *c = text; *c != '\0'; c++)
        append(row, *c == '"' ? "\"\"" : "%c", *c);
    append(row, "\",");
}

/* Signed: a neighbour that frees memory can make the system's charge fall. */
static void append_bytes(struct row *row, struct meter_count count)
{
    if (count.known)
        append(row, "%" PRId64, (int64_t)count.value);
    append(row, ",");
}

/* A count that is not the same in every cycle shows as a fraction, so that nobody takes it for an
 * exact one. */
static void append_per_cycle(struct row *row, struct meter_count count, uint64_t batch)
{
    if (!count.known || batch == 0)
        append(row, ",");
    else if (count.value % batch == 0)
        append(row, "%" PRIu64 ",", count.value / batch);
    else
        append(row, "%.6f,", (double)count.value / (double)batch);
}

static void append_latency(struct row *row, const struct sample *sample)
{
    uint64_t total = 0;
    if (sample->status != SAMPLE_OK) {
        append(row, ",,,,,");
        return;
    }
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        append(row, "%.1f,", (double)sample->phase_ns[phase] / (double)sample->batch);
        total += sample->phase_ns[phase];
    }
    append(row, "%.1f,", (double)total / (double)sample->batch);
}

static void append_work(struct row *row, const struct sample *sample)
{
    const struct meter_count counts[] = {
        {sample->commit_calls, true},
        {sample->handled_faults, true},
        sample->minor_faults,
        sample->major_faults,
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        append_per_cycle(row, counts[i], sample->batch);
}

static void append_memory(struct row *row, const struct sample *sample)
{
    append_bytes(row, sample->reserved_commit_bytes);
    append_bytes(row, sample->commit_bytes);
    append_bytes(row, sample->commit_system_bytes);
    append_bytes(row, sample->commit_process_bytes);
    append_bytes(row, sample->resident_bytes);
    append_bytes(row, sample->released_commit_bytes);
    append_bytes(row, sample->region_count);
}

static void append_trace(struct row *row, const struct sample_trace *trace)
{
    if (trace == NULL)
        append(row, ",,,,,\r\n");
    else
        append(row, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\r\n",
               trace->p50_ns, trace->p90_ns, trace->p99_ns, trace->p999_ns, trace->max_ns,
               trace->touch_ns);
}

const char *row_header(void)
{
    return header;
}

size_t row_format(const struct record *record, char *text)
{
    const struct configuration *configuration = record->configuration;
    const struct sample *sample = record->sample;
    struct row row = {text, 0};
    append(&row, "%s,%s,%s,%zu,%zu,%zu,%zu,", record->strategy->name, meter_platform(),
           record->pages, vm_page_bytes(), configuration->size, configuration->step,
           configuration->touched);
    append(&row, "%" PRIu64 ",%" PRIu64 ",", record->round, record->position);
    append_bytes(&row, (struct meter_count){sample->batch, sample->batch > 0});
    append(&row, "%s,", status_names[sample->status]);
    append_text(&row, sample->error);
    append_latency(&row, sample);
    append_work(&row, sample);
    append_memory(&row, sample);
    append(&row, "%s,%s,%" PRIu64 ",%s,", record->strategy->guarded ? vm_guard_name() : "",
           record->strategy->fault != NULL ? trap_name() : "", meter_clock_tick_ns(),
           kind_name(workload_orders, configuration->order));
    append_trace(&row, record->trace);
    return row.length;
}
