/* A buffer between a producer and a consumer, as a ring, with a mark that the producer's flow must
 * not pass: it stands at the top page of the buffer, as seen from the consumer when it was set.
 *
 * A packet that comes to the mark is a hit. Where the level is at the high-water mark by then, the
 * packet is still stored, and the producer is to be throttled: a second thread waits until the
 * level is down at the low-water mark, sets the mark anew and goes. Where the consumer has
 * meanwhile got on, the mark just moves on. What differs is how a hit is noticed: the page at the
 * mark is inaccessible, or is a guard page, so that the write faults; or each packet's end is
 * compared with the mark. The fourth way has no mark: a lock, and a condition that a full buffer's
 * producer waits for.
 *
 * Functions that return int return 0 or the system's error code. */
#ifndef RING_H
#define RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/guard.h"
#include "system/kind.h"
#include "system/thread.h"
#include "system/trap.h"

enum ring_way { RING_PROTECT, RING_GUARD, RING_CHECK, RING_CONDITION };
extern const struct kind ring_ways[];

/* In bytes. The ring has at least RING_LEAST_PAGES pages; `low` is below `high`, and `high` at
 * least three pages below `size`, so that a mark always moves up past the packet at it. */
struct ring_limits {
    size_t size, low, high;
};
enum { RING_LEAST_PAGES = 8 };

enum { RING_LINE_BYTES = 64 }; /* what one processor's write takes from another's cache */

/* `read` and `written` count bytes since the start. What each side writes to lies apart. */
struct ring {
    unsigned char *base;
    struct ring_limits limits;
    size_t page;
    enum ring_way way;
    enum guard_kind guard;
    struct thread_monitor *monitor;
    struct thread throttle;

    alignas(RING_LINE_BYTES) atomic_uint_least64_t written;
    uint64_t mark; /* where the page begins that is not to be written to; UINT64_MAX for none */
    uint64_t hits, moves, episodes, protect_calls;
    uint64_t waited_ns; /* of the last packet that waited for room, by the fourth way */
    int error;          /* of the mark's system calls */

    alignas(RING_LINE_BYTES) atomic_uint_least64_t read;
    alignas(RING_LINE_BYTES) atomic_bool throttled;
};

/* All of it committed and touched, the mark set. */
int ring_make(struct ring *ring, enum ring_way way, enum guard_kind guard,
              const struct ring_limits *limits);
int ring_free(struct ring *ring);

/* True where writes are expected to fault: they must be made under a trap whose handler is
 * ring_answer and whose context the ring. */
bool ring_faults(const struct ring *ring);
enum trap_answer ring_answer(void *ring, const void *address);

/* Stores a packet of at most a page, whose size is a multiple of 8. The producer must not be
 * throttled. An error is of the mark's calls; by the fourth way it waits while there is no room. */
int ring_put(struct ring *ring, const void *packet, size_t size);

/* Takes up to `size` bytes that are there, in the order in which they were stored; 0 where there
 * are none. */
size_t ring_take(struct ring *ring, void *bytes, size_t size);

/* Waits until something is there; may return without. */
void ring_await(struct ring *ring);

/* True where the last packet came to the mark at the high-water mark: ring_throttle starts the
 * second thread, and ring_resume waits for its end. In between, packets must be taken. */
bool ring_is_throttled(const struct ring *ring);
int ring_throttle(struct ring *ring);
int ring_resume(struct ring *ring);

/* Bytes that are stored and not yet taken. */
uint64_t ring_level(const struct ring *ring);

/* Where byte `position` of the flow lies. */
unsigned char *ring_at(const struct ring *ring, uint64_t position);

#endif
