/* What a file in bench/ says of its strategy, and nothing else does: the options that a harness
 * takes, --help and --describe follow from it. */
#ifndef STRATEGY_H
#define STRATEGY_H

#include <stdbool.h>
#include <stddef.h>

#include "region.h"
#include "workload.h"

struct maps_memory;

/* By what a strategy commits; --chunk sets the step of the last alone. */
enum strategy_step { STEP_SIZE, STEP_PAGE, STEP_CHUNK };

/* Hooks return 0, an error code or REGION_FOREIGN. */
struct strategy {
    const char *name;
    const char *summary; /* one line, for --help */
    enum strategy_step step;
    bool guarded; /* stands behind a guard page */
    bool grows;   /* from its start, step by step, so that steps may differ */
    bool purges;  /* can have what was touched given back, and touch it again */
    bool threads; /* several may carry it out at once, in one region or in several */

    /* The kinds of --commit, --order, --pages and --trap that it takes; NULL for the usual ones. */
    const struct kind *commits, *orders, *pages, *traps;

    /* The kinds of --purge by which it gives back itself, while it touches; NULL: it doesn't. */
    const struct kind *gives_back;

    /* Its memory comes in blocks from an allocator, which may keep what is freed. So the whole
     * process is read, the process's first cycle alone is timed, and the order is the pages' own.
     */
    bool blocks;

    /* Loads what --library or, where it has a shape, --recording names; NULL if it takes neither.
     * False with why not in `message`. */
    bool (*load)(const char *path, char *message, size_t size);

    /* Sets size, step and what is touched, which follow from what was loaded; NULL if they are
     * asked for. */
    void (*shape)(struct configuration *configuration);

    /* Why this machine lacks what all its configurations need, or NULL; NULL if none needs any. */
    const char *(*unsupported)(void);

    /* Makes what lasts beyond a cycle, before anything is timed or read; NULL if nothing does. */
    int (*prepare)(const struct configuration *configuration);

    /* Gets the address space; NULL if `commit` gets it too. */
    int (*reserve)(struct region *region);

    /* Commits before the first touch; NULL if nothing is. */
    int (*commit)(struct region *region);

    /* Touches by workload_touch, with the strategy's own work inlined. Must not itself be inlined:
     * clang's __try catches only what a called function raises. */
    int (*touch)(struct region *region, const struct workload *workload);

    /* Makes the page at `offset` accessible when an access there has faulted; NULL if no fault is
     * expected. Runs in a fault handler. */
    int (*fault)(struct region *region, size_t offset);

    /* Does all but the release, and finds the most that is charged for the region, and that the
     * process has resident, at any moment, against before; NULL where that is once all is touched.
     */
    int (*most)(struct region *region, struct maps_memory *most);

    /* Gives everything back; NULL for region_release. Nothing happens if nothing is held. */
    int (*release)(struct region *region);
};

/* True if it is our own code that commits, and not a library's or an allocator's. */
static inline bool strategy_commits(const struct strategy *strategy)
{
    return !strategy->blocks && (strategy->load == NULL || strategy->shape != NULL);
}

/* Tables of what it takes; the first is the default. */
const struct kind *strategy_commit_kinds(const struct strategy *strategy);
const struct kind *strategy_purge_kinds(const struct strategy *strategy);
const struct kind *strategy_orders(const struct strategy *strategy);
const struct kind *strategy_pages_kinds(const struct strategy *strategy);
const struct kind *strategy_trap_kinds(const struct strategy *strategy);

/* Why this machine can't have the strategy in that configuration, sizes and order apart; NULL when
 * it can. */
const char *strategy_unsupported(const struct strategy *strategy,
                                 const struct configuration *configuration);

#endif
