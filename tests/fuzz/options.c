/* Whole command lines, an argument a line, of made-up harnesses: what is accepted keeps to the
 * contract of options.h, and means the same when it is written out and read again. */
#include "options.h"

#include <inttypes.h>

#include "fuzz.h"

static bool load(const char *path, char *message, size_t size)
{
    (void)path;
    (void)message;
    (void)size;
    return true;
}

static int fault(struct region *region, size_t offset)
{
    (void)region;
    (void)offset;
    return 0;
}

enum { REFUSED_MAX = 20 };

/* Harnesses, and what they must refuse. */
static const struct harness {
    struct strategy strategy;
    const char *refused[REFUSED_MAX];
} harnesses[] = {
    {{.name = "all",
      .step = STEP_CHUNK,
      .guarded = true,
      .grows = true,
      .purges = true,
      .threads = true,
      .fault = fault},
     {"--library", "--recording"}},
    {{.name = "plain", .step = STEP_SIZE},
     {"--chunk", "--growth", "--purge", "--purge-step", "--guard", "--trap", "--library",
      "--threads", "--share", "--processes", "--recording"}},
    {{.name = "blocks", .step = STEP_SIZE, .blocks = true},
     {"--chunk", "--growth", "--purge", "--purge-step", "--guard", "--trap", "--library", "--order",
      "--commit", "--trace", "--staircase", "--turns", "--threads", "--share", "--processes",
      "--recording"}},
    {{.name = "library", .step = STEP_CHUNK, .load = load},
     {"--growth", "--purge", "--purge-step", "--guard", "--trap", "--commit", "--threads",
      "--share", "--processes", "--recording"}},
};

enum { ARGUMENTS_MAX = 24, LINE_MAX_BYTES = 1200 };

struct line {
    char bytes[ARGUMENTS_MAX][LINE_MAX_BYTES];
    char *arguments[ARGUMENTS_MAX + 2];
    int count; /* of arguments, the program's name among them */
};

static void begin(struct line *line)
{
    static char name[] = "harness";
    line->count = 1;
    line->arguments[0] = name;
    line->arguments[1] = NULL;
}

/* Room for the next argument. */
static char *next(struct line *line)
{
    char *bytes = line->bytes[line->count - 1];
    line->arguments[line->count++] = bytes;
    line->arguments[line->count] = NULL;
    return bytes;
}

static void add(struct line *line, const char *option, const char *value)
{
    if (value != NULL)
        snprintf(next(line), LINE_MAX_BYTES, "%s=%s", option, value);
}

static bool takes(const struct harness *harness, const char *name)
{
    for (int i = 0; i < REFUSED_MAX && harness->refused[i] != NULL; i++)
        if (strcmp(harness->refused[i], name) == 0)
            return false;
    return true;
}

static bool are_sizes(const struct sizes *sizes)
{
    for (size_t i = 0; i < sizes->count; i++)
        if (sizes->values[i] == 0 || sizes->values[i] % vm_page_bytes() != 0 ||
            sizes->values[i] > PTRDIFF_MAX)
            return false;
    return sizes->count >= 1 && sizes->count <= VALUES_MAX;
}

static bool are_parts(const struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        if (parts->values[i] == 0 || parts->values[i] > VALUES_WHOLE)
            return false;
    return parts->count >= 1 && parts->count <= VALUES_MAX;
}

static bool are_threads(const struct options *options)
{
    const struct numbers *threads = &options->threads;
    for (size_t i = 0; i < threads->count; i++)
        if (threads->values[i] == 0 || threads->values[i] > threads->most)
            return false;
    return threads->count >= 1 && threads->count <= VALUES_MAX;
}

/* NULL, which an option that was not given leaves, or a text that is not empty. */
static bool is_file(const char *text)
{
    return text == NULL || *text != '\0';
}

/* Turns are of one configuration, without a number of samples and without files. */
static bool are_turns(const struct options *options)
{
    return options->sizes.count == 1 && options->chunks.count == 1 && options->touches.count == 1 &&
           options->threads.count == 1 && !options->processes && options->repeat == 0 &&
           options->trace == NULL && options->staircase == NULL &&
           strcmp(options->output, "-") == 0;
}

static void check_contract(const struct harness *harness, const struct options *options)
{
    const struct configuration *common = &options->common;
    FUZZ_CHECK(are_sizes(&options->sizes) && are_sizes(&options->chunks));
    FUZZ_CHECK(are_parts(&options->touches) && are_threads(options));
    FUZZ_CHECK(takes(harness, "--threads") || options->threads.values[0] == 1);
    FUZZ_CHECK(kind_name(share_names, (int)common->share) != NULL);
    FUZZ_CHECK(takes(harness, "--share") || common->share == SHARE_OWN);
    FUZZ_CHECK(options->turns ? are_turns(options) : options->repeat > 0);
    FUZZ_CHECK(options->output != NULL && *options->output != '\0');
    FUZZ_CHECK(is_file(options->trace) && is_file(options->staircase));
    FUZZ_CHECK(is_file(options->loaded));
    FUZZ_CHECK(options->trace == NULL || strcmp(options->trace, "-") != 0);
    FUZZ_CHECK(options->staircase == NULL || strcmp(options->staircase, "-") != 0);
    FUZZ_CHECK(kind_name(workload_orders, (int)common->order) != NULL);
    FUZZ_CHECK(kind_name(vm_pages_kinds, (int)common->pages) != NULL);
    FUZZ_CHECK(kind_name(commit_kinds, (int)common->commit) != NULL);
    FUZZ_CHECK(kind_name(purge_kinds, (int)common->purge) != NULL);
    FUZZ_CHECK(common->purge_step % vm_page_bytes() == 0);
    FUZZ_CHECK(common->purge_step == 0 || common->purge != PURGE_NONE);
    FUZZ_CHECK(takes(harness, "--purge") || common->purge == PURGE_NONE);
    FUZZ_CHECK(kind_name(guard_kinds, (int)common->guard) != NULL);
    FUZZ_CHECK(kind_name(trap_kinds, (int)common->trap) != NULL);
    FUZZ_CHECK(takes(harness, "--library") || options->loaded == NULL);
    FUZZ_CHECK(takes(harness, "--trace") || options->trace == NULL);
    FUZZ_CHECK(takes(harness, "--turns") || !options->turns);
    FUZZ_CHECK(takes(harness, "--order") || common->order == ORDER_SEQUENTIAL);
    FUZZ_CHECK(takes(harness, "--chunk") ||
               (options->chunks.count == 1 && options->chunks.values[0] == 65536));
}

static void add_sizes(struct line *line, const char *option, const struct sizes *sizes)
{
    char list[VALUES_MAX * 21 + 1] = "";
    for (size_t i = 0; i < sizes->count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%zu", i > 0 ? "," : "",
                 sizes->values[i]);
    if (strlen(list) < 1024) /* the longest that is read */
        add(line, option, list);
}

static void add_parts(struct line *line, const struct parts *parts)
{
    char list[VALUES_MAX * 9 + 1] = "";
    for (size_t i = 0; i < parts->count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%u.%06u", i > 0 ? "," : "",
                 parts->values[i] / VALUES_WHOLE, parts->values[i] % VALUES_WHOLE);
    add(line, "--touch", list);
}

static void add_threads(struct line *line, const struct options *options)
{
    char list[VALUES_MAX * 4 + 1] = "";
    for (size_t i = 0; i < options->threads.count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%u", i > 0 ? "," : "",
                 options->threads.values[i]);
    add(line, "--threads", list);
    if (options->processes)
        snprintf(next(line), LINE_MAX_BYTES, "--processes");
    else
        add(line, "--share", kind_name(share_kinds, (int)options->common.share));
}

static void add_number(struct line *line, const char *option, uint64_t number)
{
    snprintf(next(line), LINE_MAX_BYTES, "%s=%" PRIu64, option, number);
}

static void add_kind(struct line *line, const struct harness *harness, const char *option,
                     const struct kind *kinds, int kind)
{
    if (takes(harness, option))
        add(line, option, kind_name(kinds, kind));
}

/* The same in full. */
static void write_out(const struct harness *harness, const struct options *options,
                      struct line *line)
{
    const struct configuration *common = &options->common;
    begin(line);
    add_sizes(line, "--size", &options->sizes);
    if (takes(harness, "--chunk"))
        add_sizes(line, "--chunk", &options->chunks);
    add_parts(line, &options->touches);
    add_number(line, "--seed", options->seed);
    add_kind(line, harness, "--order", workload_orders, (int)common->order);
    add_kind(line, harness, "--pages", vm_pages_kinds, (int)common->pages);
    add_kind(line, harness, "--growth", growth_kinds, (int)common->growth);
    if (takes(harness, "--threads"))
        add_threads(line, options);
    add_kind(line, harness, "--commit", commit_kinds, (int)common->commit);
    add_kind(line, harness, "--purge", purge_kinds, (int)common->purge);
    if (common->purge_step > 0)
        add_number(line, "--purge-step", common->purge_step);
    add_kind(line, harness, "--guard", guard_kinds, (int)common->guard);
    add_kind(line, harness, "--trap", trap_kinds, (int)common->trap);
    add(line, "--library", options->loaded);
    if (options->turns) {
        snprintf(next(line), LINE_MAX_BYTES, "--turns");
        return;
    }
    add_number(line, "--repeat", options->repeat);
    add(line, "--output", options->output);
    add(line, "--trace", options->trace);
    add(line, "--staircase", options->staircase);
}

static bool same_text(const char *a, const char *b)
{
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool same_sizes(const struct sizes *a, const struct sizes *b)
{
    return a->count == b->count && memcmp(a->values, b->values, a->count * sizeof *a->values) == 0;
}

static bool same_configuration(const struct configuration *a, const struct configuration *b)
{
    return a->size == b->size && a->step == b->step && a->touched == b->touched &&
           a->order == b->order && a->growth == b->growth && a->pages == b->pages &&
           a->commit == b->commit && a->purge == b->purge && a->purge_step == b->purge_step &&
           a->guard == b->guard && a->trap == b->trap && a->share == b->share;
}

static bool same_files(const struct options *a, const struct options *b)
{
    return same_text(a->output, b->output) && same_text(a->trace, b->trace) &&
           same_text(a->staircase, b->staircase) && same_text(a->loaded, b->loaded);
}

static bool same_threads(const struct options *a, const struct options *b)
{
    return a->threads.count == b->threads.count &&
           memcmp(a->threads.values, b->threads.values,
                  a->threads.count * sizeof *a->threads.values) == 0;
}

static bool same_but_sizes(const struct options *a, const struct options *b)
{
    return same_threads(a, b) && a->touches.count == b->touches.count &&
           memcmp(a->touches.values, b->touches.values,
                  a->touches.count * sizeof *a->touches.values) == 0 &&
           a->repeat == b->repeat && a->seed == b->seed && a->turns == b->turns &&
           same_configuration(&a->common, &b->common) && same_files(a, b);
}

static bool has_argument(const struct line *line, const char *start)
{
    for (int i = 1; i < line->count; i++)
        if (strncmp(line->arguments[i], start, strlen(start)) == 0)
            return true;
    return false;
}

static void check_accepted(const struct harness *harness, const struct options *options)
{
    static struct line line;
    struct options again;
    char message[512];
    check_contract(harness, options);
    write_out(harness, options, &line);
    FUZZ_CHECK(options_parse(&harness->strategy, line.count, line.arguments, &again, message,
                             sizeof message));
    FUZZ_CHECK(again.answer == ANSWER_NONE);
    FUZZ_CHECK(same_but_sizes(options, &again));
    if (has_argument(&line, "--size="))
        FUZZ_CHECK(same_sizes(&options->sizes, &again.sizes));
    if (has_argument(&line, "--chunk="))
        FUZZ_CHECK(same_sizes(&options->chunks, &again.chunks));
}

static bool is_refused(const struct harness *harness, const char *argument)
{
    size_t length = strcspn(argument, "=");
    for (int i = 0; i < REFUSED_MAX && harness->refused[i] != NULL; i++)
        if (strlen(harness->refused[i]) == length &&
            strncmp(harness->refused[i], argument, length) == 0)
            return true;
    return false;
}

static bool is_flag(const char *argument)
{
    return strcmp(argument, "--turns") == 0 || strcmp(argument, "--processes") == 0;
}

/* Of an accepted line without --help or the like: each option but flags has a value, behind a = or
 * next. */
static void check_taken(const struct harness *harness, const struct line *line)
{
    for (int i = 1; i < line->count; i++) {
        FUZZ_CHECK(!is_refused(harness, line->arguments[i]));
        i += strchr(line->arguments[i], '=') == NULL && !is_flag(line->arguments[i]);
    }
}

/* A refusal starts with the option, or with what stands in its place. */
static bool names_an_argument(const struct line *line, const char *message)
{
    for (int i = 1; i < line->count; i++) {
        size_t length = strcspn(line->arguments[i], "=");
        const char *whole = line->arguments[i];
        if (strncmp(message, whole, length) == 0 || strncmp(message, whole, strlen(message)) == 0)
            return true;
    }
    return false;
}

static void check(const struct harness *harness, struct line *line)
{
    struct options options, again;
    char message[512] = "", message_again[512] = "";
    bool accepted = options_parse(&harness->strategy, line->count, line->arguments, &options,
                                  message, sizeof message);
    FUZZ_CHECK(options_parse(&harness->strategy, line->count, line->arguments, &again,
                             message_again, sizeof message_again) == accepted);
    FUZZ_CHECK(memchr(message, '\0', sizeof message) != NULL);
    FUZZ_CHECK(strcmp(message, message_again) == 0);
    if (!accepted) {
        FUZZ_CHECK(*message != '\0' && names_an_argument(line, message));
        return;
    }
    FUZZ_CHECK(*message == '\0' && options.answer == again.answer);
    FUZZ_CHECK(same_but_sizes(&options, &again) && same_sizes(&options.sizes, &again.sizes));
    if (options.answer != ANSWER_NONE)
        return;
    check_taken(harness, line);
    check_accepted(harness, &options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct line line;
    struct input input = {data, size};
    uint8_t harness = input_byte(&input);
    begin(&line);
    while (input.left > 0 && line.count <= ARGUMENTS_MAX)
        input_text(&input, '\n', next(&line), LINE_MAX_BYTES);
    check(&harnesses[harness % (sizeof harnesses / sizeof harnesses[0])], &line);
    return 0;
}
