/* The producer is the calling thread, the consumer a second one; in lockstep the calling thread is
 * both. The clock is read where a packet begins a page, in all ways alike: a mark stands at the
 * beginning of a page, so that each hit lies in such a packet. */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#include "system/meter.h"
#include "system/vm.h"
#include "workload.h"

enum { TABLE_BYTES = 65536, MOST_PACKET = 65536, BLOCK_BYTES = 4096 };
enum {
    SLOWER = 3
}; /* checksums of each packet that the slow source takes, the consumer's being one */

struct flow_run {
    struct ring *ring;
    const struct flow *flow;
    struct flow_figures *figures;
    unsigned char *table;
    atomic_bool ended; /* nothing more will be stored */
    int error;
};

/* --- Bytes --- */

static unsigned char *make_table(void)
{
    unsigned char *table = malloc(TABLE_BYTES + MOST_PACKET);
    uint64_t state = 1;
    for (size_t at = 0; table != NULL && at < TABLE_BYTES + MOST_PACKET; at += sizeof state) {
        uint64_t word = workload_random(&state);
        memcpy(table + at, &word, sizeof word);
    }
    return table;
}

/* Its position, then what the table has there. */
static size_t make_packet(const struct flow *flow, const unsigned char *table, uint64_t position,
                          unsigned char *packet)
{
    uint64_t left = flow->bytes - position;
    size_t size = left < flow->packet ? (size_t)left : flow->packet;
    memcpy(packet, table + position % TABLE_BYTES, size);
    memcpy(packet, &position, sizeof position);
    return size;
}

/* By words of 8 bytes, of which each changes what all later ones do. */
static uint64_t add_to_checksum(uint64_t checksum, const unsigned char *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof checksum) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof word);
        checksum = ((checksum ^ word) << 23 | (checksum ^ word) >> 41) * 0x9e3779b97f4a7c15u + word;
    }
    return checksum;
}

uint64_t flow_checksum(const struct flow *flow)
{
    unsigned char packet[MOST_PACKET];
    unsigned char *table = make_table();
    uint64_t checksum = 0;
    for (uint64_t position = 0; table != NULL && position < flow->bytes;) {
        size_t size = make_packet(flow, table, position, packet);
        checksum = add_to_checksum(checksum, packet, size);
        position += size;
    }
    free(table);
    return checksum;
}

/* --- The consumer --- */

static void take_some(struct flow_run *run, size_t most)
{
    unsigned char block[MOST_PACKET];
    size_t size = ring_take(run->ring, block, most);
    run->figures->checksum = add_to_checksum(run->figures->checksum, block, size);
    run->figures->taken += size;
}

static void consume(void *context)
{
    struct flow_run *run = context;
    while (run->figures->taken < run->flow->bytes) {
        uint64_t taken = run->figures->taken;
        bool ended = atomic_load(&run->ended);
        take_some(run, BLOCK_BYTES);
        if (run->figures->taken > taken)
            continue;
        if (ended)
            return;
        ring_await(run->ring);
    }
}

/* --- The producer --- */

static void keep_hit(struct flow_figures *figures, uint64_t ns)
{
    if (figures->hits < FLOW_MOST_HITS)
        figures->hit_ns[figures->hits++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static void look_at_level(struct flow_run *run)
{
    uint64_t level = ring_level(run->ring);
    if (level > run->figures->highest_level)
        run->figures->highest_level = level;
}

/* A packet that waited for room is timed by the ring. */
static int put(struct flow_run *run, uint64_t position, const unsigned char *packet, size_t size)
{
    struct ring *ring = run->ring;
    size_t offset = position % ring->page;
    bool begins = offset == 0 || offset + size > ring->page;
    uint64_t hits = ring->hits;
    uint64_t start = begins ? meter_clock_ns() : 0;
    int error = ring_put(ring, packet, size);
    if (ring->hits > hits && ring->way == RING_CONDITION) {
        keep_hit(run->figures, ring->waited_ns);
        run->figures->throttled_ns += ring->waited_ns;
    } else if (ring->hits > hits) {
        keep_hit(run->figures, meter_clock_ns() - start);
    }
    if (begins)
        look_at_level(run);
    return error;
}

static bool is_calm(const struct flow *flow, uint64_t position)
{
    return flow->burst > 0 && position / flow->burst % 2 == 1;
}

static void be_slow(const unsigned char *packet, size_t size)
{
    volatile uint64_t kept = 0;
    for (int i = 0; i < SLOWER; i++)
        kept = add_to_checksum(kept, packet, size);
}

static int wait_throttled(struct flow_run *run)
{
    uint64_t start = meter_clock_ns();
    int error = ring_throttle(run->ring);
    if (error == 0)
        error = ring_resume(run->ring);
    run->figures->throttled_ns += meter_clock_ns() - start;
    return error;
}

static void produce(void *context)
{
    unsigned char packet[MOST_PACKET];
    struct flow_run *run = context;
    for (uint64_t position = 0; position < run->flow->bytes && run->error == 0;) {
        size_t size = make_packet(run->flow, run->table, position, packet);
        if (is_calm(run->flow, position))
            be_slow(packet, size);
        run->error = put(run, position, packet, size);
        if (run->error == 0 && ring_is_throttled(run->ring))
            run->error = wait_throttled(run);
        position += size;
    }
}

/* --- Both in one thread --- */

/* Up to the packet at which it is throttled. */
static uint64_t put_packets(struct flow_run *run, uint64_t position)
{
    unsigned char packet[MOST_PACKET];
    for (uint64_t i = 0; i < run->flow->put && position < run->flow->bytes && run->error == 0;
         i++) {
        size_t size = make_packet(run->flow, run->table, position, packet);
        run->error = put(run, position, packet, size);
        position += size;
        if (run->error == 0 && ring_is_throttled(run->ring)) {
            run->error = ring_throttle(run->ring);
            break;
        }
    }
    return position;
}

/* The second thread has gone before anything else is done. */
static void take_packets(struct flow_run *run)
{
    bool throttled = ring_is_throttled(run->ring);
    for (uint64_t i = 0; i < run->flow->take && run->error == 0; i++) {
        take_some(run, run->flow->packet);
        if (throttled && ring_level(run->ring) <= run->ring->limits.low) {
            run->error = ring_resume(run->ring);
            throttled = false;
        }
    }
}

static void run_in_lockstep(void *context)
{
    struct flow_run *run = context;
    uint64_t position = 0;
    while (run->figures->taken < run->flow->bytes && run->error == 0) {
        if (!ring_is_throttled(run->ring))
            position = put_packets(run, position);
        take_packets(run);
    }
}

/* --- A run --- */

static enum trap_answer answer(void *context, const void *address)
{
    return ring_answer(((struct flow_run *)context)->ring, address);
}

static int run_body(struct flow_run *run, void (*body)(void *), enum trap_kind trap)
{
    bool completed = true;
    int error = 0;
    if (ring_faults(run->ring))
        error = trap_run(trap, body, answer, run, &completed);
    else
        body(run);
    if (error == 0)
        error = completed ? run->error : run->ring->error;
    return error;
}

static int run_threads(struct flow_run *run, enum trap_kind trap)
{
    struct thread consumer;
    int error = thread_start(&consumer, consume, run);
    if (error != 0)
        return error;
    error = run_body(run, produce, trap);
    atomic_store(&run->ended, true);
    int left = thread_join(&consumer);
    return error != 0 ? error : left;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int flow_run(struct ring *ring, const struct flow *flow, enum trap_kind trap,
             struct flow_figures *figures)
{
    struct flow_run run = {.ring = ring, .flow = flow, .figures = figures, .table = make_table()};
    *figures = (struct flow_figures){.hit_ns = malloc(FLOW_MOST_HITS * sizeof *figures->hit_ns)};
    if (run.table == NULL || figures->hit_ns == NULL) {
        free(run.table);
        return vm_out_of_memory();
    }
    uint64_t start = meter_clock_ns();
    int error = flow->lockstep ? run_body(&run, run_in_lockstep, trap) : run_threads(&run, trap);
    figures->ns = meter_clock_ns() - start;
    free(run.table);
    if (figures->hits > 0)
        qsort(figures->hit_ns, figures->hits, sizeof *figures->hit_ns, compare);
    return error;
}

void flow_forget(struct flow_figures *figures)
{
    free(figures->hit_ns);
    figures->hit_ns = NULL;
}
