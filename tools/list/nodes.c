/* Each source has a loop of its own, so that nothing is asked for a node but what its program would
 * ask. */
#include "nodes.h"

#include <stdlib.h>

#include "system/vm.h"
#include "tool.h"

const struct kind nodes_sources[] = {
    {"check", NODES_CHECK}, {"fault", NODES_FAULT}, {"malloc", NODES_MALLOC}, {NULL, 0}};

int nodes_make(struct nodes *nodes, enum nodes_source source, size_t node_bytes,
               const struct configuration *configuration)
{
    *nodes = (struct nodes){
        .source = source, .node_bytes = node_bytes, .region = region_make(configuration)};
    nodes->last = &nodes->first;
    return source == NODES_MALLOC ? 0 : region_reserve(&nodes->region);
}

static uint64_t *end_of(const struct nodes *nodes, struct node *node)
{
    return (uint64_t *)(void *)((unsigned char *)node + nodes->node_bytes) - 1;
}

/* NULL where the range is used up or the system refuses the next step. */
static inline struct node *get_checked(struct nodes *nodes)
{
    struct region *region = &nodes->region;
    struct node *node = nodes->unused;
    if (node != NULL) {
        nodes->unused = node->next;
        return node;
    }
    size_t end = nodes->used + nodes->node_bytes;
    if (end > region->committed && (end > region->size || region_grow_past(region, end - 1) != 0))
        return NULL;
    node = (struct node *)(void *)(region->base + nodes->used);
    nodes->used = end;
    return node;
}

static inline struct node *get_unchecked(struct nodes *nodes)
{
    struct region *region = &nodes->region;
    struct node *node = nodes->unused;
    if (node != NULL) {
        nodes->unused = node->next;
        return node;
    }
    size_t end = nodes->used + nodes->node_bytes;
    if (end > region->size)
        return NULL;
    node = (struct node *)(void *)(region->base + nodes->used);
    nodes->used = end;
    return node;
}

static inline struct node *get_block(struct nodes *nodes)
{
    return malloc(nodes->node_bytes);
}

static inline int append(struct nodes *nodes, uint64_t count,
                         struct node *(*get)(struct nodes *nodes))
{
    struct node **last = nodes->last;
    uint64_t value = nodes->count, end = value + count;
    for (; value < end; value++) {
        struct node *node = get(nodes);
        if (node == NULL)
            break;
        node->next = NULL;
        node->value = value;
        *(volatile uint64_t *)end_of(nodes, node) = value;
        *last = node;
        last = &node->next;
        nodes->last = last; /* kept for each node: a fault may end the loop */
        nodes->count = value + 1;
    }
    if (value == end)
        return 0;
    return nodes->region.error != 0 ? nodes->region.error : vm_out_of_memory();
}

/* None of them is inlined where a trap runs them: clang's __try catches only what a called function
 * raises. */
int nodes_append(struct nodes *nodes, uint64_t count)
{
    switch (nodes->source) {
    case NODES_CHECK: return append(nodes, count, get_checked);
    case NODES_FAULT: return append(nodes, count, get_unchecked);
    case NODES_MALLOC: break;
    }
    return append(nodes, count, get_block);
}

/* A node begins in the first page that is not committed yet or ends there, since none is longer
 * than a page; an access beyond is not the list's. */
enum trap_answer nodes_answer(void *context, const void *address)
{
    return tool_grow(&((struct nodes *)context)->region, address);
}

uint64_t nodes_sum(const struct nodes *nodes)
{
    uint64_t sum = 0;
    for (const struct node *node = nodes->first; node != NULL; node = node->next)
        sum += node->value;
    return sum;
}

bool nodes_are_whole(const struct nodes *nodes)
{
    uint64_t count = 0;
    for (struct node *node = nodes->first; node != NULL; node = node->next)
        if (node->value != count || *end_of(nodes, node) != count++)
            return false;
    return count == nodes->count;
}

static void empty(struct nodes *nodes)
{
    nodes->first = NULL;
    nodes->last = &nodes->first;
    nodes->count = 0;
}

static void free_blocks(struct nodes *nodes)
{
    for (struct node *node = nodes->first, *next; node != NULL; node = next) {
        next = node->next;
        free(node);
    }
}

static void keep_unused(struct nodes *nodes)
{
    for (struct node *node = nodes->first, *next; node != NULL; node = next) {
        next = node->next;
        node->next = nodes->unused;
        nodes->unused = node;
    }
}

void nodes_free_each(struct nodes *nodes)
{
    if (nodes->source == NODES_MALLOC)
        free_blocks(nodes);
    else
        keep_unused(nodes);
    empty(nodes);
}

int nodes_release(struct nodes *nodes)
{
    empty(nodes);
    nodes->unused = NULL;
    nodes->used = 0;
    return region_release(&nodes->region);
}
