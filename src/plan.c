/* Lists and shuffles configurations. */
#include "plan.h"

#include <stdlib.h>

/* In 64 bits, also where a size has 32. */
size_t plan_touched_bytes(size_t size, uint32_t part)
{
    size_t page = vm_page_bytes();
    uint64_t pages = size / page;
    uint64_t whole = pages / VALUES_WHOLE * part;
    uint64_t rest = (pages % VALUES_WHOLE * part + VALUES_WHOLE - 1) / VALUES_WHOLE;
    return (size_t)(whole + rest) * page;
}

/* Two parts of a small size may come to the same pages. */
static size_t list_touched(const struct parts *parts, size_t size, size_t touched[VALUES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < parts->count; i++) {
        size_t bytes = plan_touched_bytes(size, parts->values[i]);
        size_t same = 0;
        while (same < count && touched[same] != bytes)
            same++;
        if (same == count)
            touched[count++] = bytes;
    }
    return count;
}

static struct sizes list_steps(const struct strategy *strategy, const struct options *options,
                               size_t size)
{
    switch (strategy->step) {
    case STEP_SIZE: return (struct sizes){{size}, 1};
    case STEP_PAGE: return (struct sizes){{vm_page_bytes()}, 1};
    case STEP_CHUNK: break;
    }
    return options->chunks;
}

/* All at once, unless less is asked for. */
static size_t purge_step(const struct options *options, size_t touched)
{
    size_t step = options->common.purge_step;
    return step > 0 && step < touched ? step : touched;
}

/* Adds those of one size and one number of threads; `configuration` has these, and what all have in
 * common. Of each stripe as large a part is touched. */
static void list_size(const struct strategy *strategy, const struct options *options,
                      struct configuration configuration, struct plan *plan)
{
    size_t touched[VALUES_MAX];
    size_t stripes = configuration_stripes(&configuration);
    size_t touched_count = list_touched(&options->touches, configuration.size / stripes, touched);
    struct sizes steps = list_steps(strategy, options, configuration.size);
    for (size_t step = 0; step < steps.count; step++) {
        configuration.step = steps.values[step];
        for (size_t i = 0; i < touched_count; i++) {
            configuration.touched = stripes * touched[i];
            configuration.purge_step = purge_step(options, touched[i]);
            if (strategy->shape != NULL)
                strategy->shape(&configuration);
            plan->configurations[plan->count++] = configuration;
        }
    }
}

bool plan_make(const struct strategy *strategy, const struct options *options, struct plan *plan)
{
    size_t most = options->sizes.count * options->chunks.count * options->touches.count *
                  options->threads.count;
    *plan = (struct plan){.configurations = calloc(most, sizeof *plan->configurations),
                          .random = options->seed};
    if (plan->configurations == NULL)
        return false;
    struct configuration configuration = options->common;
    configuration.guard = guard_resolve(configuration.guard);
    for (size_t i = 0; i < options->sizes.count; i++) {
        configuration.size = options->sizes.values[i];
        for (size_t j = 0; j < options->threads.count; j++) {
            configuration.threads = options->threads.values[j];
            list_size(strategy, options, configuration, plan);
        }
    }
    return true;
}

void plan_free(struct plan *plan)
{
    free(plan->configurations);
    *plan = (struct plan){.count = 0};
}

/* Fisher and Yates. */
void plan_shuffle(struct plan *plan)
{
    for (size_t i = plan->count; i > 1; i--) {
        size_t j = (size_t)(workload_random(&plan->random) % i);
        struct configuration swapped = plan->configurations[i - 1];
        plan->configurations[i - 1] = plan->configurations[j];
        plan->configurations[j] = swapped;
    }
}
