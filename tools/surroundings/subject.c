/* Each strategy is its file in bench/, built under a name of its own: harness_strategy there is
 * upfront_strategy and so on here. */
#include "subject.h"

#include <stdlib.h>

#include "system/vm.h"

extern const struct strategy upfront_strategy, fault_strategy, chunked_strategy, guard_strategy;

static const struct strategy *const strategies[] = {&upfront_strategy, &fault_strategy,
                                                    &chunked_strategy, &guard_strategy};

const struct kind subject_strategies[] = {
    {"upfront", 0}, {"fault", 1}, {"chunked", 2}, {"guard", 3}, {NULL, 0}};

static size_t list_guards(const struct strategy *strategy, struct subject *subjects)
{
    size_t count = 0;
    for (const struct kind *guard = guard_kinds; guard->name != NULL; guard++) {
        enum guard_kind kind = (enum guard_kind)guard->value;
        if (kind != GUARD_AUTO && guard_unsupported(kind) == NULL)
            subjects[count++] = (struct subject){strategy, kind, guard->name};
    }
    return count;
}

size_t subject_list(const struct tool_kinds *chosen, struct subject *subjects)
{
    size_t count = 0;
    for (size_t i = 0; i < chosen->count; i++) {
        const struct strategy *strategy = strategies[chosen->values[i]];
        if (strategy->guarded)
            count += list_guards(strategy, subjects + count);
        else
            subjects[count++] = (struct subject){strategy, guard_resolve(GUARD_AUTO), ""};
    }
    return count;
}

static struct configuration configuration_of(const struct subject *subject, size_t size)
{
    struct configuration configuration = configuration_make(size, SUBJECT_STEP_BYTES);
    if (subject->strategy->step != STEP_CHUNK)
        configuration.step = subject->strategy->step == STEP_PAGE ? vm_page_bytes() : size;
    configuration.guard = subject->guard;
    return configuration;
}

void subject_prepare(const struct subject *subject)
{
    struct configuration configuration = configuration_of(subject, SUBJECT_STEP_BYTES);
    sample_prepare(subject->strategy, &configuration);
}

int holding_begin(struct holding *holding, const struct subject *subject, size_t size)
{
    struct configuration configuration = configuration_of(subject, size);
    *holding = (struct holding){.subject = subject};
    holding->cycle =
        cycle_start(subject->strategy, &configuration, &holding->workload, &holding->sample);
    return cycle_begin(&holding->cycle);
}

int holding_touch(struct holding *holding, size_t count)
{
    holding->workload.last = count;
    return cycle_touch(&holding->cycle);
}

int holding_touch_alternate(struct holding *holding, size_t count)
{
    uint32_t *pages = malloc(count * sizeof *pages);
    if (pages == NULL)
        return vm_out_of_memory();
    for (size_t i = 0; i < count; i++)
        pages[i] = (uint32_t)(2 * i);
    holding->workload.pages = pages;
    int error = holding_touch(holding, count);
    holding->workload.pages = NULL;
    free(pages);
    return error;
}

size_t holding_usable(const struct holding *holding)
{
    return holding->cycle.region.step;
}

int holding_end(struct holding *holding)
{
    return cycle_release(&holding->cycle);
}
