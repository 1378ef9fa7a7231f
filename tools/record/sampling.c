#include "sampling.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "log.h"
#include "system/meter.h"
#include "system/space.h"
#include "system/vm.h"
#include "system/watch.h"

enum {
    SHARE = 50, /* of the time: looks take at most one part of so many */
    MOST_PROCESSES = 1024,
    WHY_BYTES = 512,
};

/* The regions of one kind, in bytes; `touched` of what is charged and of what is not. */
struct sums {
    uint64_t regions, reserved, charged;
    struct meter_count touched, touched_uncharged, resident;
};

/* Of one process. */
struct sampling {
    struct sampling *next; /* of a process that this one, or another before it, started */
    const struct record_options *options;
    const struct folder *outer; /* of the process that was asked for; NULL: that is this one */
    struct watch watch;
    struct folder folder;
    struct log log;
    struct sums kinds[SPACE_KIND_SYSTEM + 1];
    bool touch; /* the system says what is touched */
    bool told;  /* that it can't be read */
    bool ended;
    char path[4096]; /* of the program, as it was when it was last looked at */
    uint64_t looks;
};

static void add(struct meter_count *sum, const struct meter_count *more)
{
    sum->known = more->known;
    sum->value += more->value;
}

static void add_region(const struct space_region *region, void *context)
{
    struct sampling *sampling = context;
    struct sums *sums = &sampling->kinds[region->kind];
    bool charged = region->commit_bytes.value > 0;
    if (region->state == SPACE_FREE)
        return;
    sums->regions++;
    sums->reserved += region->end - region->start;
    sums->charged += region->commit_bytes.value;
    add(charged ? &sums->touched : &sums->touched_uncharged, &region->touched_bytes);
    add(&sums->resident, &region->resident_bytes);
    sampling->touch = sampling->touch || region->touched_bytes.known;
}

static bool look(struct sampling *sampling, uint64_t process, char *why, size_t size)
{
    struct space_mappings mappings;
    memset(sampling->kinds, 0, sizeof sampling->kinds);
    return space_walk(process, SPACE_EXACT, add_region, sampling, &mappings, why, size);
}

static void log_count(struct log *log, char before, const struct meter_count *count)
{
    if (count->known)
        log_add(log, "%c%" PRIu64, before, count->value);
    else
        log_add(log, "%c-", before);
}

/* What the system doesn't say is '-'. */
static void log_look(struct sampling *sampling)
{
    struct log *log = &sampling->log;
    struct watch_counts counts;
    watch_count(&sampling->watch, &counts);
    log_add(log, "S");
    log_add_time(log);
    log_add(log, " 0");
    log_count(log, ' ', &counts.cpu_ns);
    log_count(log, ' ', &counts.minor_faults);
    log_count(log, ' ', &counts.major_faults);
    log_count(log, ' ', &counts.most_resident_bytes);
    for (const struct kind *kind = space_kinds; kind->name != NULL; kind++) {
        struct sums *sums = &sampling->kinds[kind->value];
        if (sums->regions == 0)
            continue;
        sums->touched.known = sums->touched_uncharged.known = sampling->touch;
        log_add(log, " %s:%" PRIu64 ":%" PRIu64 ":%" PRIu64, kind->name, sums->regions,
                sums->reserved, sums->charged);
        log_count(log, ':', &sums->touched);
        log_count(log, ':', &sums->touched_uncharged);
        log_count(log, ':', &sums->resident);
    }
    log_end(log);
    sampling->looks++;
}

/* What is known after the first look alone. */
static void log_begin(struct sampling *sampling)
{
    struct log *log = &sampling->log;
    log_add(log, "# touch %s\nE", sampling->touch ? "yes" : "no");
    log_add_time(log);
    log_add(log, " 0 %" PRIu64 " 0 ", sampling->watch.process);
    log_add_escaped(log, sampling->path);
    log_end(log);
}

/* A process that was started elsewhere may have become another program since. */
static void look_at_program(struct sampling *sampling)
{
    char path[sizeof sampling->path], *words[] = {path, NULL};
    watch_path(&sampling->watch, path, sizeof path);
    if (path[0] == '\0' || strcmp(path, sampling->path) == 0)
        return;
    memcpy(sampling->path, path, sizeof path);
    if (sampling->watch.started)
        return;
    folder_log_command(&sampling->log, words);
    log_end(&sampling->log);
}

static void log_head(struct sampling *sampling, char **words)
{
    struct log *log = &sampling->log;
    log_add(log, "recording 1\n# sampled %s\n# interval_ms %" PRIu64 "\n# system %s\n# page %zu\n",
            sampling->watch.started ? "from its start" : "from outside",
            sampling->options->interval_ms, meter_platform(), vm_page_bytes());
    if (sampling->options->every)
        log_add(log, "# every yes\n");
    folder_log_command(log, words);
    log_end(log);
}

static void tell_once(struct sampling *sampling, const char *why)
{
    if (!sampling->told)
        fprintf(stderr, "record: %s; it is looked at on\n", why);
    sampling->told = true;
}

static int complain(int status, const char *what, int error)
{
    char system[256];
    vm_error_text(error, system, sizeof system);
    fprintf(stderr, "record: cannot %s: %s\n", what, system);
    return status;
}

/* Of a process that another one started. */
static void tell_of_missed(uint64_t process, int error)
{
    static bool told;
    char system[256];
    vm_error_text(error, system, sizeof system);
    if (!told)
        fprintf(stderr,
                "record: process %" PRIu64 " is not recorded, nor are others that can't be: %s\n",
                process, system);
    told = true;
}

/* A process that another one started is recorded once it has been seen. */
static bool begin_child(struct sampling *child)
{
    char *words[] = {child->path, NULL};
    int error = folder_open_within(child->outer, child->watch.process, &child->folder, &child->log);
    if (error != 0) {
        child->ended = true;
        watch_close(&child->watch);
        tell_of_missed(child->watch.process, error);
        return false;
    }
    watch_path(&child->watch, child->path, sizeof child->path);
    log_head(child, words);
    return true;
}

static void look_and_log(struct sampling *sampling)
{
    char why[WHY_BYTES];
    bool whole = look(sampling, sampling->watch.process, why, sizeof why);
    if (whole && sampling->outer != NULL && sampling->looks == 0 && !begin_child(sampling))
        return;
    if (whole)
        look_at_program(sampling);
    if (whole && sampling->looks == 0)
        log_begin(sampling);
    if (whole)
        log_look(sampling);
    else if (space_alive(sampling->watch.process))
        tell_once(sampling, why);
}

static void end(struct sampling *sampling)
{
    char system[256];
    if (sampling->ended)
        return;
    sampling->ended = true;
    watch_close(&sampling->watch);
    if (sampling->outer != NULL && sampling->looks == 0)
        return;
    log_add(&sampling->log, "# end");
    log_end(&sampling->log);
    log_close(&sampling->log);
    vm_error_text(sampling->log.error, system, sizeof system);
    if (sampling->log.error != 0)
        fprintf(stderr, "record: cannot write %s: %s\n", sampling->folder.log_path, system);
}

/* The process that was asked for, and those that it and they started. */
struct family {
    struct sampling *first;
    unsigned count;
    bool told; /* that there are too many */
};

static void add_child(uint64_t process, void *context)
{
    struct family *family = context;
    struct sampling **place = &family->first->next;
    while (*place != NULL && (*place)->watch.process != process)
        place = &(*place)->next;
    if (*place != NULL)
        return;
    struct sampling *child = family->count < MOST_PROCESSES ? calloc(1, sizeof *child) : NULL;
    if (child == NULL) {
        if (!family->told)
            fprintf(stderr, "record: no more than %u processes are looked at\n", family->count);
        family->told = true;
        return;
    }
    child->options = family->first->options;
    child->outer = &family->first->folder;
    int error = watch_beside(process, &child->watch);
    child->watch.process = process;
    child->ended = error != 0;
    if (error != 0 && space_alive(process))
        tell_of_missed(process, error);
    *place = child;
    family->count++;
}

/* The time until the next look, in ms. */
static uint64_t look_at_all(struct family *family)
{
    const struct record_options *options = family->first->options;
    uint64_t start = meter_clock_ns();
    for (struct sampling *each = family->first; each != NULL; each = each->next) {
        if (each->ended)
            continue;
        look_and_log(each);
        if (options->every)
            watch_children(each->watch.process, add_child, family);
        if (each->outer != NULL && watch_wait(&each->watch, 0) == WATCH_ENDED)
            end(each);
    }
    uint64_t pause = (meter_clock_ns() - start) * (SHARE - 1) / 1000000;
    return pause > options->interval_ms ? pause : options->interval_ms;
}

static bool any_left(const struct sampling *first)
{
    while (first != NULL && first->ended)
        first = first->next;
    return first != NULL;
}

/* Until the last of them ends, or this process is asked to. */
static void sample(struct sampling *first)
{
    struct family family = {.first = first, .count = 1};
    enum watch_event event;
    uint64_t seen = 0;
    do {
        event = watch_wait(&first->watch, look_at_all(&family));
        if (event == WATCH_ENDED)
            end(first);
    } while (event != WATCH_ASKED && any_left(first));
    for (struct sampling *each = first; each != NULL; each = each->next) {
        end(each);
        seen += each->outer != NULL && each->looks > 0;
    }
    fprintf(stderr, "record: %" PRIu64 " look%s", first->looks, first->looks == 1 ? "" : "s");
    if (first->options->every)
        fprintf(stderr, ", and at %" PRIu64 " process%s that it started", seen,
                seen == 1 ? "" : "es");
    fprintf(stderr, ": %s\n", first->folder.path);
}

static int record_process(struct sampling *sampling)
{
    char why[WHY_BYTES], *path = sampling->path, *words[] = {path, NULL};
    if (!look(sampling, sampling->options->process, why, sizeof why)) {
        fprintf(stderr, "record: %s\n", why);
        return NOT_RECORDED;
    }
    int error = watch_attach(sampling->options->process, &sampling->watch);
    if (error != 0)
        return complain(NOT_RECORDED,
                        "watch the process (of a thread, name the process that it is in)", error);
    watch_path(&sampling->watch, path, sizeof sampling->path);
    int status = folder_open(&sampling->folder, &sampling->log, sampling->options,
                             path[0] != '\0' ? path : "process");
    if (status != 0)
        return status;
    log_head(sampling, words);
    sample(sampling);
    return 0;
}

static int record_program(struct sampling *sampling)
{
    char **words = sampling->options->words;
    int status = folder_open(&sampling->folder, &sampling->log, sampling->options, words[0]);
    if (status != 0)
        return status;
    int error = watch_start(words, &sampling->watch);
    if (error != 0) {
        char what[WHY_BYTES];
        log_close(&sampling->log);
        folder_remove(&sampling->folder);
        snprintf(what, sizeof what, "start %s", words[0]);
        return complain(watch_no_program(error) ? NOT_FOUND : NOT_STARTED, what, error);
    }
    log_head(sampling, words);
    sample(sampling);
    return watch_end(&sampling->watch);
}

int sampling_record(const struct record_options *options)
{
    static struct sampling sampling;
    sampling.options = options;
    if (options->every && !watch_knows_children()) {
        fprintf(stderr, "record: --every-process: which processes a program starts, this system "
                        "does not say; leave it out\n");
        return RECORD_USAGE;
    }
    return options->process != 0 ? record_process(&sampling) : record_program(&sampling);
}
