/* The threads that are traced and the address spaces they run in. */
#ifndef TASKS_H
#define TASKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "memory.h"
#include "runs.h"

struct task {
    struct task *next; /* in its bucket */
    pid_t tid, pid;
    struct space *space; /* NULL before the program is started, and after its memory is gone */
    int schedstat;       /* /proc/TID/schedstat; negative: not open */
    unsigned early;      /* ticks for which it stands, since no parent has said whose child it is */
    bool exiting;
    /* the call it is in, or waits to be let into */
    const struct call *call;
    uint64_t arguments[6];
    uint64_t cpu_ns;      /* when it entered */
    uint64_t clone_flags; /* of a call that makes a task */
    bool past;            /* its call was so slow that others were let in beside it */
    struct task *behind;  /* the next that waits */
};

/* What the tasks of one address space share. Only one of them is let into a call that changes it at
 * a time: what two of them did at once could not be told from the order in which they end. */
struct space {
    struct space *next;
    unsigned number;
    unsigned users; /* tasks that have not ended */
    pid_t pid;      /* of the process it was made for */
    bool recorded;
    struct memory memory;
    struct runs touched;   /* as last seen */
    struct runs code;      /* what is executable; kept where stacks are logged */
    struct runs described; /* of the code: what the log says the file of */
    uint64_t brk;
    struct run stack; /* of the first thread */
    struct task *running;
    uint64_t running_since_ns;
    unsigned past;  /* tasks in a call beside which others were let in */
    uint64_t calls; /* that have ended */
    struct task *waiting;
    uint64_t scan_at_ns, check_at_ns; /* when that is due */
};

struct tasks {
    struct task *buckets[1024];
    struct space *spaces;
    unsigned space_count; /* that there were */
};

struct task *tasks_find(const struct tasks *tasks, pid_t tid);

/* NULL without memory for it. */
struct task *tasks_add(struct tasks *tasks, pid_t tid, pid_t pid);
void tasks_remove(struct tasks *tasks, struct task *task);

/* Calls `each` for all tasks of a process but `tid`; it may remove the one it is given. */
void tasks_of(struct tasks *tasks, pid_t pid, pid_t tid,
              void (*each)(struct task *task, void *context), void *context);

/* Calls `each` for all tasks that are early. */
void tasks_early(struct tasks *tasks, void (*each)(struct task *task));

/* Sends a signal to all processes. */
void tasks_signal(const struct tasks *tasks, int signal);

/* Closes what is kept open for each task but one. False if nothing was. */
bool tasks_close(struct tasks *tasks, const struct task *but);

/* One in that space that has not begun to end, of the process that the space was made for if there
 * is any: one that vfork(2) made counts faults of its own, and soon has another space. NULL if
 * there is none. */
struct task *tasks_in(const struct tasks *tasks, const struct space *space);

/* A space that `task` is the first to run in. NULL without memory for it. */
struct space *space_add(struct tasks *tasks, struct task *task, bool recorded);

/* The space goes with its last task. */
void space_leave(struct tasks *tasks, struct task *task);

/* Puts a task at the end of those that wait, or takes it out from among them. */
void space_wait(struct space *space, struct task *task);
void space_wait_no_more(struct space *space, struct task *task);

#endif
