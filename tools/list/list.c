/* list: a linked list in a range that is committed as it grows, beside one whose nodes come from
 * malloc: what appending, going through, freeing node by node and giving the range back take, and
 * what stays charged and resident. One row a sample, as CSV on standard output. */
#include <stdio.h>
#include <stdlib.h>

#include "nodes.h"
#include "system/maps.h"
#include "system/meter.h"
#include "tool.h"
#include "workload.h"

struct options {
    struct sizes node_bytes, steps;
    struct tool_numbers counts;
    struct tool_kinds sources, growths;
    enum trap_kind trap;
    uint64_t repeat, seed;
};

struct row {
    const char *source, *growth, *status, *error;
    size_t node_bytes, chunk_bytes;
    uint64_t nodes, repeat;
    uint64_t append_ns, traverse_ns, free_ns;
    struct meter_count release_ns, appended, commit_calls, handled_faults, minor_faults;
    struct meter_count reserved_bytes, commit_bytes, resident_bytes, region_count;
    struct meter_count freed_commit_bytes, freed_resident_bytes, released_commit_bytes;
};

/* In hundredths: a time or a size for each node. */
static void add_hundredths(struct text *text, double value)
{
    text_add(text, "%.2f", value);
}

static const struct row *timed(const void *row)
{
    const struct row *list = row;
    return list->status[0] == 'o' ? list : NULL;
}

static void add_node_ns(struct text *text, const void *row, size_t at)
{
    const struct row *list = timed(row);
    if (list != NULL)
        add_hundredths(text, (double)*(const uint64_t *)(const void *)((const char *)row + at) /
                                 (double)list->nodes);
}

/* What a node costs beside its own bytes, of what is charged. */
static void add_overhead(struct text *text, const void *row, size_t at)
{
    const struct row *list = timed(row);
    (void)at;
    if (list != NULL && list->commit_bytes.known)
        add_hundredths(text, (double)(int64_t)list->commit_bytes.value / (double)list->nodes -
                                 (double)list->node_bytes);
}

#define COLUMN(name, type)                                                                         \
    {                                                                                              \
#name, columns_add_##type##_at, offsetof(struct row, name)                                 \
    }
static const struct column columns[] = {
    {"source", columns_add_text_at, offsetof(struct row, source)},
    COLUMN(node_bytes, size),
    COLUMN(nodes, number),
    COLUMN(chunk_bytes, size),
    COLUMN(growth, text),
    COLUMN(repeat, number),
    COLUMN(status, text),
    COLUMN(error, text),
    {"append_node_ns", add_node_ns, offsetof(struct row, append_ns)},
    {"traverse_node_ns", add_node_ns, offsetof(struct row, traverse_ns)},
    {"free_node_ns", add_node_ns, offsetof(struct row, free_ns)},
    COLUMN(release_ns, bytes),
    COLUMN(appended, bytes),
    COLUMN(commit_calls, bytes),
    COLUMN(handled_faults, bytes),
    COLUMN(minor_faults, bytes),
    COLUMN(reserved_bytes, bytes),
    COLUMN(commit_bytes, bytes),
    COLUMN(resident_bytes, bytes),
    COLUMN(region_count, bytes),
    {"overhead_node_bytes", add_overhead, 0},
    COLUMN(freed_commit_bytes, bytes),
    COLUMN(freed_resident_bytes, bytes),
    COLUMN(released_commit_bytes, bytes),
};

/* --- The command line --- */

enum { MOST_NODES = 100000000 };

static bool parse_node(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_bytes_list(parser, text, NODES_UNIT, NODES_LEAST, vm_page_bytes(),
                                 &((struct options *)options)->node_bytes);
}

static bool parse_nodes(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_numbers(parser, text, 1, MOST_NODES, &((struct options *)options)->counts);
}

static bool parse_source(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_kinds(parser, text, nodes_sources, "source of nodes",
                            &((struct options *)options)->sources);
}

static bool parse_chunk(const struct parser *parser, const char *text, void *options)
{
    return values_parse_sizes(parser, text, &((struct options *)options)->steps);
}

static bool parse_growth(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_kinds(parser, text, growth_kinds, "way to grow",
                            &((struct options *)options)->growths);
}

static bool parse_trap(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_trap(parser, text, &((struct options *)options)->trap);
}

static bool parse_repeat(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_repeat(parser, text, &((struct options *)options)->repeat);
}

static bool parse_seed(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_number(parser, text, 0, UINT64_MAX, &((struct options *)options)->seed);
}

static const struct tool_option option_table[] = {
    {"--node", "LIST", "bytes of a node, multiples of 16 up to a page   [64]", parse_node},
    {"--nodes", "LIST", "how many are appended   [1000000]", parse_nodes},
    {"--source", "LIST",
     "where they come from: a range that is committed after a check, or on a\n"
     "fault; or malloc, whose first sample in a process alone is taken\n"
     "[check,fault,malloc]",
     parse_source},
    {"--chunk", "LIST", "the step by which the range is committed   [64K]", parse_chunk},
    {"--growth", "LIST",
     "every step the same, or each twice the one before: fixed, double\n[fixed]", parse_growth},
    {"--trap", "KIND", "how a fault is caught: signal; on Windows seh or veh   [the first]",
     parse_trap},
    {"--repeat", "N", "samples of each   [1]", parse_repeat},
    {"--seed", "N", "of the random order within each repeat   [1]", parse_seed},
    {NULL, NULL, NULL, NULL},
};

static const struct tool tool = {
    "list", "A linked list in a range that is committed as it grows, and one of malloc.",
    option_table, columns, sizeof columns / sizeof columns[0]};

/* --- A sample --- */

struct sample {
    struct nodes nodes;
    struct row *row;
    struct maps_memory before;
    int error;
};

static void read_memory(const struct sample *sample, struct maps_memory *memory, int *error)
{
    const struct region *region = &sample->nodes.region;
    if (*error == 0)
        *error = maps_read(region->base, region->base != NULL ? region->size : 0, memory);
}

static struct meter_count rise(struct meter_count before, struct meter_count after)
{
    return (struct meter_count){after.value - before.value, before.known && after.known};
}

/* Of the range, or of the process where that holds the nodes. */
static struct meter_count charge(const struct sample *sample, const struct maps_memory *memory)
{
    if (sample->nodes.source != NODES_MALLOC)
        return (struct meter_count){memory->region_commit_bytes, true};
    return rise(sample->before.process_commit_bytes, memory->process_commit_bytes);
}

/* Faults are counted outside of the time, within the trap. */
static void append_all(void *context)
{
    struct sample *sample = context;
    uint64_t start = meter_clock_ns();
    sample->error = nodes_append(&sample->nodes, sample->row->nodes);
    sample->row->append_ns = meter_clock_ns() - start;
}

static enum trap_answer answer(void *context, const void *address)
{
    return nodes_answer(&((struct sample *)context)->nodes, address);
}

static int append(struct sample *sample, enum trap_kind trap)
{
    bool completed = true;
    int error = 0;
    if (sample->nodes.source == NODES_FAULT)
        error = trap_run(trap, append_all, answer, sample, &completed);
    else
        append_all(sample);
    if (error == 0)
        error = completed ? sample->error : sample->nodes.region.error;
    return error;
}

static int append_counted(struct sample *sample, enum trap_kind trap)
{
    struct meter_faults before, after;
    struct row *row = sample->row;
    const struct nodes *nodes = &sample->nodes;
    bool ranged = nodes->source != NODES_MALLOC;
    int failed = meter_read_faults(&before);
    int error = failed == 0 ? append(sample, trap) : failed;
    failed = meter_read_faults(&after);
    if (failed == 0)
        row->minor_faults = rise(before.minor, after.minor);
    row->appended = (struct meter_count){nodes->count, true};
    row->commit_calls = (struct meter_count){nodes->region.commit_calls, ranged};
    row->handled_faults = (struct meter_count){nodes->region.handled_faults, ranged};
    row->reserved_bytes = (struct meter_count){nodes->region.size, ranged};
    return error;
}

static void keep_peak(struct sample *sample, int *error)
{
    struct maps_memory memory;
    struct row *row = sample->row;
    read_memory(sample, &memory, error);
    if (*error != 0)
        return;
    row->commit_bytes = charge(sample, &memory);
    row->resident_bytes =
        rise(sample->before.process_resident_bytes, memory.process_resident_bytes);
    row->region_count =
        (struct meter_count){memory.region_count, sample->nodes.source != NODES_MALLOC};
}

static void keep_freed(struct sample *sample, int *error)
{
    struct maps_memory memory;
    read_memory(sample, &memory, error);
    if (*error != 0)
        return;
    sample->row->freed_commit_bytes = charge(sample, &memory);
    sample->row->freed_resident_bytes =
        rise(sample->before.process_resident_bytes, memory.process_resident_bytes);
}

/* A range alone can be given back in one call. */
static void release(struct sample *sample, int *error)
{
    struct maps_memory memory;
    void *base = sample->nodes.region.base;
    if (sample->nodes.source == NODES_MALLOC)
        return;
    uint64_t start = meter_clock_ns();
    int failed = nodes_release(&sample->nodes);
    sample->row->release_ns = (struct meter_count){meter_clock_ns() - start, failed == 0};
    if (failed == 0)
        failed = maps_read(base, sample->nodes.region.size, &memory);
    if (failed == 0)
        sample->row->released_commit_bytes = (struct meter_count){memory.region_commit_bytes, true};
    *error = *error != 0 ? *error : failed;
}

/* True if the sums agree, and the nodes; a broken list is no figure. */
static bool traverse(struct sample *sample)
{
    struct row *row = sample->row;
    uint64_t start = meter_clock_ns();
    uint64_t sum = nodes_sum(&sample->nodes);
    row->traverse_ns = meter_clock_ns() - start;
    return sum == row->nodes * (row->nodes - 1) / 2 && nodes_are_whole(&sample->nodes);
}

static int use(struct sample *sample, enum trap_kind trap, bool *whole)
{
    int error = append_counted(sample, trap), failed = 0;
    keep_peak(sample, &failed);
    if (error == 0 && failed == 0)
        *whole = traverse(sample);
    uint64_t start = meter_clock_ns();
    nodes_free_each(&sample->nodes);
    sample->row->free_ns = meter_clock_ns() - start;
    keep_freed(sample, &failed);
    release(sample, &failed);
    return error != 0 ? error : failed;
}

/* Twice what is needed and a step, so that no doubling is cut short by the range's end. */
static struct configuration range_for(const struct row *row, enum growth growth)
{
    size_t page = vm_page_bytes();
    size_t needed = (size_t)row->nodes * row->node_bytes;
    struct configuration configuration = configuration_make(
        (2 * needed + row->chunk_bytes + page - 1) / page * page, row->chunk_bytes);
    configuration.growth = growth;
    return configuration;
}

/* Some allocators need half as much again for the smallest nodes. */
static bool memory_holds(const struct row *row, char *why, size_t size)
{
    enum { SPARE = 64 << 20 };
    uint64_t available, needed = 2 * row->nodes * row->node_bytes + SPARE;
    if (meter_read_available(&available) != 0 || needed <= available)
        return true;
    snprintf(why, size, "needs %llu bytes of memory, and %llu are available",
             (unsigned long long)needed, (unsigned long long)available);
    return false;
}

/* malloc may keep what was freed, and only its first growth in a process is growth. */
static const char *skipped(const struct row *row, enum nodes_source source, char *why, size_t size)
{
    static bool taken_before;
    bool kept = source == NODES_MALLOC && taken_before;
    taken_before = taken_before || source == NODES_MALLOC;
    if (kept)
        return "malloc may have kept memory of the sample before: use --repeat 1, one --node and "
               "one --nodes";
    return memory_holds(row, why, size) ? NULL : why;
}

/* A broken list is not *whole, which no error tells of. */
static int measure(enum nodes_source source, enum growth growth, enum trap_kind trap,
                   struct row *row, bool *whole)
{
    struct sample sample = {.row = row};
    struct configuration range = range_for(row, growth);
    vm_warm(range.size / 2, VM_PAGES_SMALL);
    int error = maps_read(NULL, 0, &sample.before);
    if (error == 0)
        error = nodes_make(&sample.nodes, source, row->node_bytes, &range);
    return error == 0 ? use(&sample, trap, whole) : error;
}

/* Discarded: code, stack and handler come into memory, so that their faults are in no row. */
static void prepare(enum trap_kind trap)
{
    struct row row = {.node_bytes = NODES_LEAST, .nodes = 1024, .chunk_bytes = vm_page_bytes()};
    bool whole;
    measure(NODES_CHECK, GROWTH_FIXED, trap, &row, &whole);
    measure(NODES_FAULT, GROWTH_FIXED, trap, &row, &whole);
}

static int print(struct row *row, const char *status, const char *error)
{
    row->status = status;
    row->error = error;
    int printed = tool_print_row(&tool, row);
    row->error = "";
    return printed;
}

static int take(const struct options *options, enum nodes_source source, enum growth growth,
                struct row *row)
{
    char why[256];
    bool whole = true;
    const char *reason = skipped(row, source, why, sizeof why);
    if (reason != NULL)
        return print(row, "skipped", reason);
    int error = measure(source, growth, options->trap, row, &whole);
    if (!whole)
        return tool_complain(&tool, TOOL_BROKE, "the list of %s lost nodes", row->source);
    if (error != 0 && !vm_is_refusal(error))
        return tool_broke(&tool, row->source, error);
    if (error == 0)
        return print(row, "ok", "");
    vm_error_text(error, why, sizeof why);
    return print(row, "refused", why);
}

/* --- All of them --- */

static size_t combinations(const struct options *options)
{
    return options->sources.count * options->node_bytes.count * options->counts.count *
           options->steps.count * options->growths.count;
}

/* The combination of that number; steps and growth are nothing to malloc, which is taken with the
 * first of them alone. */
static int take_number(const struct options *options, size_t number, uint64_t repeat)
{
    struct row row = {.repeat = repeat};
    enum growth growth = (enum growth)options->growths.values[number % options->growths.count];
    bool first = number % options->growths.count == 0;
    number /= options->growths.count;
    row.chunk_bytes = options->steps.values[number % options->steps.count];
    first = first && number % options->steps.count == 0;
    number /= options->steps.count;
    row.nodes = options->counts.values[number % options->counts.count];
    number /= options->counts.count;
    row.node_bytes = options->node_bytes.values[number % options->node_bytes.count];
    number /= options->node_bytes.count;
    enum nodes_source source = (enum nodes_source)options->sources.values[number];
    row.source = kind_name(nodes_sources, (int)source);
    row.growth = kind_name(growth_kinds, (int)growth);
    return source == NODES_MALLOC && !first ? TOOL_TAKEN : take(options, source, growth, &row);
}

static int run(const struct options *options)
{
    size_t count = combinations(options);
    uint64_t random = options->seed;
    size_t *order = malloc(count * sizeof *order);
    if (order == NULL)
        return tool_broke(&tool, "the order of samples", vm_out_of_memory());
    int status = tool_print_header(&tool);
    prepare(options->trap);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (uint64_t repeat = 1; repeat <= options->repeat && status == TOOL_TAKEN; repeat++)
        for (size_t left = count; left > 0 && status == TOOL_TAKEN; left--) {
            size_t drawn = (size_t)(workload_random(&random) % left), number = order[drawn];
            order[drawn] = order[left - 1];
            order[left - 1] = number;
            status = take_number(options, number, repeat);
        }
    free(order);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.node_bytes = {{64}, 1},
                              .steps = {{65536}, 1},
                              .counts = {{1000000}, 1},
                              .sources = {{NODES_CHECK, NODES_FAULT, NODES_MALLOC}, 3},
                              .growths = {{GROWTH_FIXED}, 1},
                              .trap = (enum trap_kind)trap_kinds[0].value,
                              .repeat = 1,
                              .seed = 1};
    int status = TOOL_TAKEN;
    if (!tool_parse(&tool, argc, argv, &options, &status))
        return status;
    int error = vm_use_pages(VM_PAGES_SMALL);
    return error == 0 ? run(&options) : tool_broke(&tool, "keeping to small pages", error);
}
