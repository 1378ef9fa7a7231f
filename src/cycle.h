/* The cycles behind samples, traces and staircases: a strategy's phases under a trap, each in a
 * window of its own, with readings between them where they are asked for. */
#ifndef CYCLE_H
#define CYCLE_H

#include "sample.h"
#include "system/trap.h"

struct run {
    const struct strategy *strategy;
    const struct workload *workload;
    struct sample *sample;
    struct region region;
    uint64_t cycles;
    bool probing; /* read counters and memory between the phases */
    int meter_error;

    /* The window that is open, if any. */
    bool open;
    enum phase phase;
    uint64_t start_ns;
    struct meter_faults start_faults;

    /* The probing cycle's readings. */
    unsigned char *base;
    struct meter_memory before, reserved, peak, released;
};

struct run cycle_start(const struct strategy *strategy, const struct configuration *configuration,
                       const struct workload *workload, struct sample *sample);

/* Runs `count` cycles and adds up their work in the sample. Returns 0 or the error that ended them
 * early; what the last cycle held then is still held. */
int cycle_repeat(struct run *run, uint64_t count, bool probing);

/* Reads memory between phases, if the run is probing: the region's, or the whole process's where it
 * comes in blocks, so that it means something as a difference to `before`. */
void cycle_probe(struct run *run, struct meter_memory *memory);

/* Gives back what the strategy holds. */
int cycle_release(struct run *run);

/* Puts a fault to the strategy; a trap_handler, whose context is a struct run. */
enum trap_answer cycle_answer_fault(void *context, const void *address);

/* Sets or adds to `sum` what a counter rose by; it is known if both readings are. */
void cycle_add_difference(struct meter_count *sum, struct meter_count from, struct meter_count to);

#endif
