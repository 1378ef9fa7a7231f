/* What follows from a strategy's description. */
#include "strategy.h"

#include "system/copies.h"

const struct kind *strategy_commit_kinds(const struct strategy *strategy)
{
    return strategy->commits != NULL ? strategy->commits : commit_kinds;
}

const struct kind *strategy_purge_kinds(const struct strategy *strategy)
{
    return strategy->gives_back != NULL ? strategy->gives_back : purge_kinds;
}

const struct kind *strategy_orders(const struct strategy *strategy)
{
    return strategy->orders != NULL ? strategy->orders : workload_orders;
}

const struct kind *strategy_pages_kinds(const struct strategy *strategy)
{
    return strategy->pages != NULL ? strategy->pages : vm_pages_kinds;
}

const struct kind *strategy_trap_kinds(const struct strategy *strategy)
{
    return strategy->traps != NULL ? strategy->traps : trap_kinds;
}

static const char *pages_unsupported(const struct strategy *strategy,
                                     const struct configuration *configuration)
{
    const char *why = vm_pages_unsupported(configuration->pages);
    if (why == NULL && strategy->reserve != NULL)
        why = vm_pages_unreservable(configuration->pages);
    size_t unit = vm_pages_unit(configuration->pages);
    if (why == NULL && (configuration->size % unit != 0 || configuration->step % unit != 0))
        why = "size and step must be whole huge pages";
    return why;
}

static const char *purge_step_unsupported(const struct configuration *configuration)
{
    if (configuration->purge != PURGE_NONE &&
        configuration->purge_step % vm_pages_unit(configuration->pages) != 0)
        return "what is given back at a time must be whole huge pages";
    return purge_unsupported(configuration->purge, configuration->pages);
}

static const char *guard_page_unsupported(const struct configuration *configuration)
{
    size_t bytes = guard_committed_bytes(configuration->guard);
    if (bytes % vm_pages_unit(configuration->pages) != 0)
        return "a guard page can't be part of a huge one; use another kind of guard";
    return guard_unsupported(configuration->guard);
}

/* To map a page anew discards what another thread has written there. */
static const char *share_unsupported(const struct configuration *configuration)
{
    size_t unit = vm_pages_unit(configuration->pages);
    if (configuration->share == SHARE_PROCESSES)
        return copies_unsupported();
    if (configuration->size % (configuration_stripes(configuration) * unit) != 0)
        return "each thread's stripe must be whole pages";
    if (configuration->share == SHARE_PAGES && configuration->commit == COMMIT_REMAP)
        return "mapping a page anew would discard what another thread wrote there";
    return NULL;
}

const char *strategy_unsupported(const struct strategy *strategy,
                                 const struct configuration *configuration)
{
    const char *why = pages_unsupported(strategy, configuration);
    if (why == NULL && strategy->unsupported != NULL)
        why = strategy->unsupported();
    if (why == NULL && strategy_commits(strategy))
        why = commit_unsupported(configuration->commit, configuration->pages);
    if (why == NULL && strategy->purges)
        why = purge_step_unsupported(configuration);
    if (why == NULL && strategy->gives_back != NULL)
        why = purge_unsupported(configuration->purge, configuration->pages);
    if (why == NULL && configuration->threads > 1)
        why = share_unsupported(configuration);
    if (why == NULL && strategy->guarded)
        why = guard_page_unsupported(configuration);
    return why;
}
