/* The defaults: whatever a system's tables name first. */
#include "configuration.h"

const struct kind growth_kinds[] = {{"fixed", GROWTH_FIXED}, {"double", GROWTH_DOUBLE}, {NULL, 0}};

const struct kind share_kinds[] = {
    {"own", SHARE_OWN}, {"stripes", SHARE_STRIPES}, {"pages", SHARE_PAGES}, {NULL, 0}};
const struct kind share_names[] = {{"own", SHARE_OWN},
                                   {"stripes", SHARE_STRIPES},
                                   {"pages", SHARE_PAGES},
                                   {"processes", SHARE_PROCESSES},
                                   {NULL, 0}};

struct configuration configuration_make(size_t size, size_t step)
{
    return (struct configuration){.size = size,
                                  .step = step,
                                  .touched = size,
                                  .order = ORDER_SEQUENTIAL,
                                  .pages = (enum vm_pages)vm_pages_kinds->value,
                                  .commit = (enum commit_kind)commit_kinds->value,
                                  .purge = PURGE_NONE,
                                  .purge_step = size,
                                  .guard = (enum guard_kind)guard_kinds->value,
                                  .trap = (enum trap_kind)trap_kinds->value,
                                  .threads = 1,
                                  .share = SHARE_OWN};
}

size_t configuration_stripes(const struct configuration *configuration)
{
    return configuration->share == SHARE_STRIPES ? configuration->threads : 1;
}

size_t configuration_regions(const struct configuration *configuration)
{
    bool one = configuration->share == SHARE_STRIPES || configuration->share == SHARE_PAGES;
    return one ? 1 : configuration->threads;
}

struct configuration configuration_part(const struct configuration *configuration)
{
    struct configuration part = *configuration;
    part.size /= configuration_stripes(configuration);
    part.touched /= configuration_stripes(configuration);
    return part;
}
