/* Orders of touching, as lists of pages. */
#include "workload.h"

#include <stdlib.h>

#include "system/vm.h"

const struct kind workload_orders[] = {
    {"sequential", ORDER_SEQUENTIAL},
    {"reverse", ORDER_REVERSE},
    {"random", ORDER_RANDOM},
    {"alternate", ORDER_ALTERNATE},
    {NULL, 0},
};

uint64_t workload_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* From the page before `end`. */
static void list_reverse(uint32_t *pages, size_t count, size_t end)
{
    for (size_t i = 0; i < count; i++)
        pages[i] = (uint32_t)(end - 1 - i);
}

static void list_alternate(uint32_t *pages, size_t count)
{
    size_t even = (count + 1) / 2;
    for (size_t i = 0; i < count; i++)
        pages[i] = (uint32_t)(i < even ? 2 * i : 2 * (i - even) + 1);
}

/* Fisher and Yates. */
static void list_random(uint32_t *pages, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++)
        pages[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)(workload_random(&seed) % i);
        uint32_t swapped = pages[i - 1];
        pages[i - 1] = pages[j];
        pages[j] = swapped;
    }
}

static void list(uint32_t *pages, size_t count, const struct configuration *configuration,
                 uint64_t seed)
{
    switch (configuration->order) {
    case ORDER_SEQUENTIAL: break;
    case ORDER_REVERSE: list_reverse(pages, count, count); break;
    case ORDER_DOWNWARDS: list_reverse(pages, count, configuration->size / vm_page_bytes()); break;
    case ORDER_ALTERNATE: list_alternate(pages, count); break;
    case ORDER_RANDOM: list_random(pages, count, seed); break;
    }
}

bool workload_make(struct workload *workload, const struct configuration *configuration,
                   uint64_t seed)
{
    size_t count = configuration->touched / vm_page_bytes();
    *workload = (struct workload){.last = count};
    if (configuration->order == ORDER_SEQUENTIAL)
        return true;
    if (configuration->size / vm_page_bytes() > UINT32_MAX)
        return false;
    workload->pages = malloc(count * sizeof *workload->pages);
    if (workload->pages == NULL)
        return false;
    list(workload->pages, count, configuration, seed);
    return true;
}

void workload_free(struct workload *workload)
{
    free(workload->pages);
    workload->pages = NULL;
}

bool workload_suits_guard(const struct workload *workload,
                          const struct configuration *configuration)
{
    struct region region = region_make(configuration);
    size_t page = region.page;
    size_t guard = 0;
    if (workload->pages == NULL)
        return true;
    for (size_t i = workload->first; i < workload->last; i++) {
        size_t offset = workload->pages[i] * page;
        if (offset > guard)
            return false;
        if (offset == guard)
            guard += region_step_at(&region, guard);
    }
    return true;
}
