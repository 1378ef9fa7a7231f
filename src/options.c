/* Reads argv without getopt, which Windows lacks. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "crew.h"

static bool any(const struct strategy *strategy)
{
    (void)strategy;
    return true;
}

static bool has_sizes(const struct strategy *strategy)
{
    return strategy->shape == NULL;
}

static bool has_steps(const struct strategy *strategy)
{
    return strategy->step == STEP_CHUNK;
}

static bool grows(const struct strategy *strategy)
{
    return strategy->grows;
}

static bool purges(const struct strategy *strategy)
{
    return strategy->purges;
}

static bool gives_back(const struct strategy *strategy)
{
    return strategy->purges || strategy->gives_back != NULL;
}

static bool runs_threads(const struct strategy *strategy)
{
    return strategy->threads;
}

static bool has_one_region(const struct strategy *strategy)
{
    return !strategy->blocks;
}

static bool touches_in_order(const struct strategy *strategy)
{
    return has_one_region(strategy) && has_sizes(strategy);
}

static bool has_guard(const struct strategy *strategy)
{
    return strategy->guarded;
}

static bool answers_faults(const struct strategy *strategy)
{
    return strategy->fault != NULL;
}

static bool loads_library(const struct strategy *strategy)
{
    return strategy->load != NULL && strategy->shape == NULL;
}

static bool loads_recording(const struct strategy *strategy)
{
    return strategy->load != NULL && strategy->shape != NULL;
}

static bool parse_size(const struct parser *parser, const char *text, struct options *options)
{
    return values_parse_sizes(parser, text, &options->sizes);
}

static bool parse_chunk(const struct parser *parser, const char *text, struct options *options)
{
    return values_parse_sizes(parser, text, &options->chunks);
}

static bool parse_touch(const struct parser *parser, const char *text, struct options *options)
{
    return values_parse_parts(parser, text, &options->touches);
}

static bool parse_purge_step(const struct parser *parser, const char *text, struct options *options)
{
    struct sizes sizes;
    if (!values_parse_sizes(parser, text, &sizes))
        return false;
    options->common.purge_step = sizes.values[0];
    return sizes.count == 1 ||
           values_refuse(parser, ": '%s' gives %zu sizes; name one", text, sizes.count);
}

static bool parse_threads(const struct parser *parser, const char *text, struct options *options)
{
    return values_parse_numbers(parser, text, &options->threads);
}

static bool parse_processes(const struct parser *parser, const char *text, struct options *options)
{
    (void)parser;
    (void)text;
    options->processes = true;
    return true;
}

static bool refuse_kind(const struct parser *parser, const char *text, const char *what,
                        const struct kind *kinds)
{
    char names[128];
    struct text list = text_in(names, sizeof names);
    text_add_kinds(&list, kinds);
    return values_refuse(parser, ": '%s' is no %s here; use %s", text, what, names);
}

static bool parse_kind(const struct parser *parser, const struct option *option,
                       const struct kind *kinds, const char *text, struct options *options)
{
    int kind = 0;
    if (!kind_find(kinds, text, &kind))
        return refuse_kind(parser, text, option->what, kinds);
    option->set(&options->common, kind);
    return true;
}

static void set_commit(struct configuration *configuration, int kind)
{
    configuration->commit = (enum commit_kind)kind;
}

static void set_purge(struct configuration *configuration, int kind)
{
    configuration->purge = (enum purge_kind)kind;
}

static void set_growth(struct configuration *configuration, int kind)
{
    configuration->growth = (enum growth)kind;
}

static void set_pages(struct configuration *configuration, int kind)
{
    configuration->pages = (enum vm_pages)kind;
}

static void set_order(struct configuration *configuration, int kind)
{
    configuration->order = (enum touch_order)kind;
}

static void set_guard(struct configuration *configuration, int kind)
{
    configuration->guard = (enum guard_kind)kind;
}

static void set_trap(struct configuration *configuration, int kind)
{
    configuration->trap = (enum trap_kind)kind;
}

static void set_share(struct configuration *configuration, int kind)
{
    configuration->share = (enum share)kind;
}

static const struct kind *shares(const struct strategy *strategy)
{
    (void)strategy;
    return share_kinds;
}

static const struct kind *growths(const struct strategy *strategy)
{
    (void)strategy;
    return growth_kinds;
}

static const struct kind *guards(const struct strategy *strategy)
{
    (void)strategy;
    return guard_kinds;
}

static bool parse_repeat(const struct parser *parser, const char *text, struct options *options)
{
    return (values_parse_number(text, &options->repeat) && options->repeat > 0) ||
           values_refuse(parser, ": '%s' is no number of samples; use a whole number from 1", text);
}

static bool parse_seed(const struct parser *parser, const char *text, struct options *options)
{
    return values_parse_number(text, &options->seed) ||
           values_refuse(parser, ": '%s' is no seed; use a whole number from 0 to 2^64 - 1", text);
}

static bool parse_output(const struct parser *parser, const char *text, struct options *options)
{
    options->output = text;
    return *text != '\0' ||
           values_refuse(parser, ": '' is no file; name one, or - for standard output");
}

static bool parse_library(const struct parser *parser, const char *text, struct options *options)
{
    options->loaded = text;
    return *text != '\0' || values_refuse(parser, ": '' is no file; name a shared library");
}

static bool parse_recording(const struct parser *parser, const char *text, struct options *options)
{
    options->loaded = text;
    return *text != '\0' || values_refuse(parser, ": '' is no folder; name that of a recording");
}

/* Standard output is for the samples, or for nothing. */
static bool parse_own_file(const struct parser *parser, const char *text)
{
    if (*text == '\0')
        return values_refuse(parser, ": '' is no file; name one");
    return strcmp(text, "-") != 0 ||
           values_refuse(parser, ": '-' is standard output, which is for samples; name a file");
}

static bool parse_trace(const struct parser *parser, const char *text, struct options *options)
{
    options->trace = text;
    return parse_own_file(parser, text);
}

static bool parse_staircase(const struct parser *parser, const char *text, struct options *options)
{
    options->staircase = text;
    return parse_own_file(parser, text);
}

static bool parse_turns(const struct parser *parser, const char *text, struct options *options)
{
    (void)parser;
    (void)text;
    options->turns = true;
    return true;
}

const struct option options_table[] = {
    {.name = "--size",
     .value = "LIST",
     .help = "region sizes: 4K,64K,1M,4G, or a range: 4K..4G (each power of two),\n"
             "4K..4G*4 (each power of four)   [4K..1G*4]",
     .taken_by = has_sizes,
     .lacks = "has the size of what was recorded",
     .parse = parse_size},
    {.name = "--chunk",
     .value = "LIST",
     .help = "the step: by how much is committed at a time   [64K]",
     .taken_by = has_steps,
     .lacks = "has no step that could be set",
     .parse = parse_chunk},
    {.name = "--growth",
     .value = "KIND",
     .help = "every step the same, or each twice the one before: ",
     .kinds = growths,
     .what = "way to grow",
     .set = set_growth,
     .taken_by = grows,
     .lacks = "has no steps that could grow"},
    {.name = "--touch",
     .value = "LIST",
     .help = "part of the region that is written to: 1, 0.1   [1]",
     .taken_by = has_sizes,
     .lacks = "touches what was touched in the recording",
     .parse = parse_touch},
    {.name = "--order",
     .value = "ORDER",
     .help = "of touching: ",
     .kinds = strategy_orders,
     .what = "order",
     .set = set_order,
     .taken_by = touches_in_order,
     .lacks = "touches in an order of its own"},
    {.name = "--commit",
     .value = "KIND",
     .help = "how pages are made usable: ",
     .kinds = strategy_commit_kinds,
     .what = "way to commit",
     .set = set_commit,
     .taken_by = strategy_commits,
     .lacks = "leaves committing to code that is not vmcommit's"},
    {.name = "--purge",
     .value = "KIND",
     .help = "how to give back what was touched, before it is touched again: ",
     .kinds = strategy_purge_kinds,
     .what = "way to give back",
     .set = set_purge,
     .taken_by = gives_back,
     .lacks = "does not give back what it has touched"},
    {.name = "--purge-step",
     .value = "SIZE",
     .help = "by how much a call gives back   [all at once]",
     .taken_by = purges,
     .lacks = "does not give back what it has touched",
     .parse = parse_purge_step},
    {.name = "--pages",
     .value = "KIND",
     .help = "how large pages are: ",
     .kinds = strategy_pages_kinds,
     .what = "kind of pages",
     .set = set_pages,
     .taken_by = any},
    {.name = "--threads",
     .value = "LIST",
     .help = "how many threads do it at the same time, up to 256: 1,2,4   [1]",
     .taken_by = runs_threads,
     .lacks = "is for one thread alone",
     .parse = parse_threads},
    {.name = "--share",
     .value = "KIND",
     .help = "a region for each thread, a stripe of one, or the same pages: ",
     .kinds = shares,
     .what = "way to share",
     .set = set_share,
     .taken_by = runs_threads,
     .lacks = "is for one thread alone"},
    {.name = "--processes",
     .value = "",
     .help = "as many processes in the place of threads",
     .taken_by = runs_threads,
     .lacks = "is for one thread alone",
     .parse = parse_processes},
    {.name = "--guard",
     .value = "KIND",
     .help = "how a guard page is made: ",
     .kinds = guards,
     .what = "kind of guard",
     .set = set_guard,
     .taken_by = has_guard,
     .lacks = "sets no guard page"},
    {.name = "--trap",
     .value = "KIND",
     .help = "how a fault is caught: ",
     .kinds = strategy_trap_kinds,
     .what = "way to catch a fault",
     .set = set_trap,
     .taken_by = answers_faults,
     .lacks = "expects no faults"},
    {.name = "--repeat",
     .value = "N",
     .help = "samples of each configuration   [10]",
     .taken_by = any,
     .parse = parse_repeat},
    {.name = "--seed",
     .value = "N",
     .help = "of random orders: within each round, and of touching   [1]",
     .taken_by = any,
     .parse = parse_seed},
    {.name = "--output",
     .value = "FILE",
     .help = "where the CSV goes; - is standard output   [-]",
     .taken_by = any,
     .parse = parse_output},
    {.name = "--trace",
     .value = "FILE",
     .help = "each touch of one more cycle a sample: page, ns, commit calls",
     .taken_by = touches_in_order,
     .lacks = "can't take one more cycle touch by touch",
     .parse = parse_trace},
    {.name = "--staircase",
     .value = "FILE",
     .help = "charge and residency as the touching of one more cycle proceeds",
     .taken_by = touches_in_order,
     .lacks = "can't take one more cycle touch by touch",
     .parse = parse_staircase},
    {.name = "--turns",
     .value = "",
     .help = "stay, and do what standard input asks for, turn by turn (docs/turns.md)",
     .taken_by = has_one_region,
     .lacks = "is timed in its process's first cycle alone, so that each sample needs a process",
     .parse = parse_turns},
    {.name = "--library",
     .value = "FILE",
     .help = "what is measured: a shared library that answers vmcommit.h",
     .taken_by = loads_library,
     .lacks = "loads no library",
     .parse = parse_library},
    {.name = "--recording",
     .value = "DIR",
     .help = "what is replayed: the folder of a recording; DIR alone says the same",
     .taken_by = loads_recording,
     .lacks = "replays nothing",
     .parse = parse_recording},
    {.name = NULL},
};

static const struct kind answers[] = {
    {"--help", ANSWER_HELP},
    {"--version", ANSWER_VERSION},
    {"--describe", ANSWER_DESCRIBE},
    {NULL, 0},
};

enum { DEFAULT_REPEAT = 10, HELP_INDENT = 22, HELP_WIDTH = 100 };

/* Goes on where the last line of `help` ends, and below its start where a line is full. */
static void add_wrapped(struct text *text, const char *help, const char *words)
{
    const char *last_line = strrchr(help, '\n');
    size_t column = HELP_INDENT + strlen(last_line != NULL ? last_line + 1 : help);
    while (*words != '\0') {
        size_t blanks = strspn(words, " ");
        size_t length = strcspn(words + blanks, " ");
        if (column + blanks + length > HELP_WIDTH) {
            text_add(text, "\n%*s", HELP_INDENT, "");
            column = HELP_INDENT;
            words += blanks;
            blanks = 0;
        }
        text_add(text, "%.*s", (int)(blanks + length), words);
        column += blanks + length;
        words += blanks + length;
    }
}

static void add_kinds(struct text *text, const char *help, const struct kind *kinds)
{
    char words[256];
    struct text list = text_in(words, sizeof words);
    text_add_kinds(&list, kinds);
    text_add(&list, "   [%s]", kinds->name);
    add_wrapped(text, help, words);
}

void options_add_help(const struct strategy *strategy, struct text *text)
{
    for (const struct option *option = options_table; option->name != NULL; option++) {
        if (!option->taken_by(strategy))
            continue;
        int room = HELP_INDENT - 3 - (int)strlen(option->name);
        text_add(text, "  %s %-*s", option->name, room, option->value);
        text_add_indented(text, option->help, HELP_INDENT);
        if (option->kinds != NULL)
            add_kinds(text, option->help, option->kinds(strategy));
        text_add(text, "\n");
    }
    text_add(text, "  --describe          what this harness is and takes, as one JSON object\n"
                   "  --help, --version\n"
                   "\n"
                   "Sizes take K, M, G (powers of 1024) or plain bytes, in whole pages.\n"
                   "Exit status: 0 all samples were taken; 1 something broke; 2 bad usage.\n");
}

/* The option that `argument` names, alone or with "=VALUE". */
static const struct option *find_option(const char *argument)
{
    for (const struct option *option = options_table; option->name != NULL; option++) {
        size_t length = strlen(option->name);
        if (strncmp(argument, option->name, length) == 0 &&
            (argument[length] == '\0' || argument[length] == '='))
            return option;
    }
    return NULL;
}

/* Reads one option at *argv and moves past it. */
static bool parse_option(const struct strategy *strategy, struct parser *parser, char ***argv,
                         struct options *options)
{
    char *argument = *(*argv)++;
    const struct option *option = find_option(argument);
    parser->option = option != NULL ? option->name : argument;
    if (option == NULL && argument[0] != '-' && loads_recording(strategy))
        return parse_recording(parser, argument, options);
    if (option == NULL)
        return values_refuse(parser, ": no such option; --help lists them");
    const char *equals = strchr(argument, '=');
    bool flag = option->value[0] == '\0';
    const char *text = equals != NULL ? equals + 1 : flag ? "" : **argv;
    if (!option->taken_by(strategy))
        return values_refuse(parser, ": '%s': %s %s; leave %s out", text != NULL ? text : "",
                             strategy->name, option->lacks, option->name);
    if (flag && equals != NULL)
        return values_refuse(parser, ": '%s': it takes no value; leave it out", text);
    if (text == NULL)
        return values_refuse(parser, ": no value; --help says what it takes");
    *argv += equals == NULL && !flag;
    return option->kinds != NULL
               ? parse_kind(parser, option, option->kinds(strategy), text, options)
               : option->parse(parser, text, options);
}

/* Turns are of one configuration, and go by what they are asked for. */
static bool check_turns(struct parser *parser, const struct options *options)
{
    size_t count = options->sizes.count * options->chunks.count * options->touches.count *
                   options->threads.count;
    const struct {
        const char *name;
        bool given;
    } unusable[] = {{"--repeat", options->repeat > 0},
                    {"--trace", options->trace != NULL},
                    {"--staircase", options->staircase != NULL},
                    {"--output", strcmp(options->output, "-") != 0}};
    parser->option = "--turns";
    if (options->processes)
        return values_refuse(parser, ": processes end with each turn; use threads");
    for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++)
        if (unusable[i].given)
            return values_refuse(parser, ": %s has no meaning beside it; leave %s out",
                                 unusable[i].name, unusable[i].name);
    return count == 1 ||
           values_refuse(parser,
                         ": %zu configurations asked for; name one --size, one --chunk, "
                         "one --touch and one number of --threads",
                         count);
}

static bool check_purge(struct parser *parser, const struct options *options)
{
    parser->option = "--purge-step";
    return options->common.purge != PURGE_NONE || options->common.purge_step == 0 ||
           values_refuse(parser, ": '%zu': nothing is given back without --purge; name a kind",
                         options->common.purge_step);
}

/* What one thread alone can do, and what can't be done to pages under other threads. */
static bool check_threads(struct parser *parser, const struct options *options)
{
    bool several = options->threads.count > 1 || options->threads.values[0] > 1;
    const char *one_touch_at_a_time = options->trace != NULL       ? "--trace"
                                      : options->staircase != NULL ? "--staircase"
                                                                   : NULL;
    parser->option = "--threads";
    if (several && one_touch_at_a_time != NULL)
        return values_refuse(parser, ": %s follows the touches of one thread; leave %s out",
                             one_touch_at_a_time, one_touch_at_a_time);
    parser->option = "--processes";
    if (options->processes && options->common.share != SHARE_OWN)
        return values_refuse(parser, ": processes have no region in common; leave --share out");
    parser->option = "--share";
    return options->common.share != SHARE_PAGES || options->common.purge == PURGE_NONE ||
           values_refuse(parser, ": 'pages' are not given back under other threads; use own or "
                                 "stripes with --purge");
}

/* The first of its kind each. */
static void set_default_kinds(const struct strategy *strategy, struct options *options)
{
    for (const struct option *option = options_table; option->name != NULL; option++)
        if (option->kinds != NULL)
            option->set(&options->common, option->kinds(strategy)->value);
}

static bool set_defaults(const struct strategy *strategy, const struct parser *parser,
                         struct options *options)
{
    *options = (struct options){.touches = {{VALUES_WHOLE}, 1},
                                .threads = {{1}, 1, CREW_MAX},
                                .common = configuration_make(0, 0),
                                .seed = 1,
                                .output = "-"};
    char sizes[64]; /* from a page on */
    set_default_kinds(strategy, options);
    snprintf(sizes, sizeof sizes, has_sizes(strategy) ? "%zu..1G*4" : "%zu", vm_page_bytes());
    return values_parse_sizes(parser, sizes, &options->sizes) &&
           values_parse_sizes(parser, "64K", &options->chunks);
}

bool options_parse(const struct strategy *strategy, int argc, char **argv, struct options *options,
                   char *message, size_t size)
{
    struct parser parser = {.option = "defaults", .message = message, .size = size};
    int answer;
    if (!set_defaults(strategy, &parser, options))
        return false;
    for (char **next = argv + (argc > 0); *next != NULL;) {
        if (kind_find(answers, *next, &answer)) {
            options->answer = (enum options_answer)answer;
            return true;
        }
        if (!parse_option(strategy, &parser, &next, options))
            return false;
    }
    if (options->repeat == 0)
        options->repeat = options->turns ? 0 : DEFAULT_REPEAT;
    if (!check_purge(&parser, options) || !check_threads(&parser, options))
        return false;
    if (options->processes)
        options->common.share = SHARE_PROCESSES;
    return !options->turns || check_turns(&parser, options);
}
