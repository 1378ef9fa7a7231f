/* Reads the clock, the faults that the kernel counted, and what memory is left. Reading costs time
 * and may disturb caches: do it outside a timed window. */
#ifndef METER_H
#define METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The system these counters come from: "linux", "windows" or "wine". */
const char *meter_platform(void);

/* A monotonic clock in nanoseconds; its origin is arbitrary. */
uint64_t meter_clock_ns(void);

/* The step in which that clock advances, in nanoseconds, rounded up. */
uint64_t meter_clock_tick_ns(void);

/* A counter that this system may not have. */
struct meter_count {
    uint64_t value;
    bool known;
};

/* Page faults that the kernel counted for this process since its start. */
struct meter_faults {
    struct meter_count minor;
    struct meter_count major;
};

/* Returns 0 or the system's error code. */
int meter_read_faults(struct meter_faults *faults);

/* What a thread, or the process as a whole, took since its start. */
struct meter_usage {
    struct meter_faults faults;
    struct meter_count cpu_ns;
    struct meter_count voluntary_switches; /* it had to wait */
    struct meter_count involuntary_switches;
    struct meter_count locks; /* of the address space; by meter_read_locks alone */
};

/* Return 0 or the system's error code. */
int meter_read_process(struct meter_usage *usage);
int meter_read_thread(struct meter_usage *usage);

/* Counts from now on how often the calling thread takes the lock of its address space, which makes
 * taking it slower. Returns a counter for the other two, or a negative number where the system
 * can't count that, or doesn't let this user; these then know nothing, and do nothing. The first
 * call must have returned before other threads make one. */
int meter_open_locks(void);
struct meter_count meter_read_locks(int counter);
void meter_close_locks(int counter);

/* Times that this thread was taken off its processor in favour of another, since its start. */
struct meter_count meter_read_preemptions(void);

/* Bytes that could be touched now without swapping or waking an out-of-memory killer: the smaller
 * of what the machine and what the process's own limits leave. Returns 0 or the system's error
 * code. */
int meter_read_available(uint64_t *bytes);

#endif
