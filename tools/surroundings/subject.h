/* A strategy's memory, as the strategy itself leaves it: what the surroundings act on. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "cycle.h"
#include "tool.h"

/* A strategy, by one of the guards that it can have. */
struct subject {
    const struct strategy *strategy;
    enum guard_kind guard;
    const char *guard_name; /* "" for what has no guard */
};

/* The strategies, by their place in the list. */
extern const struct kind subject_strategies[];

enum { SUBJECTS_MOST = 16 };

/* Those of the chosen strategies that this machine can have; returns how many. */
size_t subject_list(const struct tool_kinds *strategies, struct subject *subjects);

/* Brings what touching its memory runs through into memory itself, so that no count has its faults.
 */
void subject_prepare(const struct subject *subject);

enum { SUBJECT_STEP_BYTES = 64 << 10 };

/* Its memory, and what it took to come so far. */
struct holding {
    const struct subject *subject;
    struct workload workload;
    struct sample sample;
    struct cycle cycle;
};

/* Reserves, and commits what the strategy commits before the first touch. Functions that return int
 * return 0 or the system's error code; what is held then is still held. */
int holding_begin(struct holding *holding, const struct subject *subject, size_t size);

/* Touches the pages [0, count), or the first `count` of every second page, by the strategy. */
int holding_touch(struct holding *holding, size_t count);
int holding_touch_alternate(struct holding *holding, size_t count);

/* Bytes from the start that an access may be made to without a fault that a handler must answer,
 * once the first page was touched; all of it for a strategy that commits all. */
size_t holding_usable(const struct holding *holding);

/* Gives back what is held, if anything is. */
int holding_end(struct holding *holding);

#endif
