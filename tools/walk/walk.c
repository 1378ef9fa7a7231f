/* walk: every region of a process's address space, from its bottom to its top: what is free,
 * reserved, committed, a guard; how much of it is charged and resident; what it is for. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "changes.h"
#include "format.h"
#include "options.h"
#include "sink.h"
#include "summary.h"
#include "system/meter.h"
#include "system/output.h"
#include "system/program.h"
#include "system/space.h"
#include "system/vm.h"
#include "version.h"

enum { EXIT_WALKED = 0, EXIT_BROKE = 1, EXIT_USAGE = 2, MESSAGE_BYTES = 4096 + 512 };

struct walk {
    struct walk_options options;
    struct program program; /* where one was started */
    struct sink sink;
    struct summary summary;
    struct entry entry; /* what the entries of a look share */
    uint64_t start_ns;  /* of the first look */
    uint64_t written;   /* entries of this look */
    bool terminal;
    bool full; /* no memory was left to keep a look */
};

static int complain(int status, const char *message)
{
    fprintf(stderr, "walk: %s\n", message);
    return status;
}

static bool wanted(const struct walk_options *options, const struct space_region *region)
{
    return (options->states == 0 || (options->states & 1u << region->state) != 0) &&
           region->end - region->start >= options->min_size;
}

static void write_entry(const struct entry *entry, void *context)
{
    struct walk *walk = context;
    struct text *text = sink_piece(&walk->sink);
    if (walk->options.format == FORMAT_JSON)
        text_add(text, walk->written > 0 ? ",\n" : "");
    format_add_entry(text, walk->options.format, entry);
    walk->written++;
}

/* Where looks are compared, holes that move with their neighbours would be most of what changes. */
static bool compared(const struct walk *walk, const struct space_region *region)
{
    return region->state != SPACE_FREE || walk->options.states != 0;
}

static void see_region(const struct space_region *region, void *context)
{
    struct walk *walk = context;
    struct entry entry = {.region = *region};
    summary_add_largest(&walk->summary, region);
    if (!wanted(&walk->options, region))
        return;
    summary_add_region(&walk->summary, region);
    if (walk->options.summary)
        return;
    if (walk->options.every_ms == 0)
        write_entry(&entry, walk);
    else if (compared(walk, region) && !changes_keep(region))
        walk->full = true;
}

/* A summary is drawn over the last one where somebody looks on. */
static void begin_look(struct walk *walk)
{
    const struct walk_options *options = &walk->options;
    bool changes = options->every_ms > 0 && !options->summary;
    struct text *text = sink_piece(&walk->sink);
    walk->summary = (struct summary){0};
    walk->written = 0;
    if (walk->terminal && options->summary && options->every_ms > 0)
        text_add(text, "\033[H\033[2J");
    if (options->format == FORMAT_JSON)
        text_add(text, "{\"process\": %" PRIu64 ", \"%s\": [\n", options->process,
                 options->summary ? "summary"
                 : changes        ? "changes"
                                  : "regions");
    else if (!options->summary && walk->entry.look <= 1)
        format_add_header(text, options->format, changes);
}

/* The sums of a look, which a table of changes begins with. */
static void add_sums(struct walk *walk)
{
    struct text *text = sink_piece(&walk->sink);
    const struct sum *all = &walk->summary.all;
    text_add(text, "look %" PRIu64 ", %.3f s: %" PRIu64 " regions", walk->entry.look,
             (double)walk->entry.ms / 1000, all->regions);
    if (all->commit_bytes.known) {
        text_add(text, ", charged ");
        format_add_size(text, all->commit_bytes.value);
        text_add(text, ", resident ");
        format_add_size(text, all->resident_bytes.value);
    }
    text_add(text, "\n");
}

static void write_changes(struct walk *walk)
{
    bool table = walk->options.format == FORMAT_TABLE;
    if (table)
        add_sums(walk);
    if (!table || walk->entry.look > 1)
        changes_write(&walk->entry, write_entry, walk);
}

static void end_look(struct walk *walk)
{
    if (walk->options.summary)
        summary_add_text(&walk->summary, walk->options.format, sink_piece(&walk->sink));
    else if (walk->options.every_ms > 0)
        write_changes(walk);
    if (walk->options.format == FORMAT_JSON)
        text_add(sink_piece(&walk->sink), "\n]}\n");
}

/* False with why not. A look that was cut off leaves what it saw, but no sums: they would be too
 * small. */
static bool look(struct walk *walk, char *why, size_t size)
{
    begin_look(walk);
    if (!space_walk(walk->options.process, walk->options.detail, see_region, walk,
                    &walk->summary.mappings, why, size)) {
        if (walk->written == 0)
            sink_discard(&walk->sink); /* a header of nothing */
        return false;
    }
    if (walk->full) {
        snprintf(why, size, "no memory is left to keep a look in");
        return false;
    }
    end_look(walk);
    return true;
}

static int look_once(struct walk *walk)
{
    char why[MESSAGE_BYTES];
    return look(walk, why, sizeof why) ? EXIT_WALKED : complain(EXIT_BROKE, why);
}

/* Until the next look. */
static enum program_event wait(struct walk *walk)
{
    if (walk->options.program != NULL)
        return program_wait(&walk->program, walk->options.every_ms);
    program_pause(walk->options.every_ms);
    return space_alive(walk->options.process) ? PROGRAM_RUNNING : PROGRAM_ENDED;
}

/* Ends with the process, which may happen in the middle of a look, but not of the first. */
static int look_again_and_again(struct walk *walk)
{
    char why[MESSAGE_BYTES];
    enum program_event event = PROGRAM_RUNNING;
    walk->start_ns = meter_clock_ns();
    for (uint64_t count = 1; event != PROGRAM_ENDED; count++) {
        walk->entry.look = count;
        walk->entry.ms = (meter_clock_ns() - walk->start_ns) / 1000000;
        changes_begin();
        if (!look(walk, why, sizeof why))
            return count > 1 && !space_alive(walk->options.process) ? EXIT_WALKED
                                                                    : complain(EXIT_BROKE, why);
        if (sink_flush(&walk->sink) != 0 || event == PROGRAM_ENDING || count == walk->options.looks)
            return EXIT_WALKED;
        event = wait(walk);
    }
    return EXIT_WALKED;
}

static int look_at_its_end(struct walk *walk)
{
    char why[MESSAGE_BYTES];
    if (program_wait(&walk->program, 0) == PROGRAM_ENDING)
        return look_once(walk);
    snprintf(why, sizeof why,
             "the program was gone before it could be read (%s); --every looks while it runs",
             program_gone);
    return complain(EXIT_BROKE, why);
}

static int walk_program(struct walk *walk)
{
    int status = walk->options.every_ms > 0 ? look_again_and_again(walk) : look_at_its_end(walk);
    int error = sink_flush(&walk->sink);
    while (program_wait(&walk->program, 0) != PROGRAM_ENDED)
        ;
    return error == 0 ? status : EXIT_BROKE;
}

static int walk_process(struct walk *walk)
{
    if (walk->options.process == 0)
        walk->options.process = space_self();
    return walk->options.every_ms > 0 ? look_again_and_again(walk) : look_once(walk);
}

static void choose_format(struct walk *walk)
{
    struct walk_options *options = &walk->options;
    walk->terminal = output_is_terminal(&walk->sink.output);
    if (options->format == FORMAT_AUTO)
        options->format = walk->terminal || (options->summary && options->every_ms > 0)
                              ? FORMAT_TABLE
                              : FORMAT_CSV;
}

static int complain_of_output(const struct walk *walk, int status, int error)
{
    char message[MESSAGE_BYTES], system[256];
    vm_error_text(error, system, sizeof system);
    snprintf(message, sizeof message, "--output: cannot write '%s': %s", walk->options.output,
             system);
    return complain(status, message);
}

static int run(struct walk *walk)
{
    struct output output;
    int error = output_open(walk->options.output, &output);
    if (error == 0)
        error = output_empty(&output);
    if (error != 0)
        return complain_of_output(walk, EXIT_USAGE, error);
    sink_start(&walk->sink, output);
    choose_format(walk);
    char why[MESSAGE_BYTES];
    if (walk->options.program != NULL &&
        !program_start(walk->options.program, &walk->program, why, sizeof why))
        return complain(EXIT_BROKE, why);
    if (walk->options.program != NULL)
        walk->options.process = walk->program.process;
    int status = walk->options.program != NULL ? walk_program(walk) : walk_process(walk);
    error = sink_flush(&walk->sink);
    if (error != 0)
        return complain_of_output(walk, EXIT_BROKE, error);
    return status;
}

static int answer(const struct walk_options *options)
{
    static char bytes[4096];
    struct text text = text_in(bytes, sizeof bytes);
    if (options->help)
        walk_add_help(&text);
    else
        text_add(&text, "walk (vmcommit) %s\n", version_text);
    printf("%s", bytes);
    return fflush(stdout) == 0 ? EXIT_WALKED : complain(EXIT_BROKE, "cannot write standard output");
}

int main(int argc, char **argv)
{
    static struct walk walk;
    char message[MESSAGE_BYTES];
    if (output_reserve_standard() != 0)
        return EXIT_BROKE;
    if (!walk_parse(argc, argv, &walk.options, message, sizeof message))
        return complain(EXIT_USAGE, message);
    return walk.options.help || walk.options.version ? answer(&walk.options) : run(&walk);
}
