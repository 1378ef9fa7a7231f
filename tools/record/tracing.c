/* Runs a program and writes down each call, what was touched, and from time to time the whole of
 * what is mapped, so that a replay can be held against it. */
#define _GNU_SOURCE
#include "tracing.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "folder.h"
#include "frames.h"
#include "log.h"
#include "memory.h"
#include "program.h"
#include "system/linux/ending.h"
#include "system/linux/files.h"
#include "system/linux/proc.h"
#include "system/vm.h"
#include "tracer.h"

static void setting_line(char *line, void *context)
{
    snprintf(context, 64, "%s", line);
}

/* What is told to glibc's malloc (GLIBC_TUNABLES, ld.so(8)), on one line. */
static void log_tunables(struct log *log)
{
    const char *tunables = getenv("GLIBC_TUNABLES");
    if (tunables == NULL)
        return;
    log_add(log, "# tunables ");
    log_add_escaped(log, tunables);
    log_add(log, "\n");
}

static void log_head(struct log *log, const struct record_options *options)
{
    struct utsname system;
    char overcommit[64] = "unknown";
    uname(&system);
    proc_for_each_line("", "/proc/sys/vm/overcommit_memory", setting_line, overcommit);
    log_add(log, "recording 1\n");
    log_tunables(log);
    log_add(log, "# kernel %s %s\n# page %zu\n# overcommit %s\n# touch %s\n%s", system.release,
            system.machine, vm_page_bytes(), overcommit, options->touch ? "yes" : "no",
            options->stacks ? "# stacks yes\n" : "");
    folder_log_command(log, options->words);
    log_end(log);
}

/* Where a debugger or a container stands in the way. */
static int tell_failure(const struct program_failure *failure, const char *name)
{
    bool refused = failure->error == EPERM || failure->error == EACCES || failure->error == ENOSYS;
    if (strcmp(failure->what, "execve") == 0) {
        fprintf(stderr, "record: cannot start %s: %s\n", name, strerror(failure->error));
        return failure->error == ENOENT ? NOT_FOUND : NOT_STARTED;
    }
    if (strcmp(failure->what, "ptrace") == 0 && refused)
        fprintf(stderr,
                "record: %s was not started: this system does not let it be traced (%s): either "
                "record itself runs under a debugger or strace, or a container forbids ptrace\n",
                name, strerror(failure->error));
    else
        fprintf(stderr, "record: %s was not started: %s: %s\n", name, failure->what,
                strerror(failure->error));
    return NOT_RECORDED;
}

static int record(const struct record_options *options, const char *path)
{
    struct folder folder;
    struct log log;
    struct program program;
    struct program_failure failure;
    struct tracer_result result;
    const struct tracer_options traced = {.only = options->only,
                                          .interval_ns = options->interval_ms * 1000000,
                                          .scan = options->touch,
                                          .stacks = options->stacks,
                                          .check_calls = options->check_calls};
    if (!program_start(&program, path, options->words, &failure))
        return tell_failure(&failure, options->words[0]);
    int status = folder_open(&folder, &log, options, options->words[0]);
    if (status != 0) {
        kill(program.pid, SIGKILL);
        return status;
    }
    log_head(&log, options);
    files_raise_limit(); /* one is held for each thread */
    if (!program_go(&program, &failure))
        return tell_failure(&failure, options->words[0]);
    tracer_follow(&log, program.pid, &traced, &result);
    log_add(&log, "# null_ns %" PRIu64 "\n# end", result.null_ns);
    log_end(&log);
    log_close(&log);
    if (program_failed(&program, &failure)) {
        folder_remove(&folder);
        return tell_failure(&failure, options->words[0]);
    }
    fprintf(stderr, "record: %" PRIu64 " memory calls in %u address space%s: %s\n", result.calls,
            result.spaces, result.spaces == 1 ? "" : "s", folder.path);
    return ending_as(result.status);
}

int tracing_record(const struct record_options *options)
{
    char path[4096];
    if (options->stacks && !frames_known()) {
        fprintf(stderr,
                "record: --stacks: how programs keep their frames is known of x86-64 alone\n");
        return RECORD_USAGE;
    }
    if (!program_find(options->words[0], path, sizeof path)) {
        fprintf(stderr, "record: there is no program %s\n", options->words[0]);
        return NOT_FOUND;
    }
    const char *unfit = program_unfit(path);
    if (unfit != NULL) {
        fprintf(stderr, "record: %s %s: not started\n", path, unfit);
        return NOT_RECORDED;
    }
    bool queried = false;
    int error = memory_probe(options->queries, &queried);
    if (error != 0) {
        fprintf(stderr, "record: this kernel does not say what is mapped and touched (/proc): %s\n",
                strerror(error));
        return NOT_RECORDED;
    }
    if (!queried && options->queries)
        tracer_say(
            "this kernel lacks PROCMAP_QUERY (Linux 6.11) or PAGEMAP_SCAN (6.7): slower, and "
            "what was only read counts as touched");
    return record(options, path);
}
