/* What the tools that measure workloads share: a command line of options that each take a value,
 * rows on standard output, and one line on standard error where something is wrong. */
#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "columns.h"
#include "region.h"
#include "system/kind.h"
#include "system/trap.h"
#include "values.h"

enum { TOOL_TAKEN = 0, TOOL_BROKE = 1, TOOL_USAGE = 2 };

struct tool_option {
    const char *name;  /* "--size" */
    const char *value; /* "LIST", as --help calls what follows; "" where nothing does */
    const char *help;
    bool (*parse)(const struct parser *parser, const char *text, void *options);
};

struct tool {
    const char *name;
    const char *summary;               /* for --help */
    const struct tool_option *options; /* ended by a name of NULL */
    const struct column *columns;      /* of its rows */
    size_t column_count;
};

/* Reads argv into `options`. False if the tool is to end now, with *status: after --help or
 * --version, or after a line that names option, value and what would be right. */
bool tool_parse(const struct tool *tool, int argc, char **argv, void *options, int *status);

/* Numbers and kinds out of a list, each once. */
struct tool_numbers {
    uint64_t values[VALUES_MAX];
    size_t count;
};
struct tool_kinds {
    int values[VALUES_MAX];
    size_t count;
};

/* A whole number from `least` to `most`; a list of such; a list of names of `kinds`, which are
 * `what` in a refusal. */
bool tool_parse_number(const struct parser *parser, const char *text, uint64_t least, uint64_t most,
                       uint64_t *number);
bool tool_parse_numbers(const struct parser *parser, const char *text, uint64_t least,
                        uint64_t most, struct tool_numbers *numbers);
bool tool_parse_kinds(const struct parser *parser, const char *text, const struct kind *kinds,
                      const char *what, struct tool_kinds *list);

/* A size that is a multiple of `unit` bytes, from `least` to `most`; a list of such. */
bool tool_parse_bytes(const struct parser *parser, const char *text, size_t unit, size_t least,
                      size_t most, size_t *bytes);
bool tool_parse_bytes_list(const struct parser *parser, const char *text, size_t unit, size_t least,
                           size_t most, struct sizes *sizes);

/* What --trap and --repeat take: the name of one kind of trap; how many samples. */
bool tool_parse_trap(const struct parser *parser, const char *text, enum trap_kind *trap);
bool tool_parse_repeat(const struct parser *parser, const char *text, uint64_t *repeat);

/* Answers a fault in the first page that is not committed, by a step more; any other is foreign.
 * Async-signal-safe. */
enum trap_answer tool_grow(struct region *region, const void *address);

/* Each is written when they return: TOOL_TAKEN, or TOOL_BROKE after a line that says why not. */
int tool_print_header(const struct tool *tool);
int tool_print_row(const struct tool *tool, const void *row);

/* Prints one line on standard error. Returns `status`. */
int tool_complain(const struct tool *tool, int status, const char *format, ...);

/* The same of a system's error: "TOOL: WHAT: TEXT". */
int tool_broke(const struct tool *tool, const char *what, int error);

#endif
