/* The command line of walk. */
#ifndef WALK_OPTIONS_H
#define WALK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/space.h"
#include "text.h"

enum walk_format { FORMAT_AUTO, FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON };

struct walk_options {
    bool help;
    bool version;
    uint64_t process; /* 0: what `program` starts, or walk itself */
    char **program;   /* the words behind --, ended by NULL; NULL without */
    bool summary;
    enum walk_format format;
    uint64_t every_ms; /* 0: one look */
    uint64_t looks;    /* 0: until the process ends */
    enum space_detail detail;
    unsigned states; /* bit 1 << state of each that is asked for; 0: all */
    size_t min_size; /* bytes */
    const char *output;
};

/* Returns false with a line (no line end) in `message`. */
bool walk_parse(int argc, char **argv, struct walk_options *options, char *message, size_t size);

void walk_add_help(struct text *text);

#endif
