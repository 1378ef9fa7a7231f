/* calibrate: what the parts of a cycle cost by themselves on this machine, as JSON on standard
 * output. Each figure is the median of some repeats, in ns; the totals that the harnesses measure
 * are held against them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "region.h"
#include "system/trap.h"
#include "system/vm.h"
#include "version.h"
#include "workload.h"

#define REPEATS 9
#define PAGES 16384
#define CALLS 100000
#define TRAPS 2000

/* Each measures once and returns ns for one of what it is named after; negative if it failed. */

static double clock_ns(void)
{
    uint64_t start = meter_clock_ns();
    for (int i = 0; i < CALLS; i++)
        meter_clock_ns();
    return (double)(meter_clock_ns() - start) / CALLS;
}

/* A window with nothing in it: what the clock itself adds to each phase. */
static double empty_window_ns(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < CALLS; i++) {
        uint64_t start = meter_clock_ns();
        sum += meter_clock_ns() - start;
    }
    return (double)sum / CALLS;
}

static struct configuration configuration(void)
{
    return configuration_make(PAGES * vm_page_bytes(), vm_page_bytes());
}

static struct region pages(void)
{
    struct configuration made = configuration();
    return region_make(&made);
}

static double page_fault_ns(void)
{
    struct region region = pages();
    struct workload workload = {.last = PAGES};
    vm_warm(region.size, region.pages);
    if (region_reserve_committed(&region) != 0)
        return -1;
    uint64_t start = meter_clock_ns();
    workload_touch(&region, &workload, workload_nothing);
    double ns = (double)(meter_clock_ns() - start) / PAGES;
    region_release(&region);
    return ns;
}

static double zeroing_ns(void)
{
    struct region region = pages();
    struct workload workload = {.last = PAGES};
    if (region_reserve_committed(&region) != 0)
        return -1;
    workload_touch(&region, &workload, workload_nothing);
    uint64_t start = meter_clock_ns();
    memset(region.base, 0, region.size);
    double ns = (double)(meter_clock_ns() - start) / PAGES;
    region_release(&region);
    return ns;
}

/* One page after the other, each touched before the next: committing beside a mapping whose pages
 * were touched costs more than beside one that nobody has used. */
static double commit_call_ns(void)
{
    struct region region = pages();
    uint64_t sum = 0;
    int error = region_reserve(&region);
    vm_warm(region.size, region.pages);
    for (size_t at = 0; at < region.size && error == 0; at += region.page) {
        uint64_t start = meter_clock_ns();
        error = region_commit(&region, at, at + region.page);
        sum += meter_clock_ns() - start;
        if (error == 0)
            *(volatile unsigned char *)(region.base + at) = 1;
    }
    region_release(&region);
    return error == 0 ? (double)sum / PAGES - empty_window_ns() : -1;
}

struct trapped {
    struct region region;
    int left; /* traps to go before the access is let through */
};

static void write_once(void *context)
{
    struct trapped *trapped = context;
    *(volatile unsigned char *)trapped->region.base = 1;
}

/* Not mending the cause makes the same access fault again: a trap and nothing else. */
static enum trap_answer try_again(void *context, const void *address)
{
    struct trapped *trapped = context;
    size_t offset;
    if (!region_find(&trapped->region, address, &offset))
        return TRAP_FOREIGN;
    if (--trapped->left > 0)
        return TRAP_RETRY;
    return region_commit(&trapped->region, 0, trapped->region.page) == 0 ? TRAP_RETRY
                                                                         : TRAP_ABANDON;
}

static double trap_ns(void)
{
    struct trapped trapped = {pages(), TRAPS};
    bool completed = false;
    if (region_reserve(&trapped.region) != 0)
        return -1;
    uint64_t start = meter_clock_ns();
    int error = trap_run(configuration().trap, write_once, try_again, &trapped, &completed);
    double ns = (double)(meter_clock_ns() - start) / TRAPS;
    region_release(&trapped.region);
    return error == 0 && completed ? ns : -1;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double (*measure)(void))
{
    double ns[REPEATS];
    measure(); /* discarded: code and stack come into memory */
    for (int i = 0; i < REPEATS; i++)
        ns[i] = measure();
    qsort(ns, REPEATS, sizeof ns[0], ascending);
    return ns[0] < 0 ? -1 : ns[REPEATS / 2];
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*measure)(void);
    } parts[] = {
        {"clock_ns", clock_ns},
        {"empty_window_ns", empty_window_ns},
        {"page_fault_ns", page_fault_ns},
        {"commit_call_ns", commit_call_ns},
        {"trap_ns", trap_ns},
        {"zeroing_page_ns", zeroing_ns},
    };
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("calibrate (vmcommit) %s\n", version_text);
        return 0;
    }
    if (argc > 1) {
        fprintf(stderr, "calibrate: '%s': takes no argument but --version\n", argv[1]);
        return 2;
    }
    if (vm_use_pages(VM_PAGES_SMALL) != 0) {
        fprintf(stderr, "calibrate: the system can't be kept to small pages\n");
        return 1;
    }
    printf("{\"clock_tick_ns\": %u", (unsigned)meter_clock_tick_ns());
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        double ns = median(parts[i].measure);
        if (ns < 0) {
            fprintf(stderr, "calibrate: %s: the system refused the memory for it\n", parts[i].name);
            return 1;
        }
        printf(", \"%s\": %.1f", parts[i].name, ns);
    }
    printf("}\n");
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "calibrate: cannot write standard output: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
