#include "sampling.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "folder.h"
#include "log.h"
#include "system/meter.h"
#include "system/space.h"
#include "system/vm.h"
#include "system/watch.h"

enum { SHARE = 50, WHY_BYTES = 512 }; /* of the time: looks take at most one part of so many */

/* The regions of one kind, in bytes; `touched` of what is charged and of what is not. */
struct sums {
    uint64_t regions, reserved, charged;
    struct meter_count touched, touched_uncharged, resident;
};

struct sampling {
    const struct record_options *options;
    struct watch watch;
    struct folder folder;
    struct log log;
    struct sums kinds[SPACE_KIND_SYSTEM + 1];
    bool touch; /* the system says what is touched */
    bool told;  /* that it can't be read */
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
    char path[4096];
    watch_path(&sampling->watch, path, sizeof path);
    log_add(log, "# touch %s\nE", sampling->touch ? "yes" : "no");
    log_add_time(log);
    log_add(log, " 0 %" PRIu64 " 0 ", sampling->watch.process);
    log_add_escaped(log, path);
    log_end(log);
}

static void log_head(struct sampling *sampling, char **words)
{
    struct log *log = &sampling->log;
    log_add(log, "recording 1\n# sampled %s\n# interval_ms %" PRIu64 "\n# system %s\n# page %zu\n",
            sampling->watch.started ? "from its start" : "from outside",
            sampling->options->interval_ms, meter_platform(), vm_page_bytes());
    folder_log_command(log, words);
    log_end(log);
}

static void tell_once(struct sampling *sampling, const char *why)
{
    if (!sampling->told)
        fprintf(stderr, "record: %s; it is looked at on\n", why);
    sampling->told = true;
}

/* The time until the next look, in ms. */
static uint64_t look_and_log(struct sampling *sampling)
{
    char why[WHY_BYTES];
    uint64_t start = meter_clock_ns();
    bool whole = look(sampling, sampling->watch.process, why, sizeof why);
    if (whole && sampling->looks == 0)
        log_begin(sampling);
    if (whole)
        log_look(sampling);
    else if (watch_wait(&sampling->watch, 0) == WATCH_LATER)
        tell_once(sampling, why);
    uint64_t pause = (meter_clock_ns() - start) * (SHARE - 1) / 1000000;
    return pause > sampling->options->interval_ms ? pause : sampling->options->interval_ms;
}

static void end(struct sampling *sampling)
{
    char system[256];
    log_add(&sampling->log, "# end");
    log_end(&sampling->log);
    log_close(&sampling->log);
    vm_error_text(sampling->log.error, system, sizeof system);
    if (sampling->log.error != 0)
        fprintf(stderr, "record: cannot write the log: %s\n", system);
    fprintf(stderr, "record: %" PRIu64 " look%s: %s\n", sampling->looks,
            sampling->looks == 1 ? "" : "s", sampling->folder.path);
}

static enum watch_event sample(struct sampling *sampling)
{
    enum watch_event event = WATCH_LATER;
    while (event == WATCH_LATER)
        event = watch_wait(&sampling->watch, look_and_log(sampling));
    return event;
}

static int complain(int status, const char *what, int error)
{
    char system[256];
    vm_error_text(error, system, sizeof system);
    fprintf(stderr, "record: cannot %s: %s\n", what, system);
    return status;
}

static int record_process(struct sampling *sampling)
{
    char why[WHY_BYTES], path[4096], *words[] = {path, NULL};
    if (!look(sampling, sampling->options->process, why, sizeof why)) {
        fprintf(stderr, "record: %s\n", why);
        return NOT_RECORDED;
    }
    int error = watch_attach(sampling->options->process, &sampling->watch);
    if (error != 0)
        return complain(NOT_RECORDED, "watch the process", error);
    watch_path(&sampling->watch, path, sizeof path);
    int status = folder_open(&sampling->folder, &sampling->log, sampling->options,
                             path[0] != '\0' ? path : "process");
    if (status != 0)
        return status;
    log_head(sampling, words);
    sample(sampling);
    end(sampling);
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
    end(sampling);
    return watch_end(&sampling->watch);
}

int sampling_record(const struct record_options *options)
{
    static struct sampling sampling;
    sampling.options = options;
    return options->process != 0 ? record_process(&sampling) : record_program(&sampling);
}
