/* custom: somebody else's strategy, in a shared library that answers include/vmcommit.h. It is
 * asked to ensure the next step before a write past what it has ensured. */
#include "harness.h"
#include "system/library.h"

static struct library library;

static bool custom_load(const char *path, char *message, size_t size)
{
    return library_load(path, &library, message, size);
}

static const char unusable[] =
    "the library's vmcommit_reserve returned 0, but left no base that starts on a page";

static int custom_reserve(struct region *region)
{
    void *base = NULL;
    int error = library.reserve(region->size, &base);
    if (error != 0)
        return region_keep_failure(region, "reserve", 0, region->size, error);
    if (base == NULL || (uintptr_t)base % region->page != 0)
        return region_keep_failure(region, unusable, 0, region->size, REGION_BROKEN);
    region->base = base;
    return 0;
}

static int custom_before_write(struct region *region, size_t offset)
{
    if (offset < region->committed)
        return 0;
    size_t from = region->committed;
    region->committed = region_next_end(region, offset);
    region->commit_calls++;
    return region_keep_failure(region, "ensure", from, region->committed - from,
                               library.ensure(region->base, from, region->committed));
}

static int custom_touch(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, custom_before_write);
}

static int custom_release(struct region *region)
{
    if (region->base == NULL)
        return 0;
    int error = library.release(region->base, region->size);
    region->base = NULL;
    return region_keep_failure(region, "release", 0, region->size, error);
}

const struct strategy harness_strategy = {
    .name = "custom",
    .summary = "a strategy of your own, in a shared library (--library)",
    .step = STEP_CHUNK,
    .grows = true,
    .pages = vm_others_pages_kinds,
    .load = custom_load,
    .reserve = custom_reserve,
    .touch = custom_touch,
    .release = custom_release,
};
