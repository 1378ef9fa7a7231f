/* walk: every region of a process's address space, from its bottom to its top: what is free,
 * reserved, committed, a guard; how much of it is charged and resident; what it is for. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "options.h"
#include "sink.h"
#include "summary.h"
#include "system/output.h"
#include "system/space.h"
#include "system/vm.h"

enum { EXIT_WALKED = 0, EXIT_BROKE = 1, EXIT_USAGE = 2, MESSAGE_BYTES = 4096 + 512 };

struct walk {
    struct walk_options options;
    struct sink sink;
    struct summary summary;
    uint64_t written; /* entries of this look */
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

static void write_entry(struct walk *walk, const struct entry *entry)
{
    struct text *text = sink_piece(&walk->sink);
    if (walk->options.format == FORMAT_JSON)
        text_add(text, walk->written > 0 ? ",\n" : "");
    format_add_entry(text, walk->options.format, entry);
    walk->written++;
}

static void see_region(const struct space_region *region, void *context)
{
    struct walk *walk = context;
    struct entry entry = {.region = *region};
    summary_add_largest(&walk->summary, region);
    if (!wanted(&walk->options, region))
        return;
    summary_add_region(&walk->summary, region);
    if (!walk->options.summary)
        write_entry(walk, &entry);
}

static void begin_look(struct walk *walk)
{
    const struct walk_options *options = &walk->options;
    walk->summary = (struct summary){0};
    walk->written = 0;
    if (options->format == FORMAT_JSON)
        text_add(sink_piece(&walk->sink), "{\"process\": %" PRIu64 ", \"%s\": [\n",
                 options->process, options->summary ? "summary" : "regions");
    else if (!options->summary)
        format_add_header(sink_piece(&walk->sink), options->format, false);
}

static void end_look(struct walk *walk)
{
    if (walk->options.summary)
        summary_add_text(&walk->summary, walk->options.format, sink_piece(&walk->sink));
    if (walk->options.format == FORMAT_JSON)
        text_add(sink_piece(&walk->sink), "\n]}\n");
}

/* A look that was cut off leaves what it saw, but no sums: they would be too small. */
static int look(struct walk *walk)
{
    char why[MESSAGE_BYTES];
    begin_look(walk);
    if (!space_walk(walk->options.process, walk->options.detail, see_region, walk,
                    &walk->summary.mappings, why, sizeof why))
        return complain(EXIT_BROKE, why);
    end_look(walk);
    return EXIT_WALKED;
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
    if (walk->options.format == FORMAT_AUTO)
        walk->options.format = output_is_terminal(&output) ? FORMAT_TABLE : FORMAT_CSV;
    if (walk->options.process == 0)
        walk->options.process = space_self();
    sink_start(&walk->sink, output);
    int status = look(walk);
    error = sink_flush(&walk->sink);
    if (error != 0)
        return complain_of_output(walk, EXIT_BROKE, error);
    return status;
}

static int help(void)
{
    static char bytes[4096];
    struct text text = text_in(bytes, sizeof bytes);
    walk_add_help(&text);
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
    return walk.options.help ? help() : run(&walk);
}
