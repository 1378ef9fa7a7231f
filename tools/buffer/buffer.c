/* buffer: a data buffer with a high-water mark between a producer and a consumer. A row a sample,
 * as CSV on standard output: throughput, hits and their latency, throttling, and whether all bytes
 * came as they were sent. With --kernel: what becomes of system calls that write at the mark. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "kernel.h"
#include "ring.h"
#include "system/vm.h"
#include "tool.h"
#include "workload.h"

struct options {
    struct sizes sizes, packets;
    struct tool_kinds ways;
    size_t high, low; /* 0 for a part of the size */
    size_t bytes, burst;
    bool lockstep, kernel, given_burst;
    uint64_t put, take;
    enum trap_kind trap;
    uint64_t repeat, seed;
};

struct row {
    const char *way, *status, *error;
    struct ring_limits limits;
    size_t packet;
    uint64_t bytes, repeat;
    struct meter_count ns, bytes_per_s;
    struct meter_count hits, moves, episodes, protect_calls, highest_level;
    struct meter_count hit_p50_ns, hit_p99_9_ns, hit_most_ns, throttled_ns;
    char checksum[17];
};

static void add_checksum(struct text *text, const void *row, size_t at)
{
    text_add(text, "%s", (const char *)row + at);
}

#define COLUMN(name, type)                                                                         \
    {                                                                                              \
#name, columns_add_##type##_at, offsetof(struct row, name)                                 \
    }
static const struct column columns[] = {
    COLUMN(way, text),
    {"size_bytes", columns_add_size_at, offsetof(struct row, limits.size)},
    {"high_bytes", columns_add_size_at, offsetof(struct row, limits.high)},
    {"low_bytes", columns_add_size_at, offsetof(struct row, limits.low)},
    {"packet_bytes", columns_add_size_at, offsetof(struct row, packet)},
    COLUMN(bytes, number),
    COLUMN(repeat, number),
    COLUMN(status, text),
    COLUMN(error, text),
    COLUMN(ns, bytes),
    COLUMN(bytes_per_s, bytes),
    COLUMN(hits, bytes),
    COLUMN(moves, bytes),
    COLUMN(episodes, bytes),
    COLUMN(protect_calls, bytes),
    {"highest_level_bytes", columns_add_bytes_at, offsetof(struct row, highest_level)},
    COLUMN(hit_p50_ns, bytes),
    COLUMN(hit_p99_9_ns, bytes),
    COLUMN(hit_most_ns, bytes),
    COLUMN(throttled_ns, bytes),
    {"checksum", add_checksum, offsetof(struct row, checksum)},
};

/* --- The command line --- */

enum { WORD = 8, LEAST_PACKET = 16 };
#define MOST_SIZE ((size_t)1 << 30)

static bool parse_size(const struct parser *parser, const char *text, void *options)
{
    size_t page = vm_page_bytes();
    return tool_parse_bytes_list(parser, text, page, RING_LEAST_PAGES * page, MOST_SIZE,
                                 &((struct options *)options)->sizes);
}

static bool parse_packet(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_bytes_list(parser, text, WORD, LEAST_PACKET, vm_page_bytes(),
                                 &((struct options *)options)->packets);
}

static bool parse_way(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_kinds(parser, text, ring_ways, "way", &((struct options *)options)->ways);
}

static bool parse_high(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_bytes(parser, text, WORD, WORD, MOST_SIZE,
                            &((struct options *)options)->high);
}

static bool parse_low(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_bytes(parser, text, WORD, WORD, MOST_SIZE, &((struct options *)options)->low);
}

static bool parse_bytes(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_bytes(parser, text, WORD, LEAST_PACKET, PTRDIFF_MAX,
                            &((struct options *)options)->bytes);
}

static bool parse_burst(const struct parser *parser, const char *text, void *options)
{
    ((struct options *)options)->given_burst = true;
    return tool_parse_bytes(parser, text, WORD, LEAST_PACKET, PTRDIFF_MAX,
                            &((struct options *)options)->burst);
}

/* "3,2" */
static bool parse_lockstep(const struct parser *parser, const char *text, void *options)
{
    struct options *buffer = options;
    const char *comma = strchr(text, ',');
    char first[24];
    buffer->lockstep = true;
    snprintf(first, sizeof first, "%.*s", comma != NULL ? (int)(comma - text) : 0, text);
    return (comma != NULL && comma - text < (ptrdiff_t)sizeof first &&
            values_parse_number(first, &buffer->put) &&
            values_parse_number(comma + 1, &buffer->take) && buffer->put > 0 && buffer->take > 0) ||
           values_refuse(parser, ": '%s' is no pair of numbers from 1, as in 3,2", text);
}

static bool parse_kernel(const struct parser *parser, const char *text, void *options)
{
    (void)parser;
    (void)text;
    ((struct options *)options)->kernel = true;
    return true;
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
    {"--way", "LIST",
     "how the mark is noticed: protect, an inaccessible page; guard, a guard\n"
     "page; check, a compare; or condition, a buffer with a lock\n"
     "[protect,guard,check,condition]",
     parse_way},
    {"--size", "LIST", "of the buffer, whole pages, at least 8   [1M]", parse_size},
    {"--high", "SIZE", "the level from which a hit throttles the producer   [3/4 of the size]",
     parse_high},
    {"--low", "SIZE", "the level at which the producer goes on   [1/4 of the size]", parse_low},
    {"--packet", "LIST", "how much is stored at a time, 16 bytes to a page   [1K]", parse_packet},
    {"--bytes", "SIZE", "that are sent   [256M]", parse_bytes},
    {"--burst", "SIZE",
     "by turns so much comes as fast as it can be stored, and as much slowly\n"
     "[4 times the buffer]",
     parse_burst},
    {"--lockstep", "N,M",
     "by turns put N packets and take M, in one thread: the counts are exact,\n"
     "the times are not those of a flow",
     parse_lockstep},
    {"--kernel", "", "instead: what system calls do that write at the mark", parse_kernel},
    {"--trap", "KIND", "how a fault is caught: signal; on Windows seh or veh   [the first]",
     parse_trap},
    {"--repeat", "N", "samples of each   [1]", parse_repeat},
    {"--seed", "N", "of the random order within each repeat   [1]", parse_seed},
    {NULL, NULL, NULL, NULL},
};

static const struct tool tool = {"buffer",
                                 "A data buffer with a high-water mark, in four ways to notice it.",
                                 option_table, columns, sizeof columns / sizeof columns[0]};

enum { LEFT_PAGES = 3 }; /* above the high-water mark, at least */

static struct ring_limits limits_for(const struct options *options, size_t size)
{
    size_t most = size - LEFT_PAGES * vm_page_bytes(), usual = size / 4 * 3;
    return (struct ring_limits){.size = size,
                                .high = options->high != 0 ? options->high
                                        : usual < most     ? usual
                                                           : most,
                                .low = options->low != 0 ? options->low : size / 4};
}

/* --- A sample --- */

static struct meter_count known(uint64_t value)
{
    return (struct meter_count){value, true};
}

static struct meter_count quantile(const struct flow_figures *figures, uint64_t per_mille)
{
    if (figures->hits == 0)
        return (struct meter_count){0, false};
    return known(figures->hit_ns[(figures->hits - 1) * per_mille / 1000]);
}

static void fill_row(struct row *row, const struct ring *ring, const struct flow_figures *figures,
                     bool timed)
{
    row->hits = known(ring->hits);
    row->moves = known(ring->moves);
    row->episodes = known(ring->episodes);
    row->protect_calls = known(ring->protect_calls);
    row->highest_level = known(figures->highest_level);
    snprintf(row->checksum, sizeof row->checksum, "%016" PRIx64, figures->checksum);
    if (!timed)
        return;
    row->ns = known(figures->ns);
    row->bytes_per_s = known((uint64_t)((double)row->bytes * 1e9 / (double)figures->ns));
    row->throttled_ns = known(figures->throttled_ns);
    row->hit_p50_ns = quantile(figures, 500);
    row->hit_p99_9_ns = quantile(figures, 999);
    row->hit_most_ns = quantile(figures, 1000);
}

static int print_why(struct row *row, const char *status, const char *why)
{
    row->status = status;
    row->error = why;
    int printed = tool_print_row(&tool, row);
    row->error = "";
    return printed;
}

static int print_refusal(struct row *row, int error)
{
    char why[128];
    if (!vm_is_refusal(error))
        return tool_broke(&tool, row->way, error);
    vm_error_text(error, why, sizeof why);
    return print_why(row, "refused", why);
}

static int complain_of_bytes(const struct row *row, const struct flow_figures *figures,
                             uint64_t checksum)
{
    return tool_complain(&tool, TOOL_BROKE,
                         "%s: %" PRIu64 " of %" PRIu64 " bytes came, with a checksum of %016" PRIx64
                         " where %016" PRIx64 " is right",
                         row->way, figures->taken, row->bytes, figures->checksum, checksum);
}

static const char *unsupported(enum ring_way way, enum guard_kind guard, bool lockstep)
{
    if (way == RING_CONDITION && lockstep)
        return "its producer would wait for itself";
    if (way == RING_GUARD && guard_committed_bytes(guard) == 0)
        return "this system has no guards on committed pages";
    return NULL;
}

static int send_all(enum ring_way way, const struct flow *flow, enum trap_kind trap,
                    struct row *row)
{
    struct ring ring;
    struct flow_figures figures;
    int error = ring_make(&ring, way, guard_resolve(GUARD_AUTO), &row->limits);
    if (error != 0)
        return print_refusal(row, error);
    error = flow_run(&ring, flow, trap, &figures);
    fill_row(row, &ring, &figures, !flow->lockstep);
    flow_forget(&figures);
    int left = ring_free(&ring);
    if (error != 0 || left != 0)
        return print_refusal(row, error != 0 ? error : left);
    uint64_t checksum = flow_checksum(flow);
    if (figures.taken != flow->bytes || figures.checksum != checksum)
        return complain_of_bytes(row, &figures, checksum);
    return tool_print_row(&tool, row);
}

static int take(const struct options *options, enum ring_way way, size_t size, size_t packet,
                uint64_t repeat)
{
    struct flow flow = {.bytes = options->bytes,
                        .packet = packet,
                        .burst = options->given_burst ? options->burst : 4 * size,
                        .lockstep = options->lockstep,
                        .put = options->put,
                        .take = options->take};
    struct row row = {.way = kind_name(ring_ways, (int)way),
                      .limits = limits_for(options, size),
                      .packet = packet,
                      .bytes = flow.bytes,
                      .repeat = repeat,
                      .status = "ok",
                      .error = ""};
    const char *why = unsupported(way, guard_resolve(GUARD_AUTO), options->lockstep);
    return why != NULL ? print_why(&row, "unsupported", why)
                       : send_all(way, &flow, options->trap, &row);
}

static int take_number(const struct options *options, size_t number, uint64_t repeat)
{
    size_t packet = options->packets.values[number % options->packets.count];
    number /= options->packets.count;
    size_t size = options->sizes.values[number % options->sizes.count];
    number /= options->sizes.count;
    return take(options, (enum ring_way)options->ways.values[number], size, packet, repeat);
}

enum { MOST_COMBINATIONS = VALUES_MAX * VALUES_MAX * 4 };

static int run(const struct options *options)
{
    static size_t order[MOST_COMBINATIONS];
    size_t count = options->ways.count * options->sizes.count * options->packets.count;
    uint64_t random = options->seed;
    int status = tool_print_header(&tool);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (uint64_t repeat = 1; repeat <= options->repeat && status == TOOL_TAKEN; repeat++)
        for (size_t left = count; left > 0 && status == TOOL_TAKEN; left--) {
            size_t drawn = (size_t)(workload_random(&random) % left), number = order[drawn];
            order[drawn] = order[left - 1];
            order[left - 1] = number;
            status = take_number(options, number, repeat);
        }
    return status;
}

/* --- System calls at the mark --- */

struct kernel_row {
    const char *way, *name, *error, *intact;
    uint64_t wanted;
    struct kernel_figures figures;
};

#define KERNEL_COLUMN(name, type, field)                                                           \
    {                                                                                              \
        name, columns_add_##type##_at, offsetof(struct kernel_row, field)                          \
    }
static const struct column kernel_columns[] = {
    KERNEL_COLUMN("way", text, way),
    KERNEL_COLUMN("read", text, name),
    KERNEL_COLUMN("wanted_bytes", number, wanted),
    KERNEL_COLUMN("returned_bytes", number, figures.returned),
    KERNEL_COLUMN("left_bytes", number, figures.left),
    KERNEL_COLUMN("hits", number, figures.hits),
    KERNEL_COLUMN("intact", text, intact),
    KERNEL_COLUMN("error", text, error),
};
static const struct tool kernel_tool = {"buffer", "", option_table, kernel_columns,
                                        sizeof kernel_columns / sizeof kernel_columns[0]};

static int try_case(const struct kernel_case *kernel_case, enum ring_way way, enum trap_kind trap)
{
    char why[128] = "";
    struct kernel_row row = {.way = kind_name(ring_ways, (int)way),
                             .name = kernel_case->name,
                             .error = why,
                             .wanted = KERNEL_BYTES};
    int error = kernel_try(kernel_case, way, guard_resolve(GUARD_AUTO), trap, &row.figures);
    if (error != 0)
        return tool_broke(&tool, kernel_case->name, error);
    row.intact = row.figures.intact ? "yes" : "no";
    if (row.figures.error != 0)
        vm_error_text(row.figures.error, why, sizeof why);
    return tool_print_row(&kernel_tool, &row);
}

/* The two ways with a page that the kernel may meet. */
static int run_kernel(const struct options *options)
{
    int status = tool_print_header(&kernel_tool);
    for (size_t i = 0; i < options->ways.count; i++) {
        enum ring_way way = (enum ring_way)options->ways.values[i];
        if ((way != RING_PROTECT && way != RING_GUARD) ||
            unsupported(way, guard_resolve(GUARD_AUTO), false) != NULL)
            continue;
        for (const struct kernel_case *each = kernel_cases;
             each->name != NULL && status == TOOL_TAKEN; each++)
            status = try_case(each, way, options->trap);
    }
    return status;
}

/* Each size's own, since limits are parts of it where they are not given. */
static bool limits_fit(const struct options *options, int *status)
{
    size_t page = vm_page_bytes();
    for (size_t i = 0; i < options->sizes.count; i++) {
        struct ring_limits limits = limits_for(options, options->sizes.values[i]);
        size_t most = limits.size - LEFT_PAGES * page;
        if (limits.high > most) {
            *status = tool_complain(&tool, TOOL_USAGE,
                                    "--high: '%zu' leaves less than three pages of a buffer of "
                                    "%zu; use at most %zu",
                                    limits.high, limits.size, most);
            return false;
        }
        if (limits.low >= limits.high) {
            *status = tool_complain(&tool, TOOL_USAGE,
                                    "--low: '%zu' is not below the high-water mark; use less than "
                                    "%zu",
                                    limits.low, limits.high);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {.sizes = {{1 << 20}, 1},
                              .packets = {{1024}, 1},
                              .ways = {{RING_PROTECT, RING_GUARD, RING_CHECK, RING_CONDITION}, 4},
                              .bytes = 256 << 20,
                              .trap = (enum trap_kind)trap_kinds[0].value,
                              .repeat = 1,
                              .seed = 1};
    int status = TOOL_TAKEN;
    if (!tool_parse(&tool, argc, argv, &options, &status) || !limits_fit(&options, &status))
        return status;
    int error = vm_use_pages(VM_PAGES_SMALL);
    if (error != 0)
        return tool_broke(&tool, "keeping to small pages", error);
    return options.kernel ? run_kernel(&options) : run(&options);
}
