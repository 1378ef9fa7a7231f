/* The mark at position M is the page [M, M + page) of the flow. It is as many pages above the
 * consumer's page as the ring has, less one: so that page of the ring holds nothing that is still
 * to be read, and a packet that comes to it may be finished there. */
#include "ring.h"

#include <string.h>

#include "system/calls.h"
#include "system/meter.h"
#include "system/vm.h"

const struct kind ring_ways[] = {{"protect", RING_PROTECT},
                                 {"guard", RING_GUARD},
                                 {"check", RING_CHECK},
                                 {"condition", RING_CONDITION},
                                 {NULL, 0}};

enum { DRAINED, FILLED }; /* conditions */

unsigned char *ring_at(const struct ring *ring, uint64_t position)
{
    return ring->base + position % ring->limits.size;
}

uint64_t ring_level(const struct ring *ring)
{
    return atomic_load_explicit(&ring->written, memory_order_relaxed) - atomic_load(&ring->read);
}

bool ring_faults(const struct ring *ring)
{
    return ring->way == RING_PROTECT || ring->way == RING_GUARD;
}

bool ring_is_throttled(const struct ring *ring)
{
    return atomic_load_explicit(&ring->throttled, memory_order_acquire);
}

/* --- The mark. In a fault handler too. --- */

static int close_page(struct ring *ring, uint64_t position)
{
    if (!ring_faults(ring))
        return 0;
    ring->protect_calls++;
    return ring->way == RING_GUARD ? guard_set(ring->guard, ring_at(ring, position))
                                   : calls_protect(ring_at(ring, position), ring->page, CALLS_NONE);
}

static int open_page(struct ring *ring, uint64_t position)
{
    if (!ring_faults(ring))
        return 0;
    ring->protect_calls++;
    return ring->way == RING_GUARD
               ? guard_clear(ring->guard, ring_at(ring, position))
               : calls_protect(ring_at(ring, position), ring->page, CALLS_WRITE);
}

static int set_mark(struct ring *ring)
{
    uint64_t read = atomic_load(&ring->read);
    ring->mark = read - read % ring->page + ring->limits.size - ring->page;
    return close_page(ring, ring->mark);
}

/* All below the mark is filled when something is to be written at it. */
static int hit(struct ring *ring)
{
    uint64_t at = ring->mark;
    int error = open_page(ring, at);
    ring->hits++;
    if (at - atomic_load(&ring->read) >= ring->limits.high) {
        ring->mark = UINT64_MAX;
        atomic_store(&ring->throttled, true);
        return error;
    }
    ring->moves++;
    return error != 0 ? error : set_mark(ring);
}

enum trap_answer ring_answer(void *context, const void *address)
{
    struct ring *ring = context;
    uintptr_t wanted = (uintptr_t)address, page = (uintptr_t)ring_at(ring, ring->mark);
    if (ring->mark == UINT64_MAX || wanted < page || wanted - page >= ring->page)
        return TRAP_FOREIGN;
    ring->error = hit(ring);
    return ring->error == 0 ? TRAP_RETRY : TRAP_ABANDON;
}

/* --- Storing and taking --- */

static void copy_in(struct ring *ring, uint64_t position, const void *packet, size_t size)
{
    size_t offset = (size_t)(position % ring->limits.size);
    size_t straight = ring->limits.size - offset < size ? ring->limits.size - offset : size;
    memcpy(ring->base + offset, packet, straight);
    memcpy(ring->base, (const unsigned char *)packet + straight, size - straight);
}

static void copy_out(const struct ring *ring, uint64_t position, void *bytes, size_t size)
{
    size_t offset = (size_t)(position % ring->limits.size);
    size_t straight = ring->limits.size - offset < size ? ring->limits.size - offset : size;
    memcpy(bytes, ring->base + offset, straight);
    memcpy((unsigned char *)bytes + straight, ring->base, size - straight);
}

static void wait_for_room(struct ring *ring)
{
    uint64_t start = meter_clock_ns();
    ring->hits++;
    ring->episodes++;
    atomic_store(&ring->throttled, true);
    while (ring_level(ring) > ring->limits.low)
        thread_monitor_wait(ring->monitor, DRAINED);
    atomic_store(&ring->throttled, false);
    ring->waited_ns = meter_clock_ns() - start;
}

/* As full as the other ways let it become. */
static int put_locked(struct ring *ring, const void *packet, size_t size)
{
    thread_monitor_enter(ring->monitor);
    if (ring_level(ring) + size > ring->limits.size - ring->page)
        wait_for_room(ring);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    copy_in(ring, written, packet, size);
    atomic_store_explicit(&ring->written, written + size, memory_order_release);
    thread_monitor_wake(ring->monitor, FILLED);
    thread_monitor_leave(ring->monitor);
    return 0;
}

int ring_put(struct ring *ring, const void *packet, size_t size)
{
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    int error = 0;
    if (ring->way == RING_CONDITION)
        return put_locked(ring, packet, size);
    if (ring->way == RING_CHECK && written + size > ring->mark)
        error = hit(ring);
    copy_in(ring, written, packet, size);
    atomic_store_explicit(&ring->written, written + size, memory_order_release);
    return error;
}

static size_t take_available(struct ring *ring, void *bytes, size_t size)
{
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    size_t taken = written - read < size ? (size_t)(written - read) : size;
    copy_out(ring, read, bytes, taken);
    atomic_store(&ring->read, read + taken);
    return taken;
}

/* The consumer tells of the low level; the order of storing `read` and loading `throttled` against
 * that of the handler and the second thread makes sure that one of the two sees the other. */
size_t ring_take(struct ring *ring, void *bytes, size_t size)
{
    bool locked = ring->way == RING_CONDITION;
    if (locked)
        thread_monitor_enter(ring->monitor);
    size_t taken = take_available(ring, bytes, size);
    if (atomic_load(&ring->throttled) && ring_level(ring) <= ring->limits.low) {
        if (!locked)
            thread_monitor_enter(ring->monitor);
        thread_monitor_wake(ring->monitor, DRAINED);
        if (!locked)
            thread_monitor_leave(ring->monitor);
    }
    if (locked)
        thread_monitor_leave(ring->monitor);
    return taken;
}

void ring_await(struct ring *ring)
{
    if (ring->way != RING_CONDITION) {
        thread_yield();
        return;
    }
    thread_monitor_enter(ring->monitor);
    if (ring_level(ring) == 0)
        thread_monitor_wait(ring->monitor, FILLED);
    thread_monitor_leave(ring->monitor);
}

/* --- Throttling --- */

static void drain(void *context)
{
    struct ring *ring = context;
    thread_monitor_enter(ring->monitor);
    while (ring_level(ring) > ring->limits.low)
        thread_monitor_wait(ring->monitor, DRAINED);
    thread_monitor_leave(ring->monitor);
    ring->error = set_mark(ring);
    atomic_store(&ring->throttled, false);
}

int ring_throttle(struct ring *ring)
{
    ring->episodes++;
    return thread_start(&ring->throttle, drain, ring);
}

int ring_resume(struct ring *ring)
{
    int error = thread_join(&ring->throttle);
    return error != 0 ? error : ring->error;
}

/* --- Making and freeing --- */

/* Touched before any page is closed: Linux gives the charge of a page back that was never touched
 * and may not be written to, so that opening it again could be refused (seen with 6.18). */
static void touch(struct ring *ring)
{
    for (size_t at = 0; at < ring->limits.size; at += ring->page)
        *(volatile unsigned char *)(ring->base + at) = 0;
}

int ring_make(struct ring *ring, enum ring_way way, enum guard_kind guard,
              const struct ring_limits *limits)
{
    void *base = NULL;
    memset(ring, 0, sizeof *ring);
    ring->way = way;
    ring->guard = guard;
    ring->limits = *limits;
    ring->page = vm_page_bytes();
    ring->mark = UINT64_MAX;
    ring->monitor = thread_monitor_make();
    if (ring->monitor == NULL)
        return vm_out_of_memory();
    int error = vm_reserve_committed(limits->size, VM_PAGES_SMALL, &base);
    if (error != 0) {
        thread_monitor_free(ring->monitor);
        return error;
    }
    ring->base = base;
    touch(ring);
    return way == RING_CONDITION ? 0 : set_mark(ring);
}

int ring_free(struct ring *ring)
{
    thread_monitor_free(ring->monitor);
    return vm_release(ring->base, ring->limits.size);
}
