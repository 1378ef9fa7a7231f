/* main: every configuration once a round, in a new random order; each row written as soon as its
 * sample is taken, so that nothing measured is lost. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "describe.h"
#include "options.h"
#include "plan.h"
#include "row.h"
#include "staircase.h"
#include "system/output.h"
#include "trace.h"
#include "turns.h"
#include "version.h"

enum { EXIT_TAKEN = 0, EXIT_BROKE = 1, EXIT_USAGE = 2 };

/* A message may quote a path, of up to 4095 characters, and says why only behind it. */
enum { MESSAGE_BYTES = 4096 + 512 };

/* A file that an option names; the path is NULL if it was not given. */
struct file {
    const char *option;
    const char *path;
    int (*write_header)(const struct output *output);
    struct output output;
};

enum { SAMPLES, TRACE, STAIRCASE, FILE_COUNT };

struct harness {
    struct options options;
    struct plan plan;
    struct file files[FILE_COUNT];
};

/* One line, whatever the message quotes. */
static int complain(int status, const char *message)
{
    char bytes[MESSAGE_BYTES];
    struct text line = text_in(bytes, sizeof bytes);
    for (; *message != '\0'; message++)
        text_add(&line, "%c", (unsigned char)*message < ' ' ? '?' : *message);
    fprintf(stderr, "%s: %s\n", harness_strategy.name, line.bytes);
    return status;
}

static int complain_of_file(const struct file *file, int status, int error)
{
    char text[128], message[MESSAGE_BYTES];
    vm_error_text(error, text, sizeof text);
    snprintf(message, sizeof message, "%s: cannot write '%s': %s", file->option, file->path, text);
    return complain(status, message);
}

static int broke_unless_written(const struct file *file, int error)
{
    return error == 0 ? EXIT_TAKEN : complain_of_file(file, EXIT_BROKE, error);
}

static int measure_trace(const struct harness *harness, struct row *row, struct trace *trace)
{
    const struct file *file = &harness->files[TRACE];
    if (!trace_take(row->strategy, row->configuration, harness->options.seed, trace))
        return complain(EXIT_BROKE, trace->error);
    if (!trace->taken)
        return EXIT_TAKEN;
    row->trace = trace;
    return broke_unless_written(file, trace_write(&file->output, row, trace));
}

static int measure_staircase(const struct harness *harness, const struct row *row)
{
    static struct staircase staircase;
    const struct file *file = &harness->files[STAIRCASE];
    if (!staircase_take(row->strategy, row->configuration, harness->options.seed, &staircase))
        return complain(EXIT_BROKE, staircase.error);
    return broke_unless_written(file, staircase_write(&file->output, row, &staircase));
}

/* A cycle of its own each, after the sample's. */
static int measure_details(const struct harness *harness, struct row *row, struct trace *trace)
{
    int status = EXIT_TAKEN;
    if (row->sample->status != SAMPLE_OK)
        return status;
    if (harness->files[TRACE].path != NULL)
        status = measure_trace(harness, row, trace);
    if (status == EXIT_TAKEN && harness->files[STAIRCASE].path != NULL)
        status = measure_staircase(harness, row);
    return status;
}

static int write_row(const struct harness *harness, const struct row *row)
{
    static char bytes[ROW_MAX_BYTES];
    struct text text = text_in(bytes, sizeof bytes);
    const struct file *file = &harness->files[SAMPLES];
    row_add(row, &text);
    return broke_unless_written(file, output_write(&file->output, text.bytes, text.length));
}

/* Takes and writes one sample. */
static int measure(const struct harness *harness, uint64_t round, size_t index)
{
    static struct sample sample;
    const struct configuration *configuration = &harness->plan.configurations[index];
    if (!sample_take(&harness_strategy, configuration, harness->options.seed, &sample))
        return complain(EXIT_BROKE, sample.error);
    struct row row = {.strategy = &harness_strategy,
                      .configuration = configuration,
                      .sample = &sample,
                      .round = round,
                      .position = index + 1};
    struct trace trace = {.taken = false};
    int status = measure_details(harness, &row, &trace);
    if (status == EXIT_TAKEN)
        status = write_row(harness, &row);
    trace_free(&trace);
    return status;
}

static int measure_all(struct harness *harness)
{
    int status = EXIT_TAKEN;
    sample_prepare(&harness_strategy, &harness->plan.configurations[0]);
    for (uint64_t round = 1; round <= harness->options.repeat; round++) {
        plan_shuffle(&harness->plan);
        for (size_t i = 0; i < harness->plan.count && status == EXIT_TAKEN; i++)
            status = measure(harness, round, i);
        if (status != EXIT_TAKEN)
            return status;
    }
    return EXIT_TAKEN;
}

static int write_samples_header(const struct output *output)
{
    char bytes[ROW_MAX_BYTES];
    struct text text = text_in(bytes, sizeof bytes);
    row_add_header(&text);
    return output_write(output, text.bytes, text.length);
}

static int refuse_same(const struct file *file, const char *option)
{
    char message[MESSAGE_BYTES];
    snprintf(message, sizeof message, "%s: '%s' is the file of %s too; name another", file->option,
             file->path, option);
    return complain(EXIT_USAGE, message);
}

static const char *loading_option(void)
{
    return harness_strategy.shape != NULL ? "--recording" : "--library";
}

/* Opens what was asked for. Each is compared with those before it, and with the library, while
 * nothing has been emptied yet. */
static int open_files(struct harness *harness)
{
    const char *loaded = harness->options.loaded;
    for (struct file *file = harness->files; file < harness->files + FILE_COUNT; file++) {
        if (file->path == NULL)
            continue;
        int error = output_open(file->path, &file->output);
        if (error != 0)
            return complain_of_file(file, EXIT_USAGE, error);
        for (struct file *other = harness->files; other < file; other++)
            if (other->path != NULL && output_same(&file->output, &other->output))
                return refuse_same(file, other->option);
        if (loaded != NULL && output_is_at(&file->output, loaded))
            return refuse_same(file, loading_option());
    }
    return EXIT_TAKEN;
}

static int begin_files(const struct harness *harness)
{
    for (int i = 0; i < FILE_COUNT; i++) {
        const struct file *file = &harness->files[i];
        if (file->path == NULL)
            continue;
        int error = output_empty(&file->output);
        if (error == 0)
            error = file->write_header(&file->output);
        if (error != 0)
            return complain_of_file(file, EXIT_BROKE, error);
    }
    return EXIT_TAKEN;
}

/* The first failure is the one that is reported. */
static int close_files(const struct harness *harness, int status)
{
    for (int i = 0; i < FILE_COUNT; i++) {
        const struct file *file = &harness->files[i];
        int error = file->path != NULL ? output_close(&file->output) : 0;
        if (status == EXIT_TAKEN)
            status = broke_unless_written(file, error);
    }
    return status;
}

/* The library whose functions may be running, to be named if the process ends there. */
static struct {
    const char *path; /* NULL when no library is at work */
    int status;       /* of a process that it ends */
} library_at_work;

static void blame_library(void)
{
    char message[MESSAGE_BYTES];
    if (library_at_work.path == NULL)
        return;
    snprintf(message, sizeof message, "--library: '%s' ended the process", library_at_work.path);
    _Exit(complain(library_at_work.status, message));
}

static int load(const char *path)
{
    char why[256], message[MESSAGE_BYTES];
    const char *option = loading_option();
    if (harness_strategy.load == NULL)
        return EXIT_TAKEN;
    if (path == NULL) {
        snprintf(message, sizeof message, "%s: none given; name %s", option,
                 harness_strategy.shape != NULL ? "the folder of a recording"
                                                : "a shared library that answers vmcommit.h");
        return complain(EXIT_USAGE, message);
    }
    library_at_work.path = path;
    library_at_work.status = EXIT_USAGE;
    atexit(blame_library);
    bool loaded = harness_strategy.load(path, why, sizeof why);
    library_at_work.status = EXIT_BROKE;
    if (loaded)
        return EXIT_TAKEN;
    snprintf(message, sizeof message, "%s: cannot use '%s': %s", option, path, why);
    return complain(EXIT_USAGE, message);
}

static int take_samples(struct harness *harness)
{
    int status = open_files(harness);
    if (status == EXIT_TAKEN)
        status = begin_files(harness);
    return status == EXIT_TAKEN ? close_files(harness, measure_all(harness)) : status;
}

static int take_turns(const struct harness *harness)
{
    char message[MESSAGE_BYTES];
    switch (turns_take(&harness_strategy, harness->plan.configurations, harness->options.seed,
                       message, sizeof message)) {
    case TURNS_ENDED: return EXIT_TAKEN;
    case TURNS_BROKE: return complain(EXIT_BROKE, message);
    case TURNS_MISUSED: break;
    }
    return complain(EXIT_USAGE, message);
}

static int run(struct harness *harness)
{
    int status = load(harness->options.loaded);
    if (status == EXIT_TAKEN && !plan_make(&harness_strategy, &harness->options, &harness->plan))
        status = complain(EXIT_BROKE, "no memory for the list of configurations");
    if (status == EXIT_TAKEN)
        status = harness->options.turns ? take_turns(harness) : take_samples(harness);
    plan_free(&harness->plan);
    library_at_work.path = NULL;
    return status;
}

static void add_help(struct text *text)
{
    text_add(text,
             "%s: %s.\nWrites one CSV row a sample; docs/columns.md explains the columns.\n\n"
             "usage: %s [OPTION VALUE]...\n\n",
             harness_strategy.name, harness_strategy.summary, harness_strategy.name);
    options_add_help(&harness_strategy, text);
}

static int complain_of_standard_stream(const char *what, int error)
{
    char text[128], message[256];
    vm_error_text(error, text, sizeof text);
    snprintf(message, sizeof message, "%s: %s", what, text);
    return complain(EXIT_BROKE, message);
}

/* What a harness says instead of measuring goes to standard output, whatever --output names. */
static int print_answer(enum options_answer answer)
{
    static char bytes[8192];
    struct text text = text_in(bytes, sizeof bytes);
    struct output standard_output;
    if (answer == ANSWER_HELP)
        add_help(&text);
    else if (answer == ANSWER_DESCRIBE)
        describe_strategy(&harness_strategy, version_number, &text);
    else
        text_add(&text, "%s (vmcommit) %s\n", harness_strategy.name, version_text);
    int error = output_open("-", &standard_output);
    if (error == 0)
        error = output_write(&standard_output, text.bytes, text.length);
    return error == 0 ? EXIT_TAKEN
                      : complain_of_standard_stream("cannot write standard output", error);
}

static void name_files(struct harness *harness)
{
    const struct options *options = &harness->options;
    harness->files[SAMPLES] = (struct file){
        .option = "--output", .path = options->output, .write_header = write_samples_header};
    harness->files[TRACE] = (struct file){
        .option = "--trace", .path = options->trace, .write_header = trace_write_header};
    harness->files[STAIRCASE] = (struct file){.option = "--staircase",
                                              .path = options->staircase,
                                              .write_header = staircase_write_header};
}

int main(int argc, char **argv)
{
    static struct harness harness;
    char message[MESSAGE_BYTES];
    int error = output_reserve_standard();
    if (error != 0)
        return complain_of_standard_stream("a standard stream is closed, and can't be replaced",
                                           error);
    if (!options_parse(&harness_strategy, argc, argv, &harness.options, message, sizeof message))
        return complain(EXIT_USAGE, message);
    if (harness.options.answer != ANSWER_NONE)
        return print_answer(harness.options.answer);
    name_files(&harness);
    return run(&harness);
}
