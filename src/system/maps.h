/* Reads what the system keeps of a range: its charge, its residency, the regions it is made of. For
 * the times between timed windows. */
#ifndef MAPS_H
#define MAPS_H

#include <stddef.h>
#include <stdint.h>

#include "system/meter.h"

/* In bytes; and the number of regions that the system tells apart within a range. `region_commit`
 * is the charge for that range alone; the others are for the whole process or system and mean
 * something only as a difference. */
struct maps_memory {
    uint64_t region_commit_bytes;
    uint64_t region_count;
    struct meter_count system_commit_bytes;
    struct meter_count process_commit_bytes;
    struct meter_count process_resident_bytes;
    struct meter_count process_table_bytes; /* page tables of every level */
};

/* Reads [base, base + size). Returns 0 or the system's error code. Uses no heap, so that reading
 * changes nothing it reads. */
int maps_read(const void *base, size_t size, struct maps_memory *memory);

#endif
