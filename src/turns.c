/* One command, one turn, one answer. Nobody's window holds the hand-over: the clock is read after a
 * command was read, and an answer is put together when the turn is over. */
#include "turns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cycle.h"
#include "row.h"
#include "system/output.h"
#include "values.h"

enum { LINE_BYTES = 128 };

/* Where a cycle stands between two turns. */
enum state { IDLE, BEGUN };

/* What a cycle in slices does, one after the other. */
enum stage { TOUCH, PURGE, RESTORE, RETOUCH, RELEASE, STAGE_COUNT };

struct turns {
    const struct strategy *strategy;
    const struct configuration *configuration;
    struct sample sample;
    struct workload workload; /* the whole cycle's touches */
    struct workload slice;    /* the next turn's */
    size_t done[STAGE_COUNT]; /* of the touches, steps or pages that each stage has */
    struct cycle cycle;
    enum state state;
    uint64_t slice_bytes; /* the longest slice since the last row */
    struct output output;
    enum turns_end end;
    char *message;
    size_t message_size;
};

/* Always false: ends the turns. */
static bool stop(struct turns *turns, enum turns_end end, const char *message, const char *command)
{
    turns->end = end;
    snprintf(turns->message, turns->message_size, "%s%s", command, message);
    return false;
}

static bool misused(struct turns *turns, const char *command, const char *why)
{
    char quoted[LINE_BYTES + 32];
    snprintf(quoted, sizeof quoted, "--turns: '%s' ", command);
    return stop(turns, TURNS_MISUSED, why, quoted);
}

static bool broke_unless_written(struct turns *turns, int error)
{
    char why[128];
    if (error == 0)
        return true;
    vm_error_text(error, why, sizeof why);
    return stop(turns, TURNS_BROKE, why, "cannot write standard output: ");
}

static bool answer(struct turns *turns, const struct text *text)
{
    return broke_unless_written(turns, output_write(&turns->output, text->bytes, text->length));
}

/* What stood before a turn, so that the answer can say what it added. */
struct before {
    uint64_t ns, commit_calls, handled_faults;
    struct meter_count preemptions;
};

/* Of several threads, all of them, in their windows. */
static struct meter_count read_preemptions(const struct turns *turns)
{
    return turns->cycle.crew != NULL ? turns->sample.involuntary_switches
                                     : meter_read_preemptions();
}

static struct before read_before(const struct turns *turns)
{
    return (struct before){.ns = turns->sample.wall_ns,
                           .commit_calls = turns->sample.commit_calls,
                           .handled_faults = turns->sample.handled_faults,
                           .preemptions = read_preemptions(turns)};
}

static bool answer_done(struct turns *turns, const struct before *before)
{
    char bytes[LINE_BYTES];
    struct text text = text_in(bytes, sizeof bytes);
    struct meter_count preemptions = read_preemptions(turns);
    text_add(&text, "done %" PRIu64 " %" PRIu64 " %" PRIu64, turns->sample.wall_ns - before->ns,
             turns->sample.commit_calls - before->commit_calls,
             turns->sample.handled_faults - before->handled_faults);
    if (preemptions.known)
        text_add(&text, " %" PRIu64, preemptions.value - before->preemptions.value);
    text_add(&text, "\n");
    return answer(turns, &text);
}

/* The cycle that was refused is over; its row tells how far it came. */
static bool answer_refused(struct turns *turns, int error)
{
    char bytes[512];
    struct text text = text_in(bytes, sizeof bytes);
    turns->state = IDLE;
    if (!sample_refuse(&turns->cycle, error))
        return stop(turns, TURNS_BROKE, turns->sample.error, "");
    turns->cycle.region.error = 0;
    text_add(&text, "refused %s\n", turns->sample.error);
    return answer(turns, &text);
}

static bool finish(struct turns *turns, const struct before *before, int error)
{
    return error == 0 ? answer_done(turns, before) : answer_refused(turns, error);
}

static bool take_cycles(struct turns *turns, const uint64_t *numbers)
{
    struct before before = read_before(turns);
    turns->cycle.workload = &turns->workload;
    turns->cycle.probing = false;
    return finish(turns, &before, cycle_run(&turns->cycle, numbers[0]));
}

static bool begin(struct turns *turns, bool probing)
{
    struct before before = read_before(turns);
    turns->state = BEGUN;
    turns->cycle.workload = &turns->slice;
    turns->cycle.probing = probing;
    turns->slice = turns->workload;
    memset(turns->done, 0, sizeof turns->done);
    return finish(turns, &before, cycle_begin(&turns->cycle));
}

static bool take_begin(struct turns *turns, const uint64_t *numbers)
{
    (void)numbers;
    return begin(turns, false);
}

static bool take_probe(struct turns *turns, const uint64_t *numbers)
{
    (void)numbers;
    return begin(turns, true);
}

static const struct {
    const char *name;
    const char *too_many, *left; /* why a command is misused */
    int (*take)(struct cycle *cycle);
} stages[] = {
    [TOUCH] = {"touch", "asks for more touches than the cycle has left",
               "comes before the last touch", cycle_touch},
    [PURGE] = {"purge", "asks for more steps than the cycle has left to give back",
               "comes before all is given back", cycle_purge},
    [RESTORE] = {"restore", "asks for more steps than the cycle has left to make usable again",
                 "comes before all is usable again", cycle_restore},
    [RETOUCH] = {"retouch", "asks for more touches than the cycle has left to make again",
                 "comes before all is touched again", cycle_retouch},
    [RELEASE] = {"release", "asks for more pages than can be released part by part", "",
                 cycle_release_part},
};

/* The touches, steps or pages of a stage. */
static size_t total_of(const struct turns *turns, enum stage stage)
{
    const struct cycle *cycle = &turns->cycle;
    switch (stage) {
    case TOUCH: return cycle->touches;
    case RETOUCH: return cycle->steps > 0 ? cycle->touches : 0;
    case RELEASE: return cycle->releases;
    default: return cycle->steps;
    }
}

/* The first stage before this one that has something left; else this one. */
static enum stage first_left(const struct turns *turns, enum stage until)
{
    enum stage stage = TOUCH;
    while (stage < until && turns->done[stage] == total_of(turns, stage))
        stage++;
    return stage;
}

/* Chooses the next `count` touches, steps or pages of a stage. */
static void choose(struct turns *turns, enum stage stage, size_t count)
{
    struct cycle *cycle = &turns->cycle;
    size_t first = turns->done[stage], last = first + count;
    turns->slice.first = cycle->again.first = cycle->first_step = first;
    turns->slice.last = cycle->again.last = cycle->last_step = last;
    turns->done[stage] = last;
    if (stage != TOUCH && stage != RETOUCH)
        return;
    uint64_t bytes = count * cycle->region.page;
    turns->slice_bytes = bytes > turns->slice_bytes ? bytes : turns->slice_bytes;
}

static bool take_slice(struct turns *turns, enum stage stage, uint64_t count)
{
    enum stage left = first_left(turns, stage);
    if (left != stage)
        return misused(turns, stages[stage].name, stages[left].left);
    if (count > total_of(turns, stage) - turns->done[stage])
        return misused(turns, stages[stage].name, stages[stage].too_many);
    struct before before = read_before(turns);
    choose(turns, stage, (size_t)count);
    return finish(turns, &before, stages[stage].take(&turns->cycle));
}

static bool take_touch(struct turns *turns, const uint64_t *numbers)
{
    return take_slice(turns, TOUCH, numbers[0]);
}

static bool take_purge(struct turns *turns, const uint64_t *numbers)
{
    return take_slice(turns, PURGE, numbers[0]);
}

static bool take_restore(struct turns *turns, const uint64_t *numbers)
{
    return take_slice(turns, RESTORE, numbers[0]);
}

static bool take_retouch(struct turns *turns, const uint64_t *numbers)
{
    return take_slice(turns, RETOUCH, numbers[0]);
}

static bool take_release(struct turns *turns, const uint64_t *numbers)
{
    return take_slice(turns, RELEASE, numbers[0]);
}

/* Releases whatever no `release` did. */
static bool take_end(struct turns *turns, const uint64_t *numbers)
{
    enum stage left = first_left(turns, RELEASE);
    (void)numbers;
    if (left != RELEASE)
        return misused(turns, "end", stages[left].left);
    struct before before = read_before(turns);
    turns->state = IDLE;
    int error = cycle_end(&turns->cycle);
    if (error == 0 && turns->cycle.probing)
        sample_keep_memory(&turns->cycle);
    return finish(turns, &before, error);
}

static bool take_header(struct turns *turns, const uint64_t *numbers)
{
    char bytes[ROW_MAX_BYTES];
    struct text text = text_in(bytes, sizeof bytes);
    (void)numbers;
    row_add_header(&text);
    return answer(turns, &text);
}

static bool take_row(struct turns *turns, const uint64_t *numbers)
{
    char bytes[ROW_MAX_BYTES];
    struct text text = text_in(bytes, sizeof bytes);
    struct row row = {.strategy = turns->strategy,
                      .configuration = turns->configuration,
                      .sample = &turns->sample,
                      .round = numbers[0],
                      .position = numbers[1],
                      .set = numbers[2],
                      .slice_bytes = turns->slice_bytes};
    row_add(&row, &text);
    if (turns->sample.status == SAMPLE_OK || turns->sample.status == SAMPLE_REFUSED) {
        turns->sample = (struct sample){.status = SAMPLE_OK};
        cycle_forget(&turns->cycle);
    }
    turns->slice_bytes = 0;
    return answer(turns, &text);
}

static const struct command {
    const char *name;
    size_t numbers; /* that follow the name */
    enum state state;
    bool measures;
    bool (*take)(struct turns *turns, const uint64_t *numbers);
} commands[] = {
    {"cycles", 1, IDLE, true, take_cycles},    {"begin", 0, IDLE, true, take_begin},
    {"probe", 0, IDLE, true, take_probe},      {"touch", 1, BEGUN, true, take_touch},
    {"purge", 1, BEGUN, true, take_purge},     {"restore", 1, BEGUN, true, take_restore},
    {"retouch", 1, BEGUN, true, take_retouch}, {"release", 1, BEGUN, true, take_release},
    {"end", 0, BEGUN, true, take_end},         {"header", 0, IDLE, false, take_header},
    {"row", 3, IDLE, false, take_row},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* Cuts the line at its next blank; what is behind it, or NULL. */
static char *cut_word(char *line)
{
    char *blank = strchr(line, ' ');
    if (blank == NULL)
        return NULL;
    *blank = '\0';
    return blank + 1;
}

/* Counts are from 1; a command that lacks some, or has too many, is not understood. */
static bool parse_numbers(char *rest, size_t wanted, uint64_t *numbers)
{
    for (size_t i = 0; i < wanted; i++) {
        char *word = rest;
        if (word == NULL)
            return false;
        rest = cut_word(word);
        if (!values_parse_number(word, &numbers[i]) || numbers[i] == 0)
            return false;
    }
    return rest == NULL;
}

static bool take_line(struct turns *turns, char *line)
{
    char shown[LINE_BYTES];
    uint64_t numbers[3] = {0};
    snprintf(shown, sizeof shown, "%s", line);
    char *rest = cut_word(line);
    const struct command *command = find_command(line);
    if (command == NULL)
        return misused(turns, shown, "is no command; docs/turns.md lists them");
    if (!parse_numbers(rest, command->numbers, numbers))
        return misused(turns, shown, "has not the whole numbers from 1 that the command takes");
    if (command->state != turns->state)
        return misused(turns, shown,
                       turns->state == IDLE ? "comes outside of a cycle in slices"
                                            : "comes within a cycle in slices");
    if (command->measures && turns->sample.status != SAMPLE_OK)
        return misused(turns, shown, "can't be done: see the row");
    return command->take(turns, numbers);
}

/* A line without its end. False at the end of the input. */
static bool read_line(struct turns *turns, char *line, size_t size)
{
    if (fgets(line, (int)size, stdin) == NULL)
        return false;
    size_t length = strcspn(line, "\r\n");
    if (line[length] == '\0' && !feof(stdin))
        return misused(turns, "", "is the end of no line: commands are shorter");
    line[length] = '\0';
    return true;
}

/* The first line: the protocol's version; the touches of a cycle, the steps by which it gives back,
 * and the pages that can be released part by part; and whether there can be one. */
static bool greet(struct turns *turns)
{
    char bytes[LINE_BYTES];
    struct text text = text_in(bytes, sizeof bytes);
    bool able = turns->sample.status == SAMPLE_OK;
    const struct cycle *cycle = &turns->cycle; /* all 0 where there can be none */
    text_add(&text, "turns %d %zu %zu %zu %s\n", TURNS_VERSION, cycle->touches, cycle->steps,
             cycle->releases, able ? "ok" : "unable");
    return answer(turns, &text);
}

enum turns_end turns_take(const struct strategy *strategy,
                          const struct configuration *configuration, uint64_t seed, char *message,
                          size_t size)
{
    static struct turns turns;
    char line[LINE_BYTES];
    turns = (struct turns){.strategy = strategy,
                           .configuration = configuration,
                           .message = message,
                           .message_size = size};
    if (!broke_unless_written(&turns, output_open("-", &turns.output)))
        return turns.end;
    sample_prepare(strategy, configuration);
    bool able = sample_possible(strategy, configuration, seed, &turns.workload, &turns.sample);
    if (able)
        turns.cycle = cycle_start(strategy, configuration, &turns.workload, &turns.sample);
    bool going = greet(&turns);
    while (going && read_line(&turns, line, sizeof line))
        going = take_line(&turns, line);
    if (able)
        cycle_stop(&turns.cycle);
    workload_free(&turns.workload);
    return turns.end;
}
