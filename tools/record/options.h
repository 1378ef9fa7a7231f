/* What record is asked for on its command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct record_options {
    const char *output; /* NULL: a folder of its own */
    uint64_t interval_ms;
    uint64_t check_calls; /* 0: at intervals only */
    const char *only;     /* NULL: every process */
    const char *traced;   /* the last option that means something to a tracer alone; NULL: none */
    bool touch, queries, every, sample, stacks;
    uint64_t process; /* that runs already; 0: a program is started */
    char **words;     /* the program's */
};

extern const char record_usage[];

enum { RECORD_USAGE = 2, NOT_RECORDED = 125, NOT_STARTED = 126, NOT_FOUND = 127 };

/* Returns 0, or RECORD_USAGE when one line was printed. */
int record_parse(char **words, struct record_options *options);

#endif
