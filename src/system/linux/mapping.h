/* Private anonymous mappings, which all of a region's memory is made of. */
#ifndef MAPPING_H
#define MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "system/vm.h"

/* Maps `size` bytes with such pages, at `at` if `flags` have MAP_FIXED, else where the kernel
 * likes; *base is where. `flags` add to MAP_PRIVATE and MAP_ANONYMOUS. Async-signal-safe. Returns 0
 * or errno. */
int mapping_make(void *at, size_t size, int protection, int flags, enum vm_pages pages,
                 void **base);

/* True if such pages come by MADV_HUGEPAGE, which mapping_make calls. */
bool mapping_invites(enum vm_pages pages);

#endif
