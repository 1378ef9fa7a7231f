/* Linux: the counters are those of getrusage and the clock's step is that of clock_getres, read by
 * the test a second time. */
#define _GNU_SOURCE
#include "system/meter.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "check.h"
#include "system/vm.h"

static void the_clock_is_monotonic_in_nanoseconds(void)
{
    struct timespec before, after, tick;
    clock_gettime(CLOCK_MONOTONIC, &before);
    uint64_t now = meter_clock_ns();
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK(now >= (uint64_t)before.tv_sec * 1000000000u + (uint64_t)before.tv_nsec);
    CHECK(now <= (uint64_t)after.tv_sec * 1000000000u + (uint64_t)after.tv_nsec);
    clock_getres(CLOCK_MONOTONIC, &tick);
    CHECK_EQUAL(meter_clock_tick_ns(),
                (uint64_t)tick.tv_sec * 1000000000u + (uint64_t)tick.tv_nsec);
}

static struct rusage usage_of(int whom)
{
    struct rusage usage;
    CHECK_EQUAL(getrusage(whom, &usage), 0);
    return usage;
}

static void counters_lie_between_two_readings(void)
{
    struct meter_faults faults;
    struct rusage before = usage_of(RUSAGE_SELF);
    CHECK_EQUAL(meter_read_faults(&faults), 0);
    struct rusage after = usage_of(RUSAGE_SELF);
    CHECK(faults.minor.known && faults.major.known);
    CHECK(faults.minor.value >= (uint64_t)before.ru_minflt);
    CHECK(faults.minor.value <= (uint64_t)after.ru_minflt);
    CHECK(faults.major.value >= (uint64_t)before.ru_majflt);
    CHECK(faults.major.value <= (uint64_t)after.ru_majflt);

    before = usage_of(RUSAGE_THREAD);
    struct meter_count preemptions = meter_read_preemptions();
    after = usage_of(RUSAGE_THREAD);
    CHECK(preemptions.known);
    CHECK(preemptions.value >= (uint64_t)before.ru_nivcsw);
    CHECK(preemptions.value <= (uint64_t)after.ru_nivcsw);
}

static uint64_t faults_of_touching(volatile unsigned char *base, size_t size)
{
    struct meter_faults before, after;
    meter_read_faults(&before);
    for (size_t offset = 0; offset < size; offset += vm_page_bytes())
        base[offset] = 1;
    meter_read_faults(&after);
    return after.minor.value - before.minor.value;
}

/* The first time, pages of the test itself may fault too. */
static void each_page_that_is_touched_is_a_fault(void)
{
    enum { PAGES = 16 };
    size_t size = PAGES * vm_page_bytes();
    void *base = NULL;
    CHECK_EQUAL(vm_use_pages(VM_PAGES_SMALL), 0);
    CHECK_EQUAL(vm_reserve_committed(size, VM_PAGES_SMALL, &base), 0);
    CHECK(faults_of_touching(base, size) >= PAGES);
    CHECK_EQUAL(madvise(base, size, MADV_DONTNEED), 0);
    CHECK_EQUAL(faults_of_touching(base, size), PAGES);
    CHECK_EQUAL(faults_of_touching(base, size), 0);
    CHECK_EQUAL(vm_release(base, size), 0);
}

static void some_memory_is_available(void)
{
    uint64_t bytes = 0;
    CHECK_EQUAL(meter_read_available(&bytes), 0);
    CHECK(bytes >= vm_page_bytes());
}

int main(void)
{
    CHECK_TEXT(meter_platform(), "linux");
    the_clock_is_monotonic_in_nanoseconds();
    counters_lie_between_two_readings();
    each_page_that_is_touched_is_a_fault();
    some_memory_is_available();
    return check_result();
}
