/* The defaults: whatever a system's tables name first. */
#include "configuration.h"

const struct kind growth_kinds[] = {{"fixed", GROWTH_FIXED}, {"double", GROWTH_DOUBLE}, {NULL, 0}};

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
                                  .trap = (enum trap_kind)trap_kinds->value};
}
