/* The command line of every harness: one table of options, from which its strategy takes those that
 * it can use. The rest is refused, and neither --help nor --describe mentions it. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "configuration.h"
#include "strategy.h"
#include "system/kind.h"
#include "text.h"
#include "values.h"

/* What a harness is asked to print instead of measuring. */
enum options_answer { ANSWER_NONE, ANSWER_HELP, ANSWER_VERSION, ANSWER_DESCRIBE };

struct options {
    enum options_answer answer;
    struct sizes sizes;
    struct sizes chunks;
    struct parts touches;
    struct numbers threads;
    struct configuration common; /* what all configurations share: all but the sizes */
    uint64_t repeat;             /* samples of each configuration; 0 where turns are taken */
    uint64_t seed;
    const char *output;    /* "-" is standard output */
    const char *trace;     /* a file for touches one by one, or NULL */
    const char *loaded;    /* a library or a recording that the strategy loads, or NULL */
    const char *staircase; /* a file for the charge as touching proceeds, or NULL */
    bool turns;            /* take turns instead of samples */
    bool processes;        /* in the place of threads */
};

struct option {
    const char *name;  /* "--size" */
    const char *value; /* "LIST", as --help calls what follows; "" where nothing does */
    const char *help;  /* what it sets, and its default */

    /* Where its value is one of a table of kinds: that table, what such a kind is called, and what
     * it sets. Else `kinds` is NULL. */
    const struct kind *(*kinds)(const struct strategy *strategy);
    const char *what;
    void (*set)(struct configuration *configuration, int kind);

    bool (*taken_by)(const struct strategy *strategy);
    const char *lacks; /* why others don't take it, after the strategy's name */

    /* Reads any other value. */
    bool (*parse)(const struct parser *parser, const char *text, struct options *options);
};

/* Ended by a name of NULL. */
extern const struct option options_table[];

/* Fills in the defaults and what argv says, up to the first --help, --version or --describe.
 * Returns false with a line (no line end) in `message`. */
bool options_parse(const struct strategy *strategy, int argc, char **argv, struct options *options,
                   char *message, size_t size);

/* What --help says of the options that the strategy takes. */
void options_add_help(const struct strategy *strategy, struct text *text);

#endif
