/* record: runs a program and writes down, exactly and without privileges, what it and all that it
 * starts do with memory: each call, what was touched, and from time to time the whole of what is
 * mapped, so that a replay can be held against it. docs/record.md describes the log. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"
#include "program.h"
#include "system/linux/proc.h"
#include "system/vm.h"
#include "tracer.h"
#include "version.h"

enum { USAGE = 2, NOT_RECORDED = 125, NOT_STARTED = 126, NOT_FOUND = 127 };

static const char usage[] =
    "usage: record [OPTION]... -- PROGRAM [ARGUMENT]...\n"
    "Records what a program and all that it starts do with memory.\n"
    "\n"
    "  --output DIR     where the recording goes: a folder that is not there yet, or is empty\n"
    "                   (default: record-PROGRAM-1, or the next number that is free)\n"
    "  --interval MS    between two looks at what is touched (default: 100); looks take 2 % of "
    "the\n"
    "                   time at most, whatever is asked for\n"
    "  --check N        hold the log against the kernel after every N calls as well, whatever "
    "that\n"
    "                   takes (default: at intervals only)\n"
    "  --no-touch       do not look at what is touched\n"
    "  --no-queries     read /proc as Linux before 6.11 must be read: slower, and what was only\n"
    "                   read counts as touched\n"
    "  --every-process  record every process (default)\n"
    "  --only NAME      record only processes whose program has this file name\n"
    "  --help, --version\n"
    "\n"
    "Ends as the program does. Status 2: bad usage; 125: it can't be recorded here and was not\n"
    "started; 126: it can't be started; 127: there is no such program.\n";

struct options {
    const char *output;
    struct tracer_options tracer;
    bool every, no_queries;
    char **words; /* the program's */
};

static int refuse(const char *format, const char *value)
{
    fprintf(stderr, "record: ");
    fprintf(stderr, format, value);
    fputc('\n', stderr);
    return USAGE;
}

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *number >= 1 &&
           *number <= most;
}

/* An option without a value; false if it is none of those. */
static bool read_switch(const char *option, struct options *options)
{
    if (strcmp(option, "--no-touch") == 0)
        options->tracer.scan = false;
    else if (strcmp(option, "--every-process") == 0)
        options->every = true;
    else if (strcmp(option, "--no-queries") == 0)
        options->no_queries = true;
    else
        return false;
    return true;
}

/* An option with its value. Returns 0, or USAGE when one line was printed. */
static int read_option(const char *option, const char *value, struct options *options)
{
    enum { HOUR_MS = 3600000, NS_PER_MS = 1000000 };
    bool output = strcmp(option, "--output") == 0, only = strcmp(option, "--only") == 0;
    bool interval = strcmp(option, "--interval") == 0, check = strcmp(option, "--check") == 0;
    if (!output && !only && !interval && !check)
        return refuse("'%s' is no option; record --help tells them", option);
    if (value == NULL || *value == '\0')
        return refuse("%s needs a value", option);
    if (output)
        options->output = value;
    if (only)
        options->tracer.only = value;
    if (check && !read_number(value, INT64_MAX, &options->tracer.check_calls))
        return refuse("--check: '%s' is no number of calls from 1 on", value);
    if (interval && !read_number(value, HOUR_MS, &options->tracer.interval_ns))
        return refuse("--interval: '%s' is no number of milliseconds from 1 to 3600000", value);
    options->tracer.interval_ns *= interval ? NS_PER_MS : 1;
    return 0;
}

/* Returns 0, or USAGE when one line was printed. */
static int read_options(char **words, struct options *options)
{
    *options = (struct options){.tracer = {.interval_ns = 100000000, .scan = true}};
    for (; *words != NULL && **words == '-' && strcmp(*words, "--") != 0; words++) {
        if (read_switch(*words, options))
            continue;
        int status = read_option(words[0], words[1], options);
        if (status != 0)
            return status;
        words++;
    }
    options->words = words + (*words != NULL && strcmp(*words, "--") == 0);
    if (options->every && options->tracer.only != NULL)
        return refuse("--every-process and --only %s exclude each other", options->tracer.only);
    return *options->words == NULL ? refuse("%s", "no program given: record [OPTION]... -- PROGRAM")
                                   : 0;
}

/* Makes the folder of the recording; `folder` has room for a path. Returns 0 or an exit status. */
static int make_folder(const struct options *options, char *folder, size_t size)
{
    if (options->output != NULL) {
        snprintf(folder, size, "%s", options->output);
        if (mkdir(folder, 0777) == 0 || errno == EEXIST)
            return 0;
        fprintf(stderr, "record: --output %s: %s\n", folder, strerror(errno));
        return NOT_RECORDED;
    }
    const char *slash = strrchr(options->words[0], '/');
    const char *name = slash != NULL ? slash + 1 : options->words[0];
    for (int number = 1; number < 100000; number++) {
        snprintf(folder, size, "record-%s-%d", name, number);
        if (mkdir(folder, 0777) == 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    fprintf(stderr, "record: %s: %s; name another by --output\n", folder, strerror(errno));
    return NOT_RECORDED;
}

static void log_path(char *path, size_t size, const char *folder)
{
    snprintf(path, size, "%s/memory.log", folder);
}

static int open_log(struct log *log, const char *folder)
{
    char path[4200];
    log_path(path, sizeof path, folder);
    int error = log_open(log, path);
    if (error == 0)
        return 0;
    fprintf(stderr, "record: %s: %s%s\n", path, strerror(error),
            error == EEXIST ? "; a recording is never overwritten: name another folder by --output"
                            : "");
    return error == EEXIST ? USAGE : NOT_RECORDED;
}

/* What was made for a program that could not be started. */
static void remove_recording(const char *folder)
{
    char path[4200];
    log_path(path, sizeof path, folder);
    unlink(path);
    rmdir(folder);
}

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

static void log_head(struct log *log, const struct options *options)
{
    struct utsname system;
    char overcommit[64] = "unknown";
    uname(&system);
    proc_for_each_line("", "/proc/sys/vm/overcommit_memory", setting_line, overcommit);
    log_add(log, "recording 1\n");
    log_tunables(log);
    log_add(log, "# kernel %s %s\n# page %zu\n# overcommit %s\n# touch %s\n# command",
            system.release, system.machine, vm_page_bytes(), overcommit,
            options->tracer.scan ? "yes" : "no");
    for (char **word = options->words; *word != NULL; word++) {
        log_add(log, " ");
        log_add_escaped(log, *word);
    }
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

/* Ends by the signal that the program ended by, without a second core file. */
static int end_as(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    int number = WTERMSIG(status);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL);
    raise(number);
    return 128 + number;
}

/* As many files as are allowed: one is held for each thread. Not before the program has its own. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int record(const struct options *options, const char *path)
{
    char folder[4096];
    struct log log;
    struct program program;
    struct program_failure failure;
    struct tracer_result result;
    if (!program_start(&program, path, options->words, &failure))
        return tell_failure(&failure, options->words[0]);
    int status = make_folder(options, folder, sizeof folder);
    if (status == 0)
        status = open_log(&log, folder);
    if (status != 0) {
        kill(program.pid, SIGKILL);
        return status;
    }
    log_head(&log, options);
    raise_file_limit();
    if (!program_go(&program, &failure))
        return tell_failure(&failure, options->words[0]);
    tracer_follow(&log, program.pid, &options->tracer, &result);
    log_add(&log, "# null_ns %" PRIu64 "\n# end", result.null_ns);
    log_end(&log);
    log_close(&log);
    if (program_failed(&program, &failure)) {
        remove_recording(folder);
        return tell_failure(&failure, options->words[0]);
    }
    fprintf(stderr, "record: %" PRIu64 " memory calls in %u address space%s: %s\n", result.calls,
            result.spaces, result.spaces == 1 ? "" : "s", folder);
    return end_as(result.status);
}

int main(int count, char **words)
{
    struct options options;
    char path[4096];
    if (count > 1 && strcmp(words[1], "--help") == 0)
        return fputs(usage, stdout) < 0 || fflush(stdout) != 0;
    if (count > 1 && strcmp(words[1], "--version") == 0)
        return printf("record (vmcommit) %s\n", version_text) < 0 || fflush(stdout) != 0;
    int status = read_options(words + 1, &options);
    if (status != 0)
        return status;
    if (!program_find(options.words[0], path, sizeof path)) {
        fprintf(stderr, "record: there is no program %s\n", options.words[0]);
        return NOT_FOUND;
    }
    const char *unfit = program_unfit(path);
    if (unfit != NULL) {
        fprintf(stderr, "record: %s %s: not started\n", path, unfit);
        return NOT_RECORDED;
    }
    bool queried = false;
    int error = memory_probe(!options.no_queries, &queried);
    if (error != 0) {
        fprintf(stderr, "record: this kernel does not say what is mapped and touched (/proc): %s\n",
                strerror(error));
        return NOT_RECORDED;
    }
    if (!queried && !options.no_queries)
        tracer_say(
            "this kernel lacks PROCMAP_QUERY (Linux 6.11) or PAGEMAP_SCAN (6.7): slower, and "
            "what was only read counts as touched");
    return record(&options, path);
}
