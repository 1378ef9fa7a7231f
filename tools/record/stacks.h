/* The call stacks of memory calls: each distinct one is logged once, with what code it leads
 * through. */
#ifndef STACKS_H
#define STACKS_H

#include "log.h"
#include "tasks.h"

struct stacks {
    struct known_stack *buckets[4096];
    unsigned count;
};

/* Logs from where a task makes the call before which it stands: "o" and "w" of docs/record.md. */
void stacks_log(struct stacks *stacks, struct log *log, const struct task *task);

/* A call has succeeded with `result`: keeps space->code as the call left it. */
void stacks_follow(const struct task *task, uint64_t result);

#endif
