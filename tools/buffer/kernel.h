/* What becomes of a system call that is to write at the buffer's mark, and how it is made right. */
#ifndef KERNEL_H
#define KERNEL_H

#include "ring.h"

/* One way to read from a pipe into the buffer near its mark. */
struct kernel_case {
    const char *name;
    size_t below; /* bytes from where the first read begins to the mark */
    bool touch;   /* a byte of the page at the mark is written before a read into it */
    bool in_two;  /* one read up to the mark, one from there on */
};

enum { KERNEL_BYTES = 512 }; /* are in the pipe, and asked for */

struct kernel_figures {
    uint64_t returned; /* bytes, by all of a case's calls */
    uint64_t left;     /* bytes that were in the pipe afterwards */
    uint64_t hits;
    int error;   /* the calls', or 0 */
    bool intact; /* what was returned and what was left are what was written */
};

/* Ended by a name of NULL. */
extern const struct kernel_case kernel_cases[];

/* Carries one out with a buffer of its own. 0, or the system's error code of something else. */
int kernel_try(const struct kernel_case *kernel_case, enum ring_way way, enum guard_kind guard,
               enum trap_kind trap, struct kernel_figures *figures);

#endif
