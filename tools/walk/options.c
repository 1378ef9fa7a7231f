/* One table of options: name, what --help says, and how its value is read. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "values.h"

static const struct kind formats[] = {
    {"table", FORMAT_TABLE}, {"csv", FORMAT_CSV}, {"json", FORMAT_JSON}, {NULL, 0}};

static bool parse_kind(const struct parser *parser, const char *text, const struct kind *kinds,
                       const char *what, int *value)
{
    char names[256];
    struct text list = text_in(names, sizeof names);
    if (kind_find(kinds, text, value))
        return true;
    text_add_kinds(&list, kinds);
    return values_refuse(parser, ": '%s' is no %s; use %s", text, what, names);
}

static bool parse_pid(const struct parser *parser, const char *text, struct walk_options *options)
{
    if (values_parse_number(text, &options->process) && options->process > 0)
        return true;
    return values_refuse(parser, ": '%s' is no process; use its number, as in 4711", text);
}

static bool parse_format(const struct parser *parser, const char *text,
                         struct walk_options *options)
{
    int format = FORMAT_AUTO;
    bool good = parse_kind(parser, text, formats, "format", &format);
    options->format = (enum walk_format)format;
    return good;
}

/* "1", "0.25": whole milliseconds, up to a day. */
static bool parse_milliseconds(const char *text, uint64_t *ms)
{
    char whole[16];
    uint64_t seconds, fraction = 0;
    size_t length = strcspn(text, ".");
    const char *digits = text[length] == '.' ? text + length + 1 : "0";
    if (length >= sizeof whole || strlen(digits) > 3)
        return false;
    memcpy(whole, text, length);
    whole[length] = '\0';
    if (!values_parse_number(whole, &seconds) || !values_parse_number(digits, &fraction) ||
        seconds > 86400)
        return false;
    for (size_t i = strlen(digits); i < 3; i++)
        fraction *= 10;
    *ms = seconds * 1000 + fraction;
    return *ms >= 10;
}

static bool parse_every(const struct parser *parser, const char *text, struct walk_options *options)
{
    if (parse_milliseconds(text, &options->every_ms))
        return true;
    return values_refuse(parser,
                         ": '%s' is no time between looks; use seconds from 0.01 to 86400, as in 1 "
                         "or 0.25",
                         text);
}

static bool parse_looks(const struct parser *parser, const char *text, struct walk_options *options)
{
    if (values_parse_number(text, &options->looks) && options->looks > 0)
        return true;
    return values_refuse(parser, ": '%s' is no number of looks; use 1 or more", text);
}

static bool parse_state(const struct parser *parser, const char *text, struct walk_options *options)
{
    char name[32];
    for (const char *at = text;; at++) {
        int state = 0;
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), at);
        if (!parse_kind(parser, name, space_states, "state", &state))
            return false;
        options->states |= 1u << state;
        at += length;
        if (*at == '\0')
            return true;
    }
}

static bool parse_min_size(const struct parser *parser, const char *text,
                           struct walk_options *options)
{
    if (values_parse_size(text, &options->min_size))
        return true;
    return values_refuse(parser, ": '%s' is no size; use bytes or K, M, G, as in 64K", text);
}

static bool parse_output(const struct parser *parser, const char *text,
                         struct walk_options *options)
{
    (void)parser;
    options->output = text;
    return true;
}

static bool set_summary(const struct parser *parser, const char *text, struct walk_options *options)
{
    (void)parser;
    (void)text;
    options->summary = true;
    return true;
}

static bool set_quick(const struct parser *parser, const char *text, struct walk_options *options)
{
    (void)parser;
    (void)text;
    options->detail = SPACE_QUICK;
    return true;
}

static bool set_help(const struct parser *parser, const char *text, struct walk_options *options)
{
    (void)parser;
    (void)text;
    options->help = true;
    return true;
}

static bool set_version(const struct parser *parser, const char *text, struct walk_options *options)
{
    (void)parser;
    (void)text;
    options->version = true;
    return true;
}

static const struct walk_option {
    const char *name;
    const char *value; /* "" where nothing follows */
    const char *help;
    bool (*parse)(const struct parser *parser, const char *text, struct walk_options *options);
} table[] = {
    {"--pid", "N", "the process; without, and without a program, walk itself", parse_pid},
    {"--summary", "", "bytes and regions by state and by kind, instead of each region",
     set_summary},
    {"--format", "KIND", "table, csv or json (a table on a terminal, else csv)", parse_format},
    {"--state", "LIST", "only regions in these states, as in reserved,guard", parse_state},
    {"--min-size", "SIZE", "only regions of at least so many bytes; takes K, M, G", parse_min_size},
    {"--quick", "", "without charge, residency and guards: costs the process next to nothing",
     set_quick},
    {"--every", "SECONDS", "look again and again, and say what changed", parse_every},
    {"--looks", "N", "with --every: so many looks (until the process ends)", parse_looks},
    {"--output", "FILE", "where to write; - is standard output (-)", parse_output},
    {"--help", "", "this text", set_help},
    {"--version", "", "which version this is", set_version},
};

void walk_add_help(struct text *text)
{
    text_add(text, "usage: walk [OPTIONS] [-- PROGRAM ARGUMENTS]\n"
                   "Every region of a process's address space, from its bottom to its top.\n"
                   "Of a program it starts, as it is when it ends.\n\n");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char words[32];
        snprintf(words, sizeof words, "%s %s", table[i].name, table[i].value);
        text_add(text, "  %-18s %s\n", words, table[i].help);
    }
    text_add(text, "\nStates: ");
    text_add_kinds(text, space_states);
    text_add(text, ".\nExit status: 0 read to its end, 1 not, 2 bad usage.\n");
}

static const struct walk_option *find(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strlen(table[i].name) == length && memcmp(table[i].name, word, length) == 0)
            return &table[i];
    return NULL;
}

/* "--name value" or "--name=value"; moves *at on to what follows. */
static bool parse_word(char **argv, int *at, struct walk_options *options, char *message,
                       size_t size)
{
    const char *word = argv[(*at)++];
    size_t length = strcspn(word, "=");
    const struct walk_option *option = find(word, length);
    struct parser parser = {.option = option != NULL ? option->name : word, message, size};
    const char *value = word[length] == '=' ? word + length + 1 : NULL;
    if (option == NULL)
        return values_refuse(&parser, ": no such option; walk --help lists them");
    if (option->value[0] == '\0' && value != NULL)
        return values_refuse(&parser, ": takes no value, but '%s' is given", value);
    if (option->value[0] != '\0' && value == NULL) {
        value = argv[*at];
        if (value == NULL)
            return values_refuse(&parser, ": no value; use %s %s", option->name, option->value);
        ++*at;
    }
    return option->parse(&parser, value, options);
}

static bool check(const struct walk_options *options, char *message, size_t size)
{
    if (options->looks > 0 && options->every_ms == 0) {
        struct parser parser = {"--looks", message, size};
        return values_refuse(&parser, ": means something only with --every SECONDS");
    }
    if (options->program != NULL && options->process != 0) {
        struct parser parser = {"--pid", message, size};
        return values_refuse(&parser, ": '%s' is to be started as well; one process at a time",
                             options->program[0]);
    }
    if (options->summary && options->every_ms > 0 && options->format == FORMAT_CSV) {
        struct parser parser = {"--every", message, size};
        return values_refuse(&parser, ": summaries that follow each other are no CSV; use table or "
                                      "json, or leave --summary out");
    }
    return true;
}

/* What stands behind "--". */
static bool parse_program(char **words, struct walk_options *options, char *message, size_t size)
{
    struct parser parser = {"--", message, size};
    options->program = words;
    return words[0] != NULL || values_refuse(&parser, ": no program behind it");
}

bool walk_parse(int argc, char **argv, struct walk_options *options, char *message, size_t size)
{
    *options = (struct walk_options){.output = "-"};
    for (int at = 1; at < argc && !options->help && !options->version && options->program == NULL;)
        if (strcmp(argv[at], "--") == 0 ? !parse_program(argv + at + 1, options, message, size)
                                        : !parse_word(argv, &at, options, message, size))
            return false;
    return options->help || options->version || check(options, message, size);
}
