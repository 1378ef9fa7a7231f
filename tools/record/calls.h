/* The system calls that record stops at: which, what their arguments say of memory, and what the
 * log says of each. */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "tasks.h"

enum call_kind {
    CALL_MMAP,
    CALL_MUNMAP,
    CALL_MPROTECT,
    CALL_BRK,
    CALL_MREMAP,
    CALL_MADVISE,
    CALL_LOCK,
    CALL_SHMAT,
    CALL_SHMDT,
    CALL_AIO_MAKE,
    CALL_AIO_END,
    CALL_SHADOW_STACK,
    CALL_OTHER, /* changes neither what is mapped nor what is charged */
    CALL_FORK,  /* from here on: calls that make a task */
    CALL_VFORK,
    CALL_CLONE,
    CALL_CLONE3,
    CALL_TRACE, /* from here on: calls that a recording gets in the way of */
    CALL_FILTER,
};

struct call {
    long number;
    const char *name;
    enum call_kind kind;
    int arguments; /* that are logged */
};

/* All of them. */
extern const struct call calls[];
extern const size_t call_count;

/* NULL if it is none of them. */
const struct call *calls_find(uint64_t number);

bool call_makes_task(const struct call *call);

/* Whether a call that a task is about to make maps, makes usable or grows memory. */
bool call_grows(const struct task *task);

/* The whole pages that a call works on by its arguments. */
struct run call_range(uint64_t start, uint64_t length);

/* The flags of clone(2) that a call to make a task amounts to; reads those of clone3 from memory.
 */
uint64_t call_clone_flags(const struct task *task);

/* Gives the call that a task stands in other flags. False where it is not known how: of clone(2) on
 * processors other than x86-64. */
bool call_set_clone_flags(const struct task *task, uint64_t flags);

/* To be called where a task stands before its call. Logs what can't be known later: the bounds of
 * mappings that the call cuts, whether they were ever written to, how far the stack has grown, and,
 * with `scan`, which pages were touched of those that are given back. */
void call_enter(struct log *log, struct task *task, uint64_t stack_pointer, bool scan);

/* The call has ended with `result`, which is -errno if it failed, and took `cpu_ns`. */
void call_leave(struct log *log, struct task *task, int64_t result, uint64_t cpu_ns, bool scan);

/* Logs what was touched and what is no longer there since the last time that was seen. */
void call_update_touched(struct log *log, struct space *space, uint64_t start, uint64_t end);

#endif
