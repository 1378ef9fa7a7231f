/* A region: one reserved range, how far it is committed, and what that took.
 *
 * Offsets are bytes from the start of the region. Functions that return int return 0, the system's
 * error code, or one of those below; what failed is kept in the region for the message. All but
 * reserve and release may be called in a fault handler. */
#ifndef REGION_H
#define REGION_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "configuration.h"

/* A strategy's answers to a fault: it is none of its own; another thread is mending it, or has
 * mended it, so that the access can be made again. And what is no error of the system:
 * `failed_call` then says it all. */
enum { REGION_FOREIGN = -1, REGION_AGAIN = -2, REGION_MENDED = -3, REGION_BROKEN = INT_MIN };

/* How far the pages are usable that several threads touch. Each thread has a struct region of its
 * own beside it, which may lag behind. */
struct region_shared {
    atomic_size_t committed;
    atomic_size_t guard;
    atomic_uint mover; /* the thread that moves the guard; 0 if none does */
};

struct region {
    unsigned char *base;
    size_t size; /* bytes reserved, whole pages */
    size_t step; /* bytes by which the strategy commits, whole pages; the first, where they grow */
    size_t page; /* bytes in a page */
    enum growth growth;
    enum vm_pages pages;
    enum commit_kind commit;
    enum purge_kind purge;
    size_t purge_step;   /* bytes given back by a call, whole pages */
    size_t purge_stride; /* bytes from the start of such a step to that of the next */
    enum guard_kind guard_kind;
    size_t committed;  /* end of the committed prefix, where a strategy keeps one */
    size_t guard;      /* where the guard page stands, where a strategy keeps one */
    size_t last_fault; /* page of the last handled fault; SIZE_MAX before the first */
    void *own;         /* what a strategy keeps of its own, such as the last of its blocks */
    struct region_shared *shared; /* NULL where no other thread touches the same pages */
    uint64_t commit_calls;
    uint64_t purge_calls;
    uint64_t handled_faults;

    const char *failed_call; /* what the system refused, or NULL */
    size_t failed_offset;
    size_t failed_size;
    int error;
};

/* One that holds nothing yet. */
struct region region_make(const struct configuration *configuration);

/* Forgets what an earlier cycle reached; the counts go on. What is shared is its owner's to forget.
 */
void region_restart(struct region *region);

/* Address space only. */
int region_reserve(struct region *region);

/* Address space and commit in one call. */
int region_reserve_committed(struct region *region);

/* Commits [from, to), whole pages. */
int region_commit(struct region *region, size_t from, size_t to);

/* Moves the committed end up to `end`, or to the end of the region if that comes first. */
int region_commit_to(struct region *region, size_t end);

/* The size of the step that begins at `end`, where all steps before it ended: steps are all as
 * large, or each twice the one before. */
size_t region_step_at(const struct region *region, size_t end);

/* Where the committed end must go so that it passes `offset`, by whole steps; within the region. */
size_t region_next_end(const struct region *region, size_t offset);

/* Moves the committed end there. Where threads share it, a step may be committed by several of them
 * at once, and the end is moved once the step is usable. */
int region_grow_past(struct region *region, size_t offset);

/* Sets the guard on the page at `offset`, with everything before it committed. At the end of the
 * region no page is left to guard. */
int region_set_guard(struct region *region, size_t offset);

/* Takes the guard off its page, which becomes usable. */
int region_clear_guard(struct region *region);

/* 0 if the fault at `offset` is a hit on the guard, which then is this thread's to move; else
 * REGION_FOREIGN, or REGION_AGAIN or REGION_MENDED where another thread came first. Never waits: a
 * thread that ended, or that a fork left behind, in the middle of moving it leaves that to the
 * next.
 */
int region_take_guard(struct region *region, size_t offset);

/* Moves a guard that was taken up to `offset`, and lets other threads have it. The old one goes
 * last, so that nobody passes it before what is behind it is usable. REGION_AGAIN where a thread
 * may fault on the same page once more. */
int region_move_guard(struct region *region, size_t offset);

/* The steps by which [0, end) is given back; in the order `alternate` every second one alone. */
size_t region_purge_steps(const struct region *region, size_t end);

/* Gives back what was touched, [0, end): of its steps [first, last). */
int region_purge(struct region *region, size_t first, size_t last, size_t end);

/* Makes usable again what region_purge gave back, by the same steps. */
int region_restore(struct region *region, size_t first, size_t last, size_t end);

/* Gives the range back; nothing happens if none is held. */
int region_release(struct region *region);

/* Gives back the memory of [from, to) of a range that is released next. */
int region_empty(struct region *region, size_t from, size_t to);

/* Keeps what the system refused, if `error` is not 0 and nothing was kept yet. Returns `error`. */
int region_keep_failure(struct region *region, const char *call, size_t offset, size_t size,
                        int error);

/* True if `address` lies in the region; its offset then is *offset. */
bool region_find(const struct region *region, const void *address, size_t *offset);

/* The start of the page, or of the step, that holds `offset`. */
static inline size_t region_page_start(const struct region *region, size_t offset)
{
    return offset - offset % region->page;
}

static inline size_t region_step_start(const struct region *region, size_t offset)
{
    return offset - offset % region->step;
}

#endif
