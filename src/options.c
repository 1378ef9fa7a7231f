/* Reads argv without getopt, which Windows lacks. */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/trap.h"

const char options_help[] =
    "  --size LIST         region sizes: 4K,64K,1M,4G, or a range: 4K..4G (each power of two),\n"
    "                      4K..4G*4 (each power of four)             [4K..1G*4]\n"
    "  --chunk LIST        step of chunked and guard                 [64K]\n"
    "  --touch LIST        part of the region that is written to: 1, 0.1   [1]\n"
    "  --pages small|thp   base pages only, or transparent huge pages invited   [small]\n"
    "  --order ORDER       of touching: sequential, reverse, random or alternate  [sequential]\n"
    "  --guard KIND        how a guard page is made: %s   [auto]\n"
    "  --trap KIND         how a fault is caught: %s\n"
    "  --repeat N          samples of each configuration             [10]\n"
    "  --seed N            of random orders: within each round, and of touching   [1]\n"
    "  --output FILE       where the CSV goes; - is standard output  [-]\n"
    "  --trace FILE        each touch of one more cycle a sample: page, ns, commit calls\n"
    "  --library FILE      what custom measures: a shared library that answers vmcommit.h\n"
    "  --staircase FILE    charge and residency as the touching of one more cycle proceeds\n"
    "  --help, --version\n"
    "\n"
    "Sizes take K, M, G (powers of 1024) or plain bytes, in whole pages.\n"
    "Exit status: 0 all samples were taken; 1 something broke; 2 bad usage.\n";

struct parser {
    char *message;
    size_t message_size;
    const char *option; /* the one being read */
};

/* Always false, so that a refusal is one statement. */
static bool refuse(const struct parser *parser, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(parser->message, parser->message_size, "%s", parser->option);
    if (length < 0 || (size_t)length >= parser->message_size)
        return false;
    va_start(arguments, format);
    vsnprintf(parser->message + length, parser->message_size - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

/* Decimal digits only, no sign, no space; *rest is what follows them. */
static bool parse_digits(const char *text, uint64_t *value, const char **rest)
{
    const char *c = text;
    *value = 0;
    for (; *c >= '0' && *c <= '9'; c++) {
        uint64_t digit = (uint64_t)(*c - '0');
        if (*value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    *rest = c;
    return c != text;
}

static bool parse_number(const char *text, uint64_t *value)
{
    const char *rest;
    return parse_digits(text, value, &rest) && *rest == '\0';
}

bool options_parse_size(const char *text, size_t *bytes)
{
    uint64_t value;
    const char *rest;
    unsigned shift = 0;
    if (!parse_digits(text, &value, &rest))
        return false;
    switch (*rest) {
    case 'K': shift = 10; break;
    case 'M': shift = 20; break;
    case 'G': shift = 30; break;
    default: break;
    }
    if (rest[shift != 0] != '\0' || value == 0 || value > (uint64_t)PTRDIFF_MAX >> shift)
        return false;
    *bytes = (size_t)value << shift;
    return true;
}

static bool add_size(const struct parser *parser, const char *item, size_t bytes,
                     struct options_sizes *sizes)
{
    if (bytes % vm_page_bytes() != 0)
        return refuse(parser, ": '%s' gives %zu bytes, which is no multiple of the page size, %zu",
                      item, bytes, vm_page_bytes());
    for (size_t i = 0; i < sizes->count; i++)
        if (sizes->values[i] == bytes)
            return refuse(parser, ": '%s' gives %zu bytes a second time; name each size once", item,
                          bytes);
    if (sizes->count == OPTIONS_LIST_MAX)
        return refuse(parser, ": '%s' is one too many; at most %d sizes", item, OPTIONS_LIST_MAX);
    sizes->values[sizes->count++] = bytes;
    return true;
}

static bool refuse_size(const struct parser *parser, const char *item)
{
    return refuse(parser, ": '%s' is no size; use bytes or K, M, G, as in 64K; 4K..4G; 4K..4G*4",
                  item);
}

/* FIRST..LAST or FIRST..LAST*FACTOR; cuts `range` at `dots`. */
static bool parse_range(const struct parser *parser, char *range, char *dots,
                        struct options_sizes *sizes)
{
    char item[128];
    size_t first, last;
    uint64_t factor = 2;
    snprintf(item, sizeof item, "%s", range);
    *dots = '\0';
    char *star = strchr(dots + 2, '*');
    if (star != NULL) {
        *star = '\0';
        if (!parse_number(star + 1, &factor) || factor < 2)
            return refuse(parser, ": '%s' has no factor of 2 or more behind its *", item);
    }
    if (!options_parse_size(range, &first) || !options_parse_size(dots + 2, &last))
        return refuse_size(parser, item);
    if (first > last)
        return refuse(parser, ": '%s' runs downwards; put the smaller size first", item);
    for (size_t bytes = first;; bytes *= (size_t)factor) {
        if (!add_size(parser, item, bytes, sizes))
            return false;
        if (bytes > last / factor)
            return true;
    }
}

static bool parse_size_item(const struct parser *parser, char *item, void *list)
{
    struct options_sizes *sizes = list;
    size_t bytes;
    char *dots = strstr(item, "..");
    if (dots != NULL)
        return parse_range(parser, item, dots, sizes);
    if (!options_parse_size(item, &bytes))
        return refuse_size(parser, item);
    return add_size(parser, item, bytes, sizes);
}

/* "1", "0.1": more than none, at most all, in millionths. */
static bool parse_part(const char *text, uint32_t *part)
{
    uint64_t whole, fraction = 0;
    const char *rest;
    if (!parse_digits(text, &whole, &rest) || whole > 1)
        return false;
    uint32_t scale = OPTIONS_WHOLE;
    if (*rest == '.') {
        const char *digits = rest + 1;
        if (!parse_digits(digits, &fraction, &rest) || rest - digits > 6)
            return false;
        for (; digits < rest; digits++)
            scale /= 10;
    }
    uint64_t value = whole * OPTIONS_WHOLE + fraction * scale;
    *part = (uint32_t)value;
    return *rest == '\0' && value > 0 && value <= OPTIONS_WHOLE;
}

static bool parse_part_item(const struct parser *parser, char *item, void *list)
{
    struct options_parts *parts = list;
    uint32_t part;
    if (!parse_part(item, &part))
        return refuse(parser, ": '%s' is no part; use a number above 0 and up to 1, as in 0.1",
                      item);
    for (size_t i = 0; i < parts->count; i++)
        if (parts->values[i] == part)
            return refuse(parser, ": '%s' comes a second time; name each part once", item);
    if (parts->count == OPTIONS_LIST_MAX)
        return refuse(parser, ": '%s' is one too many; at most %d parts", item, OPTIONS_LIST_MAX);
    parts->values[parts->count++] = part;
    return true;
}

static bool parse_list(const struct parser *parser, const char *text,
                       bool (*parse_item)(const struct parser *, char *, void *), void *list)
{
    char copy[1024];
    if (*text == '\0')
        return refuse(parser, ": '' is an empty list; name at least one value");
    if (strlen(text) >= sizeof copy)
        return refuse(parser, ": '%.20s...' is longer than %zu characters", text, sizeof copy - 1);
    strcpy(copy, text);
    for (char *item = copy; item != NULL;) {
        char *comma = strchr(item, ',');
        if (comma != NULL)
            *comma = '\0';
        if (!parse_item(parser, item, list))
            return false;
        item = comma != NULL ? comma + 1 : NULL;
    }
    return true;
}

static bool parse_sizes(const struct parser *parser, const char *text, struct options_sizes *sizes)
{
    sizes->count = 0;
    return parse_list(parser, text, parse_size_item, sizes);
}

static bool parse_touch(const struct parser *parser, const char *text, struct options *options)
{
    options->touches.count = 0;
    return parse_list(parser, text, parse_part_item, &options->touches);
}

static bool parse_pages(const struct parser *parser, const char *text, struct options *options)
{
    if (strcmp(text, "small") == 0)
        options->pages = VM_PAGES_SMALL;
    else if (strcmp(text, "thp") == 0)
        options->pages = VM_PAGES_THP;
    else
        return refuse(parser, ": '%s' is no kind of pages; use small or thp", text);
    return true;
}

static bool parse_order(const struct parser *parser, const char *text, struct options *options)
{
    for (int order = 0; order < ORDER_COUNT; order++)
        if (strcmp(text, workload_order_names[order]) == 0) {
            options->order = (enum workload_order)order;
            return true;
        }
    return refuse(parser, ": '%s' is no order; use sequential, reverse, random or alternate", text);
}

static bool parse_guard(const struct parser *parser, const char *text, struct options *options)
{
    (void)options;
    return vm_guard_choose(text) ||
           refuse(parser, ": '%s' is no kind of guard here; use %s", text, vm_guard_names);
}

static bool parse_trap(const struct parser *parser, const char *text, struct options *options)
{
    (void)options;
    return trap_choose(text) ||
           refuse(parser, ": '%s' is no way to catch a fault here; use %s", text, trap_names);
}

static bool parse_repeat(const struct parser *parser, const char *text, struct options *options)
{
    return (parse_number(text, &options->repeat) && options->repeat > 0) ||
           refuse(parser, ": '%s' is no number of samples; use a whole number from 1", text);
}

static bool parse_seed(const struct parser *parser, const char *text, struct options *options)
{
    return parse_number(text, &options->seed) ||
           refuse(parser, ": '%s' is no seed; use a whole number from 0 to 2^64 - 1", text);
}

static bool parse_output(const struct parser *parser, const char *text, struct options *options)
{
    options->output = text;
    return *text != '\0' || refuse(parser, ": '' is no file; name one, or - for standard output");
}

static bool parse_library(const struct parser *parser, const char *text, struct options *options)
{
    options->library = text;
    return *text != '\0' || refuse(parser, ": '' is no file; name a shared library");
}

static bool parse_trace(const struct parser *parser, const char *text, struct options *options)
{
    options->trace = text;
    return *text != '\0' || refuse(parser, ": '' is no file; name one");
}

static bool parse_staircase(const struct parser *parser, const char *text, struct options *options)
{
    options->staircase = text;
    return *text != '\0' || refuse(parser, ": '' is no file; name one");
}

static bool parse_size_option(const struct parser *parser, const char *text,
                              struct options *options)
{
    return parse_sizes(parser, text, &options->sizes);
}

static bool parse_chunk_option(const struct parser *parser, const char *text,
                               struct options *options)
{
    return parse_sizes(parser, text, &options->chunks);
}

static const struct {
    const char *name;
    bool (*parse)(const struct parser *, const char *, struct options *);
} value_options[] = {
    {"--size", parse_size_option}, {"--chunk", parse_chunk_option},
    {"--touch", parse_touch},      {"--pages", parse_pages},
    {"--order", parse_order},      {"--guard", parse_guard},
    {"--trap", parse_trap},        {"--repeat", parse_repeat},
    {"--seed", parse_seed},        {"--output", parse_output},
    {"--trace", parse_trace},      {"--staircase", parse_staircase},
    {"--library", parse_library},
};

/* Reads one option at *argv and moves past it. */
static bool parse_option(struct parser *parser, char ***argv, struct options *options)
{
    char *argument = *(*argv)++;
    parser->option = argument;
    for (size_t i = 0; i < sizeof value_options / sizeof value_options[0]; i++) {
        const char *name = value_options[i].name;
        size_t length = strlen(name);
        if (strncmp(argument, name, length) != 0)
            continue;
        parser->option = name;
        if (argument[length] == '=')
            return value_options[i].parse(parser, argument + length + 1, options);
        if (argument[length] != '\0')
            continue;
        if (**argv == NULL)
            return refuse(parser, ": no value; give one, as --help tells");
        return value_options[i].parse(parser, *(*argv)++, options);
    }
    parser->option = argument;
    return refuse(parser, ": no such option; --help lists them");
}

bool options_parse(int argc, char **argv, struct options *options, char *message, size_t size)
{
    struct parser parser = {message, size, ""};
    *options =
        (struct options){.touches = {{OPTIONS_WHOLE}, 1}, .repeat = 10, .seed = 1, .output = "-"};
    if (!parse_sizes(&parser, "4K..1G*4", &options->sizes) ||
        !parse_sizes(&parser, "64K", &options->chunks))
        return false;
    vm_guard_choose("auto");
    for (char **next = argv + (argc > 0); *next != NULL;) {
        if (strcmp(*next, "--help") == 0 || strcmp(*next, "--version") == 0) {
            options->help = strcmp(*next, "--help") == 0;
            options->version = !options->help;
            return true;
        }
        if (!parse_option(&parser, &next, options))
            return false;
    }
    return true;
}
