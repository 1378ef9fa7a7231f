/* Follows a program and all it starts, lets it run on at every stop, and writes what it does with
 * memory into the log. */
#ifndef TRACER_H
#define TRACER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"

struct tracer_options {
    const char *only;     /* the one name of programs that are recorded; NULL: all are */
    uint64_t interval_ns; /* between two looks at an address space; more where a look takes long */
    bool scan;            /* for touched pages */
    bool stacks;          /* of calls that map, make usable or grow memory */
    uint64_t check_calls; /* a checkpoint after each so many calls as well; 0: by time alone */
};

/* What is to be said at the end. */
struct tracer_result {
    int status;       /* as waitpid gives it */
    bool never_ran;   /* it ended before it became the program */
    uint64_t calls;   /* logged */
    unsigned spaces;  /* recorded */
    uint64_t null_ns; /* what the kernel says a call takes that does nothing, traced */
};

/* Something that the user should know, while the program runs: one line without its end. */
void tracer_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Until the last process that `pid` started has ended. Signals that ask record to end go to `pid`,
 * and to all that it left once it has ended. */
void tracer_follow(struct log *log, pid_t pid, const struct tracer_options *options,
                   struct tracer_result *result);

#endif
