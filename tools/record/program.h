/* The program that is to be recorded: whether it can be, and starting it under a filter that stops
 * it at the calls of calls.h alone. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    PROGRAM_NULL_CALLS = 64, /* that it makes before it becomes what it is: munmap(-1, 0) */
    PROGRAM_MARK = 0x766d,   /* what a stop by our filter carries, and by another's doesn't */
};

/* Finds what a shell would start for `name`. False if there is nothing. */
bool program_find(const char *name, char *path, size_t size);

/* Why it can't be recorded, in words; NULL if it can. Opens the file at `path`. */
const char *program_unfit(const char *path);

/* A process that is traced and stands before it sets its filter. */
struct program {
    pid_t pid;
    int go;     /* the architecture, to be written when it may go on */
    int failed; /* gives errno and what was refused if it can't start, else ends */
};

/* What could not be done, and why: errno. */
struct program_failure {
    int error;
    char what[32]; /* "ptrace", "fork", "filter", "execve" */
};

/* Starts `path` with `words` up to where it would become it. All options of ptrace are set. */
bool program_start(struct program *program, const char *path, char **words,
                   struct program_failure *failure);

/* Lets it go on: it sets its filter, makes its null calls and becomes the program. */
bool program_go(struct program *program, struct program_failure *failure);

/* After its first stop as the program, or its end: whether it could not become it. */
bool program_failed(struct program *program, struct program_failure *failure);

#endif
