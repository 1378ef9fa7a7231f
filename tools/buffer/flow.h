/* What flows through the buffer: packets whose bytes follow from their position, from a source
 * whose speed varies, to a consumer that takes a checksum in which the order of all bytes counts.
 */
#ifndef FLOW_H
#define FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring.h"

/* In bytes. By turns `burst` bytes come as fast as they can be stored, and as many from a source
 * that is slower than the consumer. In lockstep nobody is slow: by turns `put` packets come and
 * `take` packets are taken, in one thread, so that all counts are the same each time. */
struct flow {
    uint64_t bytes;
    size_t packet;
    uint64_t burst;
    bool lockstep;
    uint64_t put, take;
};

struct flow_figures {
    uint64_t ns;
    uint64_t throttled_ns;
    uint64_t highest_level; /* bytes; as looked at wherever a packet begins a page */
    uint64_t checksum;      /* of what was taken */
    uint64_t taken;         /* bytes */
    uint32_t *hit_ns;       /* of each hit's packet, ascending; the first FLOW_MOST_HITS hits */
    size_t hits;
};
enum { FLOW_MOST_HITS = 1 << 20 };

/* Sends it all. 0 or the system's error code. The figures are to be given to flow_forget. */
int flow_run(struct ring *ring, const struct flow *flow, enum trap_kind trap,
             struct flow_figures *figures);
void flow_forget(struct flow_figures *figures);

/* What the checksum must be. */
uint64_t flow_checksum(const struct flow *flow);

#endif
