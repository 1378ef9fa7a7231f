/* A linked list whose nodes lie one behind the other in a reserved range, which is committed as it
 * grows: after a compare, or when an access faults; or whose nodes come from malloc. */
#ifndef NODES_H
#define NODES_H

#include <stddef.h>
#include <stdint.h>

#include "region.h"
#include "system/trap.h"

enum nodes_source { NODES_CHECK, NODES_FAULT, NODES_MALLOC };
extern const struct kind nodes_sources[];

/* How every node begins. Its last 8 bytes are written too, as a program fills what it asked for; in
 * a node of NODES_LEAST bytes they are the value. */
struct node {
    struct node *next;
    uint64_t value;
};
enum { NODES_LEAST = sizeof(struct node), NODES_UNIT = 16 };

struct nodes {
    enum nodes_source source;
    size_t node_bytes; /* a multiple of NODES_UNIT, at most a page */
    struct region region;
    size_t used;         /* bytes of the region that were given out */
    struct node *unused; /* freed, to be given out again */
    struct node *first, **last;
    uint64_t count;
};

/* An empty list; the region holds `configuration`, for NODES_MALLOC nothing. 0 or the system's
 * error code. */
int nodes_make(struct nodes *nodes, enum nodes_source source, size_t node_bytes,
               const struct configuration *configuration);

/* Appends `count` nodes, whose values go on from nodes->count. Returns 0, or the error code of what
 * refused memory: then the list ends before that node. Those of NODES_FAULT are to be appended
 * under a trap whose handler is nodes_answer and whose context the nodes. */
int nodes_append(struct nodes *nodes, uint64_t count);
enum trap_answer nodes_answer(void *nodes, const void *address);

/* The sum of all values. */
uint64_t nodes_sum(const struct nodes *nodes);

/* True if the list has the values from 0 to count - 1 in their order, each in the node's two ends.
 */
bool nodes_are_whole(const struct nodes *nodes);

/* Frees node by node, from the first on. */
void nodes_free_each(struct nodes *nodes);

/* Gives the range back in one call, with all that is in it. */
int nodes_release(struct nodes *nodes);

#endif
