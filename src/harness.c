/* main: every configuration once a round, in a new random order; each row written as soon as its
 * sample is taken, so that nothing measured is lost. */
#include "harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "detail.h"
#include "options.h"
#include "row.h"
#include "system/output.h"
#include "system/trap.h"
#include "system/vm.h"

enum { EXIT_TAKEN = 0, EXIT_BROKE = 1, EXIT_USAGE = 2 };

struct harness {
    struct options options;
    struct configuration *configurations;
    size_t count;
    struct output output, trace, staircase;
    uint64_t random;
};

static int complain(int status, const char *message)
{
    fprintf(stderr, "%s: %s\n", harness_strategy.name, message);
    return status;
}

static int complain_of_file(const char *option, const char *path, int status, int error)
{
    char text[128], message[512];
    vm_error_text(error, text, sizeof text);
    snprintf(message, sizeof message, "%s: cannot write '%s': %s", option, path, text);
    return complain(status, message);
}

static int write_out(const struct harness *harness, const char *text, size_t length)
{
    int error = output_write(&harness->output, text, length);
    return error == 0 ? EXIT_TAKEN
                      : complain_of_file("--output", harness->options.output, EXIT_BROKE, error);
}

/* A cycle of its own each, after the sample's. */
static int measure_trace(const struct harness *harness, struct record *record,
                         struct sample_trace *trace)
{
    if (!sample_trace(record->strategy, record->configuration, harness->options.seed, trace))
        return EXIT_TAKEN; /* refused, as the sample's row will say, or no memory for a list */
    record->trace = trace;
    int error = detail_write_trace(&harness->trace, record, trace);
    return error == 0 ? EXIT_TAKEN
                      : complain_of_file("--trace", harness->options.trace, EXIT_BROKE, error);
}

static int measure_staircase(const struct harness *harness, const struct record *record)
{
    static struct sample_checkpoint checkpoints[SAMPLE_CHECKPOINTS];
    memset(checkpoints, 0xff, sizeof checkpoints); /* in memory before anything is read */
    size_t reached = sample_staircase(record->strategy, record->configuration,
                                      harness->options.seed, checkpoints);
    int error = detail_write_staircase(&harness->staircase, record, checkpoints, reached);
    return error == 0
               ? EXIT_TAKEN
               : complain_of_file("--staircase", harness->options.staircase, EXIT_BROKE, error);
}

static int measure_details(const struct harness *harness, struct record *record,
                           struct sample_trace *trace)
{
    int status = EXIT_TAKEN;
    if (record->sample->status != SAMPLE_OK)
        return status;
    if (harness->options.trace != NULL)
        status = measure_trace(harness, record, trace);
    if (status == EXIT_TAKEN && harness->options.staircase != NULL)
        status = measure_staircase(harness, record);
    return status;
}

/* Fisher and Yates. */
static void shuffle(struct harness *harness)
{
    for (size_t i = harness->count; i > 1; i--) {
        size_t j = workload_random(&harness->random) % i;
        struct configuration swapped = harness->configurations[i - 1];
        harness->configurations[i - 1] = harness->configurations[j];
        harness->configurations[j] = swapped;
    }
}

/* Whole pages, rounded up, so that at least one page is touched. */
static size_t touched_bytes(size_t size, uint32_t part)
{
    size_t page = vm_page_bytes();
    size_t pages = size / page;
    size_t whole = pages / VALUES_WHOLE * part;
    size_t rest = (pages % VALUES_WHOLE * part + VALUES_WHOLE - 1) / VALUES_WHOLE;
    return (whole + rest) * page;
}

static size_t step_bytes(const struct options *options, size_t size, size_t chunk)
{
    switch (harness_strategy.step) {
    case STEP_SIZE: return size;
    case STEP_PAGE: return vm_page_bytes();
    case STEP_CHUNK: break;
    }
    return options->chunks.values[chunk];
}

/* Two parts of a small size may come to the same page: that is one configuration. */
static void add_configuration(struct harness *harness, struct configuration added)
{
    for (size_t i = 0; i < harness->count; i++) {
        const struct configuration *known = &harness->configurations[i];
        if (known->size == added.size && known->step == added.step &&
            known->touched == added.touched)
            return;
    }
    harness->configurations[harness->count++] = added;
}

static bool list_configurations(struct harness *harness)
{
    const struct options *options = &harness->options;
    size_t chunks = harness_strategy.step == STEP_CHUNK ? options->chunks.count : 1;
    size_t total = options->sizes.count * chunks * options->touches.count;
    harness->configurations = calloc(total, sizeof *harness->configurations);
    if (harness->configurations == NULL)
        return false;
    for (size_t i = 0; i < total; i++) {
        size_t size = options->sizes.values[i / options->touches.count / chunks];
        uint32_t part = options->touches.values[i % options->touches.count];
        add_configuration(
            harness, (struct configuration){
                         .size = size,
                         .step = step_bytes(options, size, i / options->touches.count % chunks),
                         .touched = touched_bytes(size, part),
                         .order = options->order,
                     });
    }
    return true;
}

/* Takes and writes one sample. */
static int measure(struct harness *harness, uint64_t round, size_t index)
{
    static char row[ROW_MAX_BYTES];
    static struct sample sample;
    const struct configuration *configuration = &harness->configurations[index];
    if (!sample_take(&harness_strategy, configuration, harness->options.seed, &sample))
        return complain(EXIT_BROKE, sample.error);
    struct record record = {.strategy = &harness_strategy,
                            .configuration = configuration,
                            .sample = &sample,
                            .pages = kind_name(vm_pages_kinds, harness->options.pages),
                            .round = round,
                            .position = index + 1};
    struct sample_trace trace = {0};
    int status = measure_details(harness, &record, &trace);
    size_t length = row_format(&record, row);
    sample_trace_free(&trace);
    return status == EXIT_TAKEN ? write_out(harness, row, length) : status;
}

static int measure_all(struct harness *harness)
{
    const char *header = row_header();
    int status = write_out(harness, header, strlen(header));
    if (status != EXIT_TAKEN)
        return status;
    sample_prepare(&harness_strategy);
    for (uint64_t round = 1; round <= harness->options.repeat; round++) {
        shuffle(harness);
        for (size_t i = 0; i < harness->count; i++) {
            status = measure(harness, round, i);
            if (status != EXIT_TAKEN)
                return status;
        }
    }
    return EXIT_TAKEN;
}

/* What a harness says instead of measuring goes to standard output, whatever --output names. */
static int print(const struct text *text)
{
    struct output standard_output;
    int error = output_open("-", &standard_output);
    if (error == 0)
        error = output_write(&standard_output, text->bytes, text->length);
    return error == 0 ? EXIT_TAKEN : complain_of_file("standard output", "-", EXIT_BROKE, error);
}

static void add_help(struct text *text)
{
    text_add(text,
             "%s: %s.\nWrites one CSV row a sample; docs/columns.md explains the columns.\n\n"
             "usage: %s [OPTION VALUE]...\n\n",
             harness_strategy.name, harness_strategy.summary, harness_strategy.name);
    options_add_help(&harness_strategy, text);
}

static int print_answer(enum options_answer answer)
{
    static char bytes[8192];
    struct text text = text_in(bytes, sizeof bytes);
    if (answer == ANSWER_HELP)
        add_help(&text);
    else if (answer == ANSWER_DESCRIBE)
        describe_strategy(&harness_strategy, VMCOMMIT_VERSION, &text);
    else
        text_add(&text, "%s (vmcommit) %s, %s\n", harness_strategy.name, VMCOMMIT_VERSION,
                 VMCOMMIT_BUILD);
    return print(&text);
}

/* Opens the file of an option that was given, and writes its header. */
static int open_detail(const char *option, const char *path, int (*begin)(const struct output *),
                       struct output *output)
{
    int error = path != NULL ? output_open(path, output) : 0;
    if (error == 0 && path != NULL)
        error = begin(output);
    return error == 0 ? EXIT_TAKEN : complain_of_file(option, path, EXIT_USAGE, error);
}

static int open_outputs(struct harness *harness)
{
    const struct options *options = &harness->options;
    int error = output_open(options->output, &harness->output);
    if (error != 0)
        return complain_of_file("--output", options->output, EXIT_USAGE, error);
    int status = open_detail("--trace", options->trace, detail_begin_trace, &harness->trace);
    return status != EXIT_TAKEN ? status
                                : open_detail("--staircase", options->staircase,
                                              detail_begin_staircase, &harness->staircase);
}

static int load_library(const char *path)
{
    char why[256], message[512];
    if (harness_strategy.load == NULL)
        return EXIT_TAKEN;
    if (path == NULL)
        return complain(EXIT_USAGE, "--library: none given; name a shared library that answers "
                                    "vmcommit.h");
    if (harness_strategy.load(path, why, sizeof why))
        return EXIT_TAKEN;
    snprintf(message, sizeof message, "--library: cannot use '%s': %s", path, why);
    return complain(EXIT_USAGE, message);
}

static int run(struct harness *harness)
{
    const struct options *options = &harness->options;
    int error = vm_choose_pages(options->pages);
    if (error != 0) {
        char text[128];
        vm_error_text(error, text, sizeof text);
        return complain(EXIT_BROKE, text);
    }
    if (!list_configurations(harness))
        return complain(EXIT_BROKE, "no memory for the list of configurations");
    harness->random = options->seed;
    int status = open_outputs(harness);
    if (status == EXIT_TAKEN)
        status = measure_all(harness);
    error = output_close(&harness->output);
    if (error != 0 && status == EXIT_TAKEN)
        status = complain_of_file("--output", options->output, EXIT_BROKE, error);
    free(harness->configurations);
    return status;
}

int main(int argc, char **argv)
{
    static struct harness harness;
    char message[512];
    if (!options_parse(&harness_strategy, argc, argv, &harness.options, message, sizeof message))
        return complain(EXIT_USAGE, message);
    if (harness.options.answer != ANSWER_NONE)
        return print_answer(harness.options.answer);
    int status = load_library(harness.options.library);
    return status != EXIT_TAKEN ? status : run(&harness);
}
