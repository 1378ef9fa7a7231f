/* Keeps what may be charged and resident from event to event, and takes off only what is sure to be
 * gone: the kernel alone knows the rest, and is asked where it matters. */
#define _GNU_SOURCE
#include "most.h"

#include <sys/mman.h>

#include "record/runs.h"

/* Runs of the region; `failed`: there was no memory for one. */
struct most {
    struct runs reserving; /* charged when it becomes writable */
    struct runs charged, held;
    bool populates, failed;
};

static void include(struct most *most, struct runs *runs, uint64_t start, uint64_t end)
{
    most->failed = most->failed || !runs_include(runs, start, end);
}

static void take_away(struct most *most, struct runs *runs, uint64_t start, uint64_t end)
{
    most->failed = most->failed || !runs_remove(runs, start, end);
}

static void forget(struct most *most, uint64_t start, uint64_t end)
{
    take_away(most, &most->reserving, start, end);
    take_away(most, &most->charged, start, end);
    take_away(most, &most->held, start, end);
}

/* All of a reservation: how much of it is charged by then does not matter to a bound. */
static void make_writable(struct most *most, const struct script_event *event)
{
    uint64_t end = event->start + event->size;
    if (runs_meet(&most->reserving, event->start, end))
        include(most, &most->charged, event->start, end);
    if (most->populates && event->commits)
        include(most, &most->held, event->start, end);
}

static void map(struct most *most, const struct script_event *event)
{
    forget(most, event->start, event->start + event->size);
    if (event->reserves)
        include(most, &most->reserving, event->start, event->start + event->size);
    if ((event->protection & PROT_WRITE) != 0)
        make_writable(most, event);
}

/* Where it was is as if it stayed: a bound may be too high. */
static void move(struct most *most, const struct script_event *event)
{
    uint64_t end = event->to + event->to_size;
    bool reserving = runs_meet(&most->reserving, event->start, event->start + event->size);
    if (event->to == event->start && event->to_size < event->size)
        forget(most, end, event->start + event->size);
    if (reserving)
        include(most, &most->reserving, event->to, end);
    if (runs_meet(&most->charged, event->start, event->start + event->size))
        include(most, &most->charged, event->to, end);
    include(most, &most->held, event->to, end);
}

static bool may_lower(const struct most *most, const struct script_event *event)
{
    uint64_t end = event->start + event->size;
    switch (event->kind) {
    case SCRIPT_MAP:
        return runs_meet(&most->charged, event->start, end) ||
               runs_meet(&most->held, event->start, end);
    case SCRIPT_PROTECT: return (event->protection & PROT_WRITE) == 0;
    case SCRIPT_TOUCH:
    case SCRIPT_RESTORE: return false;
    default: return true;
    }
}

static void follow(struct most *most, const struct script_event *event)
{
    switch (event->kind) {
    case SCRIPT_MAP: map(most, event); break;
    case SCRIPT_UNMAP: forget(most, event->start, event->start + event->size); break;
    case SCRIPT_PROTECT:
        if ((event->protection & PROT_WRITE) != 0)
            make_writable(most, event);
        break;
    case SCRIPT_MOVE: move(most, event); break;
    case SCRIPT_RESTORE:
        include(most, &most->reserving, event->start, event->start + event->size);
        include(most, &most->charged, event->start, event->start + event->size);
        break;
    case SCRIPT_TOUCH: include(most, &most->held, event->start, event->start + event->size); break;
    default: break;
    }
}

bool most_mark(struct script *script, enum commit_kind commit)
{
    struct most most = {.populates = commit_populates(commit)};
    for (size_t i = 0; i < script->count && !most.failed; i++) {
        struct script_event *event = &script->events[i];
        bool lowers = may_lower(&most, event);
        event->may_commit = lowers ? runs_size(&most.charged, 0, UINT64_MAX) : 0;
        event->may_hold = lowers ? runs_size(&most.held, 0, UINT64_MAX) : 0;
        follow(&most, event);
    }
    runs_free(&most.reserving);
    runs_free(&most.charged);
    runs_free(&most.held);
    return !most.failed;
}
