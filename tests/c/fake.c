/* Answers the headers from the struct that the test sets. */
#include "fake.h"

struct fake fake = {.tick_ns = 1, .available = UINT64_MAX};

const char *meter_platform(void)
{
    return "fake";
}

uint64_t meter_clock_ns(void)
{
    return fake.now_ns;
}

uint64_t meter_clock_tick_ns(void)
{
    return fake.tick_ns;
}

int meter_read_process(struct meter_usage *usage)
{
    *usage =
        (struct meter_usage){.faults = {.minor = {fake.minor, true}, .major = {fake.major, true}}};
    return 0;
}

int meter_read_thread(struct meter_usage *usage)
{
    return meter_read_process(usage);
}

int meter_read_available(uint64_t *bytes)
{
    *bytes = fake.available;
    return 0;
}

int maps_read(const void *base, size_t size, struct maps_memory *memory)
{
    (void)base;
    (void)size;
    if (++fake.map_readings == fake.failing_map_reading)
        return fake.error;
    *memory = fake.memory;
    return 0;
}
