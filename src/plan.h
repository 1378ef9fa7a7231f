/* Which configurations a harness samples, and in which order within a round. */
#ifndef PLAN_H
#define PLAN_H

#include "options.h"

struct plan {
    struct configuration *configurations;
    size_t count;
    uint64_t random; /* state of the orders to come */
};

/* To be called when the strategy has loaded what it takes. Lists each size with each step and each
 * part; what two parts of a small size have in common is listed once. To be freed by plan_free.
 * False if there is no memory for it. */
bool plan_make(const struct strategy *strategy, const struct options *options, struct plan *plan);
void plan_free(struct plan *plan);

/* Puts the configurations into a new order. */
void plan_shuffle(struct plan *plan);

/* The bytes that are touched: `part` millionths of `size`, rounded up to whole pages. */
size_t plan_touched_bytes(size_t size, uint32_t part);

#endif
