/* The cycles behind samples, traces and staircases: a strategy's phases under a trap, each in a
 * window of its own, with readings between them where they are asked for. */
#ifndef CYCLE_H
#define CYCLE_H

#include "sample.h"
#include "system/maps.h"

struct cycle {
    const struct strategy *strategy;
    const struct workload *workload;
    size_t touches; /* of a cycle: pages */
    size_t steps;   /* by which a cycle gives back; 0 if it doesn't */

    /* What the next part of a cycle gives back or makes usable again, of these steps, and touches
     * again, in the order of addresses; all when a cycle begins. */
    size_t first_step, last_step;
    struct workload again;

    struct sample *sample;
    struct region region;
    enum trap_kind trap;
    uint64_t count; /* cycles to run */
    bool counting;  /* read the fault counters at each window, and not around all of them */
    bool probing;   /* read memory between the phases */

    /* What of our own work failed first, in words, and the system's code; NULL and 0 if nothing. */
    const char *failed;
    int error;

    uint64_t reading_ns; /* what reading the clock adds to a window, and is taken off each */

    /* The window that is open, if any. */
    bool open;
    enum phase phase;
    uint64_t start_ns;
    struct meter_faults start_faults;

    /* The probing cycle's readings. */
    unsigned char *base;
    struct maps_memory before, reserved, peak, purged, retouched, released;
    struct meter_count retouch_minor_faults;
};

/* ns that a window with nothing in it takes: what reading the clock adds to each. */
uint64_t cycle_empty_window_ns(void);

/* One that holds nothing yet; the process may now have the configuration's pages. */
struct cycle cycle_start(const struct strategy *strategy, const struct configuration *configuration,
                         const struct workload *workload, struct sample *sample);

/* Runs `count` cycles and adds up their work in the sample. Returns 0 or the error that ended them
 * early; what the last cycle held then is still held. */
int cycle_repeat(struct cycle *cycle, uint64_t count, bool probing);

/* The same in parts, which add to what the sample holds: reserves, and commits what is committed
 * before the first touch; touches what the workload says; gives the chosen steps back; makes them
 * usable again, where that is needed; touches again; releases. Return as cycle_repeat does. */
int cycle_begin(struct cycle *cycle);
int cycle_touch(struct cycle *cycle);
int cycle_purge(struct cycle *cycle);
int cycle_restore(struct cycle *cycle);
int cycle_retouch(struct cycle *cycle);
int cycle_end(struct cycle *cycle);

/* Runs `count` cycles without a reading between them, and adds their work to the sample. Returns as
 * cycle_repeat does. */
int cycle_run(struct cycle *cycle, uint64_t count);

/* Forgets what the sample holds of earlier cycles' work. */
void cycle_forget(struct cycle *cycle);

/* Runs body(cycle) with its faults put to the strategy. Returns as cycle_repeat does. */
int cycle_trap(struct cycle *cycle, void (*body)(void *));

/* Reads memory between phases, if the cycle is probing: the region's, or the whole process's where
 * it comes in blocks, so that it means something as a difference to `before`. */
void cycle_probe(struct cycle *cycle, struct maps_memory *memory);

/* The reading of memory that belongs to the phase that was begun last, up to the peak or past it.
 */
struct maps_memory *cycle_reached(struct cycle *cycle);

/* Gives back what the strategy holds. */
int cycle_release(struct cycle *cycle);

/* Keeps that our own work failed, if `error` is not 0 and nothing was kept yet. */
void cycle_keep_error(struct cycle *cycle, const char *failed, int error);

/* Why cycle_repeat or cycle_trap returned `error`. */
void cycle_describe_failure(struct cycle *cycle, int error, char *message, size_t size);

/* True if it was the system that refused memory to the strategy. */
bool cycle_is_refusal(const struct cycle *cycle, int error);

/* Sets or adds to `sum` what a counter rose by; it is known if both readings are. */
void cycle_add_difference(struct meter_count *sum, struct meter_count from, struct meter_count to);

#endif
