/* How much more a process may map, by each limit of the system. */
#ifndef LIMITS_H
#define LIMITS_H

#include "system/meter.h"

/* Each unknown where no such limit stands, or the system does not tell it. */
struct limits {
    struct meter_count mappings;      /* that may still be made: vm.max_map_count */
    struct meter_count commit_bytes;  /* that may still be charged: the commit limit, where it
                                         is enforced; RLIMIT_DATA */
    struct meter_count address_bytes; /* of address space: RLIMIT_AS, and all there is */
};

/* Returns 0 or the system's error code. */
int limits_read(struct limits *limits);

#endif
