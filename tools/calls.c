/* calls: how long single calls take by the size and the state of what they are given, as CSV on
 * standard output, one line a call; times in ns. Sizes and states take turns in each repeat. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "region.h"
#include "system/vm.h"
#include "workload.h"

#define REPEATS 31
#define STATE_PAGES 4096
#define FEW_PAGES 256
#define LARGEST ((uint64_t)4 << 30)

static struct region make_region(size_t size, size_t step)
{
    struct configuration configuration = configuration_make(size, step);
    return region_make(&configuration);
}

static void print_call(const char *call, const char *state, size_t size, int repeat, double ns)
{
    printf("%s,%s,%llu,%d,%.1f\n", call, state, (unsigned long long)size, repeat, ns);
}

static double since(uint64_t start)
{
    return (double)(meter_clock_ns() - start);
}

static int release(struct region *region, const char *state, int repeat)
{
    size_t size = region->size;
    uint64_t start = meter_clock_ns();
    int error = region_release(region);
    print_call("release", state, size, repeat, since(start));
    return error;
}

/* A whole range that nobody touches. */
static int whole_range(size_t size, int repeat, bool counted)
{
    struct region region = make_region(size, size);
    uint64_t start = meter_clock_ns();
    int error = region_reserve(&region);
    double reserve_ns = since(start);
    start = meter_clock_ns();
    if (error == 0)
        error = region_commit(&region, 0, size);
    double commit_ns = since(start);
    start = meter_clock_ns();
    int held = region_release(&region);
    double release_ns = since(start);
    if (error != 0 || held != 0)
        return error != 0 ? error : held;
    if (counted) {
        print_call("reserve", "fresh", size, repeat, reserve_ns);
        print_call("commit", "fresh", size, repeat, commit_ns);
        print_call("release", "committed", size, repeat, release_ns);
    }
    return 0;
}

/* Once uncounted before each time that counts, so that no size finds colder caches than another. */
static int whole_ranges(int repeat)
{
    int error = 0;
    for (uint64_t size = vm_page_bytes(); size <= LARGEST && size <= SIZE_MAX; size *= 16) {
        error = whole_range((size_t)size, repeat, false);
        if (error == 0)
            error = whole_range((size_t)size, repeat, true);
        if (error != 0)
            return size > STATE_PAGES * vm_page_bytes() ? 0 : error; /* larger ones will be too */
    }
    return 0;
}

/* A page committed next to pages that were touched, whose page table so exists, or were not. */
static int single_pages(bool touch, int repeat)
{
    struct region region = make_region(FEW_PAGES * vm_page_bytes(), vm_page_bytes());
    double sum = 0;
    int error = region_reserve(&region);
    for (size_t at = 0; at < region.size && error == 0; at += region.page) {
        uint64_t start = meter_clock_ns();
        error = region_commit(&region, at, at + region.page);
        sum += since(start);
        if (touch && error == 0)
            *(volatile unsigned char *)(region.base + at) = 1;
    }
    if (error == 0)
        print_call("commit", touch ? "beside touched" : "beside untouched", region.page, repeat,
                   sum / FEW_PAGES);
    region_release(&region);
    return error;
}

static int release_touched(int repeat)
{
    struct region region = make_region(STATE_PAGES * vm_page_bytes(), vm_page_bytes());
    struct workload workload = {.last = STATE_PAGES};
    int error = region_reserve_committed(&region);
    if (error != 0)
        return error;
    workload_touch(&region, &workload, workload_nothing);
    return release(&region, "touched", repeat);
}

/* Every second page committed: as many mappings as pages. */
static int release_scattered(int repeat)
{
    struct region region = make_region(STATE_PAGES * vm_page_bytes(), vm_page_bytes());
    int error = region_reserve(&region);
    for (size_t at = 0; at < region.size && error == 0; at += 2 * region.page)
        error = region_commit(&region, at, at + region.page);
    if (error == 0)
        return release(&region, "scattered", repeat);
    region_release(&region);
    return error;
}

int main(void)
{
    int error = vm_use_pages(VM_PAGES_SMALL);
    printf("call,state,size_bytes,repeat,ns\n");
    for (int repeat = 1; repeat <= REPEATS && error == 0; repeat++) {
        error = whole_ranges(repeat);
        if (error == 0)
            error = single_pages(false, repeat);
        if (error == 0)
            error = single_pages(true, repeat);
        if (error == 0)
            error = release_touched(repeat);
        if (error == 0)
            error = release_scattered(repeat);
    }
    if (error != 0) {
        fprintf(stderr, "calls: the system refused the memory for it\n");
        return 1;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "calls: cannot write standard output: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
