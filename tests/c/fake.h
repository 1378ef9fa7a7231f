/* A system that a test steers: its clock, its counters and its memory map stand in the place of
 * system/meter.h and system/maps.h. Nothing moves but by the test's own hand. */
#ifndef FAKE_H
#define FAKE_H

#include "system/maps.h"

struct fake {
    uint64_t now_ns;
    uint64_t tick_ns;
    uint64_t minor, major;
    struct maps_memory memory; /* what the next readings say */
    uint64_t available;
    int map_readings;
    int failing_map_reading; /* the reading that fails, from 1; 0: none does */
    int error;               /* with which it fails */
};
extern struct fake fake;

#endif
