#define _GNU_SOURCE
#include "tasks.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUCKETS = sizeof((struct tasks *)NULL)->buckets / sizeof(struct task *) };

static struct task **place_of(struct tasks *tasks, pid_t tid)
{
    struct task **place = &tasks->buckets[(unsigned)tid % BUCKETS];
    while (*place != NULL && (*place)->tid != tid)
        place = &(*place)->next;
    return place;
}

struct task *tasks_find(const struct tasks *tasks, pid_t tid)
{
    struct task *task = tasks->buckets[(unsigned)tid % BUCKETS];
    while (task != NULL && task->tid != tid)
        task = task->next;
    return task;
}

struct task *tasks_add(struct tasks *tasks, pid_t tid, pid_t pid)
{
    struct task *task = calloc(1, sizeof *task);
    if (task == NULL)
        return NULL;
    task->tid = tid;
    task->pid = pid;
    task->schedstat = -1;
    *place_of(tasks, tid) = task;
    return task;
}

void tasks_remove(struct tasks *tasks, struct task *task)
{
    if (task->space != NULL)
        space_leave(tasks, task);
    if (task->schedstat >= 0)
        close(task->schedstat);
    *place_of(tasks, task->tid) = task->next;
    free(task);
}

void tasks_of(struct tasks *tasks, pid_t pid, pid_t tid,
              void (*each)(struct task *task, void *context), void *context)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        struct task *next;
        for (struct task *task = tasks->buckets[i]; task != NULL; task = next) {
            next = task->next;
            if (task->pid == pid && task->tid != tid)
                each(task, context);
        }
    }
}

void tasks_early(struct tasks *tasks, void (*each)(struct task *task))
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct task *task = tasks->buckets[i]; task != NULL; task = task->next)
            if (task->early > 0)
                each(task);
}

void tasks_signal(const struct tasks *tasks, int signal)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct task *task = tasks->buckets[i]; task != NULL; task = task->next)
            if (task->tid == task->pid)
                kill(task->pid, signal);
}

bool tasks_close(struct tasks *tasks, const struct task *but)
{
    bool any = false;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct task *task = tasks->buckets[i]; task != NULL; task = task->next)
            if (task->schedstat >= 0 && task != but) {
                close(task->schedstat);
                task->schedstat = -1;
                any = true;
            }
    return any;
}

struct task *tasks_in(const struct tasks *tasks, const struct space *space)
{
    struct task *found = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct task *task = tasks->buckets[i]; task != NULL; task = task->next)
            if (task->space == space && !task->exiting &&
                (found == NULL || task->pid == space->pid))
                found = task;
    return found;
}

struct space *space_add(struct tasks *tasks, struct task *task, bool recorded)
{
    struct space *space = calloc(1, sizeof *space);
    if (space == NULL)
        return NULL;
    space->next = tasks->spaces;
    space->number = recorded ? tasks->space_count++ : 0;
    space->users = 1;
    space->pid = task->pid;
    space->recorded = recorded;
    space->memory = memory_none;
    tasks->spaces = space;
    task->space = space;
    return space;
}

static void space_remove(struct tasks *tasks, struct space *space)
{
    struct space **place = &tasks->spaces;
    while (*place != space)
        place = &(*place)->next;
    *place = space->next;
    memory_close(&space->memory);
    runs_free(&space->touched);
    runs_free(&space->code);
    runs_free(&space->described);
    free(space);
}

void space_leave(struct tasks *tasks, struct task *task)
{
    struct space *space = task->space;
    space_wait_no_more(space, task);
    if (space->running == task)
        space->running = NULL;
    space->past -= task->past;
    task->space = NULL;
    if (--space->users == 0)
        space_remove(tasks, space);
}

void space_wait(struct space *space, struct task *task)
{
    struct task **end = &space->waiting;
    while (*end != NULL)
        end = &(*end)->behind;
    task->behind = NULL;
    *end = task;
}

void space_wait_no_more(struct space *space, struct task *task)
{
    for (struct task **place = &space->waiting; *place != NULL; place = &(*place)->behind) {
        if (*place == task) {
            *place = task->behind;
            return;
        }
    }
}
