#include "options.h"

#include <stdio.h>
#include <string.h>

#include "values.h"

const char record_usage[] =
    "usage: record [OPTION]... -- PROGRAM [ARGUMENT]...\n"
    "       record [OPTION]... --pid N\n"
    "Records what a program and all that it starts do with memory.\n"
    "\n"
    "  --output DIR     where the recording goes: a folder that is not there yet, or is empty\n"
    "                   (default: record-PROGRAM-1, or the next number that is free)\n"
    "  --interval MS    between two looks at what is touched (default: 100); looks take 2 % of "
    "the\n"
    "                   time at most, whatever is asked for\n"
    "  --sample         do not trace, look at the program from time to time only; all that there "
    "is\n"
    "                   on Windows\n"
    "  --pid N          so look at a process that runs already, until it or record is ended\n"
    "  --check N        hold the log against the kernel after every N calls as well, whatever "
    "that\n"
    "                   takes (default: at intervals only)\n"
    "  --stacks         note from where each call comes that maps, makes usable or grows memory,\n"
    "                   by frame pointers\n"
    "  --no-touch       do not look at what is touched\n"
    "  --no-queries     read /proc as Linux before 6.11 must be read: slower, and what was only\n"
    "                   read counts as touched\n"
    "  --every-process  record every process (default); with --sample and --pid, which look at "
    "one\n"
    "                   alone, at what it starts as well, each in a recording of its own\n"
    "  --only NAME      record only processes whose program has this file name\n"
    "  --help, --version\n"
    "\n"
    "Ends as the program does. Status 2: bad usage; 125: it can't be recorded here and was not\n"
    "started; 126: it can't be started; 127: there is no such program.\n";

static int refuse(const char *format, const char *value)
{
    fprintf(stderr, "record: ");
    fprintf(stderr, format, value);
    fputc('\n', stderr);
    return RECORD_USAGE;
}

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    return values_parse_number(text, number) && *number >= 1 && *number <= most;
}

/* An option without a value; false if it is none of those. */
static bool read_switch(const char *option, struct record_options *options)
{
    bool sample = strcmp(option, "--sample") == 0, every = strcmp(option, "--every-process") == 0;
    options->sample = options->sample || sample;
    options->every = options->every || every;
    if (sample || every)
        return true;
    if (strcmp(option, "--no-touch") == 0)
        options->touch = false;
    else if (strcmp(option, "--stacks") == 0)
        options->stacks = true;
    else if (strcmp(option, "--no-queries") == 0)
        options->queries = false;
    else
        return false;
    options->traced = option;
    return true;
}

/* An option with its value. Returns 0, or RECORD_USAGE when one line was printed. */
static int read_option(const char *option, const char *value, struct record_options *options)
{
    enum { HOUR_MS = 3600000 };
    bool output = strcmp(option, "--output") == 0, only = strcmp(option, "--only") == 0;
    bool interval = strcmp(option, "--interval") == 0, check = strcmp(option, "--check") == 0;
    bool pid = strcmp(option, "--pid") == 0;
    if (!output && !only && !interval && !check && !pid)
        return refuse("'%s' is no option; record --help tells them", option);
    if (value == NULL || *value == '\0')
        return refuse("%s needs a value", option);
    if (output)
        options->output = value;
    if (only)
        options->only = value;
    if (only || check)
        options->traced = option;
    if (check && !read_number(value, INT64_MAX, &options->check_calls))
        return refuse("--check: '%s' is no number of calls from 1 on", value);
    if (interval && !read_number(value, HOUR_MS, &options->interval_ms))
        return refuse("--interval: '%s' is no number of milliseconds from 1 to 3600000", value);
    if (pid && !read_number(value, UINT64_MAX, &options->process))
        return refuse("--pid: '%s' is no process; use its number, as in 4711", value);
    options->sample = options->sample || pid;
    return 0;
}

/* Returns 0, or RECORD_USAGE when one line was printed. */
static int check_options(const struct record_options *options)
{
    if (options->sample && options->traced != NULL)
        return refuse("%s has no meaning with --sample and --pid, which see no calls",
                      options->traced);
    if (options->stacks && !options->touch)
        return refuse("--stacks and %s exclude each other: what is wasted, touches tell",
                      "--no-touch");
    if (options->every && options->only != NULL)
        return refuse("--every-process and --only %s exclude each other", options->only);
    if (options->process != 0 && *options->words != NULL)
        return refuse("--pid: '%s' is to be started as well; one process at a time",
                      *options->words);
    if (options->process == 0 && *options->words == NULL)
        return refuse("%s", "no program given: record [OPTION]... -- PROGRAM");
    return 0;
}

int record_parse(char **words, struct record_options *options)
{
    *options = (struct record_options){.interval_ms = 100, .touch = true, .queries = true};
    for (; *words != NULL && **words == '-' && strcmp(*words, "--") != 0; words++) {
        if (read_switch(*words, options))
            continue;
        int status = read_option(words[0], words[1], options);
        if (status != 0)
            return status;
        words++;
    }
    options->words = words + (*words != NULL && strcmp(*words, "--") == 0);
    return check_options(options);
}
