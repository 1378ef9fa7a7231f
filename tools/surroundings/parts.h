/* The parts of what surrounds a commit. Each prints its rows, and returns what is to be the
 * program's exit status. */
#ifndef PARTS_H
#define PARTS_H

#include "subject.h"

struct surroundings {
    struct tool_kinds parts, strategies;
    struct sizes sizes; /* of what is there when the process is copied */
    struct tool_numbers mappings;
    struct sizes stack_bytes;
    uint64_t stacks; /* at most so many of each kind */
    uint64_t repeat, seed;

    struct subject subjects[SUBJECTS_MOST];
    size_t subject_count;
};

/* What becomes of a system call that is given memory which is not committed. */
int kernel_run(const struct surroundings *surroundings);

/* What it takes to copy the process, and what that adds. */
int fork_run(const struct surroundings *surroundings);

/* How many stacks there can be, by their guards. */
int stacks_run(const struct surroundings *surroundings);

/* What is resident, charged and refused while all that is mapped gets locked. */
int locked_run(const struct surroundings *surroundings);

#endif
