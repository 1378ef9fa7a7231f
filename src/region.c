/* A region on top of the system: clamps to its end, counts the calls, keeps what failed. */
#include "region.h"

#include "system/purge.h"
#include "system/thread.h"
#include "system/vm.h"

int region_keep_failure(struct region *region, const char *call, size_t offset, size_t size,
                        int error)
{
    if (error != 0 && region->error == 0) {
        region->failed_call = call;
        region->failed_offset = offset;
        region->failed_size = size;
        region->error = error;
    }
    return error;
}

static size_t clamp(const struct region *region, size_t offset)
{
    return offset < region->size ? offset : region->size;
}

struct region region_make(const struct configuration *configuration)
{
    struct region region = {.size = configuration->size,
                            .step = configuration->step,
                            .page = vm_page_bytes(),
                            .growth = configuration->growth,
                            .pages = configuration->pages,
                            .commit = configuration->commit,
                            .purge = configuration->purge,
                            .purge_step = configuration->purge_step,
                            .purge_stride = configuration->purge_step,
                            .guard_kind = configuration->guard};
    if (configuration->order == ORDER_ALTERNATE)
        region.purge_stride *= 2;
    region_restart(&region);
    return region;
}

void region_restart(struct region *region)
{
    region->base = NULL;
    region->committed = 0;
    region->guard = 0;
    region->last_fault = SIZE_MAX;
    region->own = NULL;
}

int region_reserve(struct region *region)
{
    void *base = NULL;
    int error = commit_reserve(region->commit, region->pages, region->size, &base);
    region->base = base;
    return region_keep_failure(region, "reserve", 0, region->size, error);
}

int region_reserve_committed(struct region *region)
{
    void *base = NULL;
    int error = commit_at_once(region->commit, region->pages, region->size, &base);
    region->base = base;
    region->commit_calls++;
    return region_keep_failure(region, "reserve and commit", 0, region->size, error);
}

int region_commit(struct region *region, size_t from, size_t to)
{
    int error = commit_pages(region->commit, region->pages, region->base + from, to - from);
    region->commit_calls++;
    return region_keep_failure(region, "commit", from, to - from, error);
}

int region_commit_to(struct region *region, size_t end)
{
    end = clamp(region, end);
    if (end <= region->committed)
        return 0;
    int error = region_commit(region, region->committed, end);
    if (error == 0)
        region->committed = end;
    return error;
}

size_t region_step_at(const struct region *region, size_t end)
{
    return region->growth == GROWTH_DOUBLE ? end + region->step : region->step;
}

/* Fixed steps need no loop, however far the offset is. */
size_t region_next_end(const struct region *region, size_t offset)
{
    if (region->growth == GROWTH_FIXED)
        return clamp(region, region_step_start(region, offset) + region->step);
    size_t end = region->committed;
    while (end <= offset)
        end = clamp(region, end + region_step_at(region, end));
    return end;
}

/* Each failed exchange is another thread's progress. */
static void raise_to(atomic_size_t *end, size_t to)
{
    size_t now = atomic_load(end);
    while (now < to && !atomic_compare_exchange_weak(end, &now, to)) {
    }
}

static int grow_shared(struct region *region, size_t offset)
{
    region->committed = atomic_load(&region->shared->committed);
    if (offset < region->committed)
        return 0;
    int error = region_commit_to(region, region_next_end(region, offset));
    if (error == 0)
        raise_to(&region->shared->committed, region->committed);
    return error;
}

int region_grow_past(struct region *region, size_t offset)
{
    if (region->shared != NULL)
        return grow_shared(region, offset);
    return region_commit_to(region, region_next_end(region, offset));
}

int region_set_guard(struct region *region, size_t offset)
{
    region->guard = clamp(region, offset);
    int error = region_commit_to(region, region->guard + guard_committed_bytes(region->guard_kind));
    if (error == 0 && region->guard < region->size)
        error = region_keep_failure(region, "set guard", region->guard, region->page,
                                    guard_set(region->guard_kind, region->base + region->guard));
    if (error == 0 && region->shared != NULL) {
        atomic_store(&region->shared->committed, region->committed);
        atomic_store(&region->shared->guard, region->guard);
    }
    return error;
}

static int clear_guard_at(struct region *region, size_t offset)
{
    return region_keep_failure(region, "clear guard", offset, region->page,
                               guard_clear(region->guard_kind, region->base + offset));
}

int region_clear_guard(struct region *region)
{
    return clear_guard_at(region, region->guard);
}

/* True if the guard is this thread's to move. */
static bool claim_guard(struct region_shared *shared)
{
    unsigned mover = atomic_load(&shared->mover);
    if (mover != 0 && thread_lives(mover))
        return false;
    return atomic_compare_exchange_strong(&shared->mover, &mover, thread_number());
}

/* Where the system takes a guard off at the hit, or commits a page before it guards it, another
 * thread may pass it, and comes as far as the first page that is not committed. */
static bool is_hit(const struct region *region, size_t page)
{
    return page == region->guard ||
           (page == region->committed && guard_is_one_shot(region->guard_kind));
}

/* Who passed such a guard may fault twice on a page: where it was not committed yet, and where it
 * is guarded by then. */
static int mended(const struct region *region, int answer)
{
    return guard_is_one_shot(region->guard_kind) ? REGION_AGAIN : answer;
}

/* A guard that has been moved on is cleared once more, in case that whoever moved it ended before.
 */
static int take_shared_guard(struct region *region, size_t page)
{
    struct region_shared *shared = region->shared;
    if (!claim_guard(shared)) {
        thread_yield();
        return REGION_AGAIN;
    }
    region->committed = atomic_load(&shared->committed);
    region->guard = atomic_load(&shared->guard);
    if (is_hit(region, page))
        return 0;
    int error = page > region->guard ? REGION_FOREIGN : clear_guard_at(region, page);
    atomic_store(&shared->mover, 0);
    return error == 0 ? mended(region, REGION_MENDED) : error;
}

int region_take_guard(struct region *region, size_t offset)
{
    size_t page = region_page_start(region, offset);
    if (region->shared != NULL)
        return take_shared_guard(region, page);
    return page == region->guard ? 0 : REGION_FOREIGN;
}

int region_move_guard(struct region *region, size_t offset)
{
    size_t hit = region->guard;
    int error = region_set_guard(region, offset);
    if (error == 0)
        error = clear_guard_at(region, hit);
    if (region->shared == NULL)
        return error;
    atomic_store(&region->shared->mover, 0);
    return error == 0 ? mended(region, 0) : error;
}

size_t region_purge_steps(const struct region *region, size_t end)
{
    return (end + region->purge_stride - 1) / region->purge_stride;
}

static size_t purge_size(const struct region *region, size_t offset, size_t end)
{
    return end - offset < region->purge_step ? end - offset : region->purge_step;
}

int region_purge(struct region *region, size_t first, size_t last, size_t end)
{
    int error = 0;
    for (size_t step = first; step < last && error == 0; step++) {
        size_t at = step * region->purge_stride;
        size_t size = purge_size(region, at, end);
        region->purge_calls++;
        error = purge_pages(region->purge, region->pages, region->base + at, size);
        region_keep_failure(region, "give back", at, size, error);
    }
    return error;
}

int region_restore(struct region *region, size_t first, size_t last, size_t end)
{
    int error = 0;
    for (size_t step = first; step < last && error == 0; step++) {
        size_t at = step * region->purge_stride;
        size_t size = purge_size(region, at, end);
        error = purge_restore(region->purge, region->base + at, size);
        region_keep_failure(region, "make usable again", at, size, error);
    }
    return error;
}

int region_release(struct region *region)
{
    if (region->base == NULL)
        return 0;
    int error = vm_release(region->base, region->size);
    region->base = NULL;
    return region_keep_failure(region, "release", 0, region->size, error);
}

int region_empty(struct region *region, size_t from, size_t to)
{
    return region_keep_failure(
        region, "release", from, to - from,
        purge_pages(purge_as_released, region->pages, region->base + from, to - from));
}

bool region_find(const struct region *region, const void *address, size_t *offset)
{
    uintptr_t start = (uintptr_t)region->base;
    uintptr_t wanted = (uintptr_t)address;
    if (start == 0 || wanted < start || wanted - start >= region->size)
        return false;
    *offset = (size_t)(wanted - start);
    return true;
}
