/* The cycles behind samples, traces and staircases: a strategy's phases under a trap, each in a
 * window of its own, with readings between them where they are asked for. */
#ifndef CYCLE_H
#define CYCLE_H

#include "crew.h"
#include "sample.h"
#include "system/maps.h"

/* What the windows of a run hold. */
struct work {
    uint64_t phase_ns[PHASE_COUNT];
    uint64_t wall_ns;
    struct meter_usage usage;
};

/* Where several threads work, each has one of these. The leader's, that of the calling thread, is
 * the one that others know; it reserves and releases what all share. */
struct cycle {
    const struct strategy *strategy;
    const struct workload *workload; /* a thread's */
    size_t touches;                  /* of a cycle: pages, a thread's */
    size_t steps;                    /* by which a cycle gives back; 0 if it doesn't */
    size_t releases;                 /* pages that can be released part by part; 0 if none can */

    /* What the next part of a cycle gives back or makes usable again, of these steps, and touches
     * again, or releases, in the order of addresses; all when a cycle begins. */
    size_t first_step, last_step;
    struct workload again;

    struct sample *sample; /* the leader's alone */
    struct region region;  /* a thread's part, where it is a stripe */
    size_t held;           /* bytes that the leader reserves: of all stripes */
    enum share share;
    struct region_shared shared;
    struct crew *crew;    /* NULL: one thread works alone */
    unsigned index;       /* in the crew */
    struct cycle *leader; /* of a run */
    enum trap_kind trap;
    uint64_t count;       /* cycles to run */
    bool counting;        /* read the counters at each window, and not around all of them */
    bool counting_locks;  /* the lock of the address space too */
    bool probing;         /* read memory between the phases */
    void (*body)(void *); /* of a run */
    struct work work;     /* of a run */
    int locks;            /* the counter, where locks are counted */

    /* What of our own work failed first, in words, and the system's code; NULL and 0 if nothing. */
    const char *failed;
    int error;

    uint64_t reading_ns; /* what reading the clock adds to a window, and is taken off each */

    /* The window that is open, if any. */
    bool open;
    enum phase phase;
    uint64_t start_ns, end_ns;
    struct meter_usage start_usage;

    /* The probing cycle's readings. */
    unsigned char *base;
    struct maps_memory before, reserved, peak, purged, retouched, released;
    struct maps_memory most; /* of a cycle that looks for it */
    struct meter_count retouch_minor_faults;
};

/* ns that a window with nothing in it takes: what reading the clock adds to each. */
uint64_t cycle_empty_window_ns(void);

/* One that holds nothing yet, to be ended by cycle_stop; the process may now have the
 * configuration's pages. The workload is one thread's. */
struct cycle cycle_start(const struct strategy *strategy, const struct configuration *configuration,
                         const struct workload *workload, struct sample *sample);

/* Runs `count` cycles and adds up their work in the sample. Returns 0 or the error that ended them
 * early; what the last cycle held then is still held. */
int cycle_repeat(struct cycle *cycle, uint64_t count, bool probing);

/* The same in parts, which add to what the sample holds: reserves, and commits what is committed
 * before the first touch; touches what the workload says; gives the chosen steps back; makes them
 * usable again, where that is needed; touches again; releases a part; releases all that is left.
 * Return as cycle_repeat does. */
int cycle_begin(struct cycle *cycle);
int cycle_touch(struct cycle *cycle);
int cycle_purge(struct cycle *cycle);
int cycle_restore(struct cycle *cycle);
int cycle_retouch(struct cycle *cycle);
int cycle_release_part(struct cycle *cycle);
int cycle_end(struct cycle *cycle);

/* Runs `count` cycles without a reading between them, and adds their work to the sample. Returns as
 * cycle_repeat does. */
int cycle_run(struct cycle *cycle, uint64_t count);

/* Forgets what the sample holds of earlier cycles' work. */
void cycle_forget(struct cycle *cycle);

/* Runs body(cycle) in each thread, with its faults put to the strategy. Returns as cycle_repeat
 * does. */
int cycle_trap(struct cycle *cycle, void (*body)(void *));

/* Reads memory between phases, if the cycle is probing: the region's, or the whole process's where
 * it comes in blocks, so that it means something as a difference to `before`. */
void cycle_probe(struct cycle *cycle, struct maps_memory *memory);

/* The reading of memory that belongs to the phase that was begun last, up to the peak or past it.
 */
struct maps_memory *cycle_reached(struct cycle *cycle);

/* Adds what processes of a crew have read of their own memory, once for each time that it was read.
 */
void cycle_add_others(struct cycle *cycle);

/* Gives back what the strategy holds; does so, and lets the crew go. */
int cycle_release(struct cycle *cycle);
void cycle_stop(struct cycle *cycle);

/* What a run counted that a sample can't have of its own timed cycles: counts, in one more cycle,
 * how often the address space's lock is taken. Unknown where that can't be counted. */
struct meter_count cycle_count_locks(struct cycle *cycle);

/* The most that was charged and resident at any moment, by one more cycle: unknown where that is
 * once all is touched, or could not be found. */
void cycle_find_most(struct cycle *cycle, struct meter_count *commit_bytes,
                     struct meter_count *resident_bytes);

/* Keeps that our own work failed, if `error` is not 0 and nothing was kept yet. */
void cycle_keep_error(struct cycle *cycle, const char *failed, int error);

/* Why cycle_repeat or cycle_trap returned `error`. */
void cycle_describe_failure(struct cycle *cycle, int error, char *message, size_t size);

/* True if it was the system that refused memory to the strategy. */
bool cycle_is_refusal(const struct cycle *cycle, int error);

/* Sets or adds to `sum` what a counter rose by; it is known if both readings are. */
void cycle_add_difference(struct meter_count *sum, struct meter_count from, struct meter_count to);

#endif
