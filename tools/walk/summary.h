/* Sums over the regions of an address space: by state, by kind, all together; and what limits it.
 */
#ifndef WALK_SUMMARY_H
#define WALK_SUMMARY_H

#include "format.h"
#include "system/space.h"

struct sum {
    uint64_t regions;
    uint64_t bytes;
    struct meter_count commit_bytes; /* unknown where that of one region is */
    struct meter_count resident_bytes;
};

struct summary {
    struct sum states[SPACE_FILE + 1];
    struct sum kinds[SPACE_KIND_SYSTEM + 1];
    struct sum all;              /* but free space */
    uint64_t largest_free_bytes; /* in one piece */
    struct space_mappings mappings;
};

void summary_add_region(struct summary *summary, const struct space_region *region);
void summary_add_largest(struct summary *summary, const struct space_region *region);

void summary_add_text(const struct summary *summary, enum walk_format format, struct text *text);

#endif
