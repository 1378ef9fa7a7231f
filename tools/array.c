/* array: the dynamic array of "Reserving and Committing Memory" (Microsoft): 80 pages are reserved
 * and written to byte by byte, and each access that faults commits the next page. Prints what that
 * program prints; with --way it measures the same array filled in other ways, a row each. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "region.h"
#include "system/maps.h"
#include "system/meter.h"
#include "system/output.h"
#include "tool.h"

enum way { WAY_FAULT, WAY_CHECK, WAY_GUARD, WAY_UPFRONT, WAY_REALLOC };

static const struct kind ways[] = {
    {"fault", WAY_FAULT},     {"check", WAY_CHECK},     {"guard", WAY_GUARD},
    {"upfront", WAY_UPFRONT}, {"realloc", WAY_REALLOC}, {NULL, 0},
};

enum { ARTICLE_PAGES = 80, MOST_PAGES = 1 << 20 };

struct options {
    uint64_t pages, repeat;
    struct tool_kinds ways;
    enum trap_kind trap;
    bool wide;
};

struct row {
    const char *way;
    size_t size;
    uint64_t repeat;
    const char *status, *error;
    struct meter_count handled_faults, commit_calls, minor_faults, commit_bytes, resident_bytes;
    uint64_t ns;
};

#define COLUMN(name, type)                                                                         \
    {                                                                                              \
#name, columns_add_##type##_at, offsetof(struct row, name)                                 \
    }
static const struct column columns[] = {
    COLUMN(way, text),
    {"size_bytes", columns_add_size_at, offsetof(struct row, size)},
    COLUMN(repeat, number),
    COLUMN(status, text),
    COLUMN(error, text),
    COLUMN(ns, number),
    COLUMN(handled_faults, bytes),
    COLUMN(commit_calls, bytes),
    COLUMN(minor_faults, bytes),
    COLUMN(commit_bytes, bytes),
    COLUMN(resident_bytes, bytes),
};

static bool parse_pages(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_number(parser, text, 1, MOST_PAGES, &((struct options *)options)->pages);
}

static bool parse_ways(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_kinds(parser, text, ways, "way", &((struct options *)options)->ways);
}

static bool parse_trap(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_trap(parser, text, &((struct options *)options)->trap);
}

static bool parse_repeat(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_repeat(parser, text, &((struct options *)options)->repeat);
}

static bool parse_wide(const struct parser *parser, const char *text, void *options)
{
    (void)parser;
    (void)text;
    ((struct options *)options)->wide = true;
    return true;
}

static const struct tool_option option_table[] = {
    {"--pages", "N", "of the array   [80]", parse_pages},
    {"--wide", "",
     "elements of two bytes, as in a Unicode build of the article's program, which\n"
     "runs past its last page",
     parse_wide},
    {"--trap", "KIND", "how a fault is caught: signal; on Windows seh or veh   [the first]",
     parse_trap},
    {"--way", "LIST", "measure instead: fault, check, guard, upfront, realloc", parse_ways},
    {"--repeat", "N", "samples of each way   [10]", parse_repeat},
    {NULL, NULL, NULL, NULL},
};

static const struct tool tool = {
    "array", "A dynamic array that commits each next page when an access to it faults.",
    option_table, columns, sizeof columns / sizeof columns[0]};

/* --- As the article has it --- */

struct session {
    struct region region;
    size_t limit;    /* bytes of the array; in a wide build the program writes twice as many */
    size_t elements; /* bytes that are written to */
    struct output output;
};

/* Async-signal-safe, as all that it calls. */
static void say(const struct session *session, const char *line)
{
    output_write(&session->output, line, strlen(line));
}

/* The next page, whichever was accessed: what the program relies on is that pages are written to in
 * their order. A fault elsewhere is not the array's. */
static enum trap_answer commit_next_page(void *context, const void *address)
{
    struct session *session = context;
    struct region *region = &session->region;
    size_t offset;
    if (!region_find(region, address, &offset) || offset < region->committed)
        return TRAP_FOREIGN;
    say(session, "Exception is a page fault.\n");
    region->handled_faults++;
    if (region->committed >= session->limit) {
        say(session, "Exception: out of pages.\n");
        return TRAP_ABANDON;
    }
    if (region_commit_to(region, region->committed + region->page) != 0) {
        say(session, "VirtualAlloc failed.\n");
        return TRAP_ABANDON;
    }
    say(session, "Allocating another page.\n");
    return TRAP_RETRY;
}

static void write_elements(void *context)
{
    const struct session *session = context;
    volatile unsigned char *base = session->region.base;
    for (size_t i = 0; i < session->elements; i++)
        base[i] = 'a';
}

static int converse(struct session *session, enum trap_kind trap)
{
    char line[64];
    bool completed;
    struct text text = text_in(line, sizeof line);
    text_add(&text, "This computer has page size %zu.\n", session->region.page);
    say(session, line);
    if (region_reserve(&session->region) != 0)
        return tool_broke(&tool, "reserving the array", session->region.error);
    int error = trap_run(trap, write_elements, commit_next_page, session, &completed);
    if (error == 0 && !completed)
        say(session, "Exiting process.\n");
    int left = region_release(&session->region);
    if (error != 0 || !completed)
        return error != 0 ? tool_broke(&tool, "catching faults", error) : TOOL_BROKE;
    say(session, left == 0 ? "Release succeeded.\n" : "Release failed.\n");
    return left == 0 ? TOOL_TAKEN : TOOL_BROKE;
}

/* The page behind the array that a wide build comes to is reserved too, so that what it finds there
 * is an exception and not somebody's memory. */
static int run_session(const struct options *options)
{
    size_t page = vm_page_bytes(), limit = (size_t)options->pages * page;
    struct configuration configuration =
        configuration_make(limit + (options->wide ? page : 0), page);
    struct session session = {.region = region_make(&configuration),
                              .limit = limit,
                              .elements = options->wide ? 2 * limit : limit};
    int error = output_open("-", &session.output);
    if (error != 0)
        return tool_broke(&tool, "cannot write standard output", error);
    return converse(&session, options->trap);
}

/* --- In other ways --- */

struct filling {
    struct region region;
    enum way way;
    enum trap_kind trap;
    unsigned char *block; /* of realloc */
};

/* By a step of one page, so that the ways differ in when they commit and in nothing else. */
static enum trap_answer commit_page(void *context, const void *address)
{
    return tool_grow(&((struct filling *)context)->region, address);
}

static enum trap_answer move_guard(void *context, const void *address)
{
    struct region *region = &((struct filling *)context)->region;
    size_t offset;
    if (!region_find(region, address, &offset) ||
        region_page_start(region, offset) != region->guard)
        return TRAP_FOREIGN;
    region->handled_faults++;
    int error = region_clear_guard(region);
    if (error == 0)
        error = region_set_guard(region, region->guard + region->page);
    return error == 0 ? TRAP_RETRY : TRAP_ABANDON;
}

static void fill(void *context)
{
    const struct filling *filling = context;
    volatile unsigned char *base = filling->region.base;
    for (size_t i = 0; i < filling->region.size; i++)
        base[i] = 'a';
}

static int fill_checked(struct region *region)
{
    volatile unsigned char *base = region->base;
    for (size_t i = 0; i < region->size; i++) {
        if (i >= region->committed && region_grow_past(region, i) != 0)
            return region->error;
        base[i] = 'a';
    }
    return 0;
}

/* As a vector grows: from a page on, twice as much each time. */
static int fill_block(struct filling *filling)
{
    struct region *region = &filling->region;
    size_t capacity = 0;
    for (size_t i = 0; i < region->size; i++) {
        if (i == capacity) {
            capacity = capacity == 0 ? region->page : 2 * capacity;
            unsigned char *block = realloc(filling->block, capacity);
            if (block == NULL)
                return region_keep_failure(region, "realloc", i, capacity, vm_out_of_memory());
            filling->block = block;
            region->commit_calls++;
        }
        ((volatile unsigned char *)filling->block)[i] = 'a';
    }
    return 0;
}

static int fill_trapped(struct filling *filling, trap_handler handler)
{
    bool completed;
    int error = trap_run(filling->trap, fill, handler, filling, &completed);
    return error == 0 && !completed ? filling->region.error : error;
}

static int fill_committed(struct filling *filling)
{
    int error = region_reserve_committed(&filling->region);
    if (error == 0)
        fill(filling);
    return error;
}

static int reserve_and_fill(struct filling *filling)
{
    struct region *region = &filling->region;
    if (filling->way == WAY_REALLOC)
        return fill_block(filling);
    if (filling->way == WAY_UPFRONT)
        return fill_committed(filling);
    int error = region_reserve(region);
    if (error != 0 || filling->way == WAY_CHECK)
        return error == 0 ? fill_checked(region) : error;
    if (filling->way == WAY_FAULT)
        return fill_trapped(filling, commit_page);
    error = region_set_guard(region, 0);
    return error == 0 ? fill_trapped(filling, move_guard) : error;
}

static int let_go(struct filling *filling)
{
    free(filling->block);
    return region_release(&filling->region);
}

static struct meter_count difference(struct meter_count before, struct meter_count after)
{
    return (struct meter_count){after.value - before.value, before.known && after.known};
}

/* Timed without readings in between. A block's charge can't be told from the heap's. */
static int take(struct filling *filling, struct row *row)
{
    uint64_t start_ns = meter_clock_ns();
    int error = reserve_and_fill(filling);
    int left = let_go(filling);
    row->ns = meter_clock_ns() - start_ns;
    return error != 0 ? error : left;
}

static int count(struct filling *filling, struct row *row)
{
    struct meter_faults before, after;
    struct maps_memory least, most;
    const struct region *region = &filling->region;
    int error = maps_read(NULL, 0, &least);
    if (error == 0)
        error = meter_read_faults(&before);
    if (error == 0)
        error = reserve_and_fill(filling);
    if (error == 0)
        error = meter_read_faults(&after);
    if (error == 0)
        error = maps_read(region->base, region->size, &most);
    if (error == 0) {
        bool whole = filling->way != WAY_REALLOC;
        row->minor_faults = difference(before.minor, after.minor);
        row->minor_faults.known = row->minor_faults.known && whole;
        row->resident_bytes = difference(least.process_resident_bytes, most.process_resident_bytes);
        row->resident_bytes.known = row->resident_bytes.known && whole;
        row->commit_bytes = (struct meter_count){most.region_commit_bytes, whole};
    }
    row->handled_faults = (struct meter_count){region->handled_faults, true};
    row->commit_calls = (struct meter_count){region->commit_calls, true};
    int left = let_go(filling);
    return error != 0 ? error : left;
}

static int measure(const struct options *options, enum way way, uint64_t repeat)
{
    size_t page = vm_page_bytes();
    char why[128] = "";
    struct configuration configuration = configuration_make((size_t)options->pages * page, page);
    configuration.guard = guard_resolve(GUARD_AUTO);
    struct row row = {.way = kind_name(ways, (int)way),
                      .size = configuration.size,
                      .repeat = repeat,
                      .status = "ok",
                      .error = why};
    struct filling filling = {
        .region = region_make(&configuration), .way = way, .trap = options->trap};
    struct filling again = filling;
    int error = count(&filling, &row);
    if (error == 0)
        error = take(&again, &row);
    if (error != 0 && !vm_is_refusal(error))
        return tool_broke(&tool, row.way, error);
    if (error != 0) {
        row.status = "refused";
        vm_error_text(error, why, sizeof why);
    }
    return tool_print_row(&tool, &row);
}

static int run_ways(const struct options *options)
{
    int status = tool_print_header(&tool);
    for (uint64_t repeat = 1; repeat <= options->repeat; repeat++)
        for (size_t i = 0; i < options->ways.count && status == TOOL_TAKEN; i++)
            status = measure(options, (enum way)options->ways.values[i], repeat);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {
        .pages = ARTICLE_PAGES, .repeat = 10, .trap = (enum trap_kind)trap_kinds[0].value};
    int status = TOOL_TAKEN;
    if (!tool_parse(&tool, argc, argv, &options, &status))
        return status;
    int error = vm_use_pages(VM_PAGES_SMALL);
    if (error != 0)
        return tool_broke(&tool, "keeping to small pages", error);
    return options.ways.count > 0 ? run_ways(&options) : run_session(&options);
}
