/* A set of addresses, kept as runs that lie apart in rising order. An empty set is all zeros. */
#ifndef RUNS_H
#define RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run {
    uint64_t start, end; /* [start, end) */
};

struct runs {
    struct run *items;
    size_t count, room;
};

void runs_free(struct runs *runs);

/* Index of the first run that ends beyond `address`; `count` if there is none. */
size_t runs_first(const struct runs *runs, uint64_t address);

bool runs_meet(const struct runs *runs, uint64_t start, uint64_t end);

/* Adds a run that starts at or beyond the end of the last. False without memory for it, as all that
 * return bool and change a set. */
bool runs_append(struct runs *runs, uint64_t start, uint64_t end);

bool runs_remove(struct runs *runs, uint64_t start, uint64_t end);

/* Adds the runs of `more`, none of which meets the set. */
bool runs_add(struct runs *runs, const struct runs *more);

/* Adds what of [start, end) is not in it yet. */
bool runs_include(struct runs *runs, uint64_t start, uint64_t end);

/* Bytes of [start, end) that are in it. */
uint64_t runs_size(const struct runs *runs, uint64_t start, uint64_t end);

/* What of `runs` within [start, end) is not in `others`, added to `rest`. */
bool runs_minus(const struct runs *runs, uint64_t start, uint64_t end, const struct runs *others,
                struct runs *rest);

bool runs_copy(struct runs *to, const struct runs *from);

/* What lies in [from, from + size) comes to lie as far into `to`. */
bool runs_move(struct runs *runs, uint64_t from, uint64_t to, uint64_t size);

#endif
