/* Threads that touch the same pages, or stripes that lie beside each other: each writes a byte of
 * its own into every page, and all bytes are there when the region is released. So no page was
 * emptied by a guard that came late, and none was touched before it was usable.
 *
 * usage: sharing_STRATEGY [CYCLES] */
#include <stdatomic.h>
#include <stdlib.h>

#include "check.h"
#include "cycle.h"
#include "harness.h"
#include "system/thread.h"

enum { PAGES = 32, THREADS_MAX = 16 };

static atomic_uint touching;
static _Thread_local unsigned number; /* of the thread among those that touch, from 1 */

/* Strategies without a fault of their own compare, as they do before each write. */
static int touch_own_byte(struct region *region, const struct workload *workload)
{
    int error = 0;
    if (number == 0)
        number = atomic_fetch_add(&touching, 1) + 1;
    for (size_t i = workload->first; i < workload->last && error == 0; i++) {
        size_t page = i * region->page;
        if (harness_strategy.step == STEP_CHUNK && harness_strategy.fault == NULL &&
            page >= region->committed)
            error = region_grow_past(region, page);
        if (error == 0)
            ((volatile unsigned char *)region->base)[page + number] = 1;
    }
    return error;
}

static unsigned bytes_written(const unsigned char *page)
{
    unsigned written = 0;
    for (unsigned i = 1; i <= THREADS_MAX; i++)
        written += page[i];
    return written;
}

static unsigned writers; /* of each page */

static int look_and_release(struct region *region)
{
    for (size_t at = 0; region->base != NULL && at < region->size; at += region->page)
        CHECK_EQUAL(bytes_written(region->base + at), writers);
    return region_release(region);
}

static void check_sharing(enum share share, unsigned count, uint64_t cycles)
{
    size_t page = vm_page_bytes();
    struct strategy strategy = harness_strategy;
    size_t stripes = share == SHARE_STRIPES ? count : 1;
    struct configuration configuration = configuration_make(
        stripes * PAGES * page, harness_strategy.step == STEP_PAGE ? page : 2 * page);
    struct workload workload = {.last = PAGES};
    struct sample sample = {.status = SAMPLE_OK};
    configuration.guard = guard_resolve(configuration.guard);
    configuration.threads = count;
    configuration.share = share;
    writers = share == SHARE_PAGES ? count : 1;
    strategy.touch = touch_own_byte;
    strategy.release = look_and_release;
    struct cycle cycle = cycle_start(&strategy, &configuration, &workload, &sample);
    number = 1; /* this thread is one of them */
    atomic_store(&touching, 1);
    CHECK_EQUAL(cycle_repeat(&cycle, cycles, false), 0);
    CHECK_EQUAL(sample.batch, cycles);
    cycle_stop(&cycle);
}

/* As if a thread had ended, or been left behind by a fork, in the middle of moving the guard: with
 * the old one cleared or not. Whoever comes next takes over. */
static void end_at_once(void *context)
{
    *(unsigned *)context = thread_number();
}

static void check_taking_over(bool moved)
{
    size_t page = vm_page_bytes();
    struct configuration configuration = configuration_make(PAGES * page, page);
    struct region_shared shared = {0};
    struct thread thread;
    unsigned ended = 0;
    configuration.guard = guard_resolve(configuration.guard);
    struct region region = region_make(&configuration);
    region.shared = &shared;
    CHECK_EQUAL(region_reserve(&region), 0);
    CHECK_EQUAL(region_set_guard(&region, 0), 0);
    CHECK_EQUAL(thread_start(&thread, end_at_once, &ended), 0);
    CHECK_EQUAL(thread_join(&thread), 0);
    CHECK(thread_lives(thread_number()));
    CHECK(!thread_lives(ended));
    if (moved)
        CHECK_EQUAL(region_set_guard(&region, 2 * page), 0);
    atomic_store(&shared.mover, thread_number());
    CHECK_EQUAL(region_take_guard(&region, 0), REGION_AGAIN);
    atomic_store(&shared.mover, ended);
    bool one_shot = guard_is_one_shot(region.guard_kind); /* may fault twice on a page */
    CHECK_EQUAL(region_take_guard(&region, 0), !moved     ? 0
                                               : one_shot ? REGION_AGAIN
                                                          : REGION_MENDED);
    if (!moved)
        CHECK_EQUAL(region_move_guard(&region, 2 * page), one_shot ? REGION_AGAIN : 0);
    CHECK_EQUAL(atomic_load(&shared.mover), 0);
    CHECK_EQUAL(atomic_load(&shared.guard), 2 * page);
    if (!one_shot) /* there a hit is more than its handling */
        region.base[0] = 1;
    region.base[page] = 1;
    CHECK_EQUAL(region_take_guard(&region, 5 * page), REGION_FOREIGN);
    CHECK_EQUAL(atomic_load(&shared.mover), 0);
    CHECK_EQUAL(region_release(&region), 0);
}

int main(int argc, char **argv)
{
    uint64_t cycles = argc > 1 ? strtoull(argv[1], NULL, 10) : 60;
    static const unsigned counts[] = {2, 3, 5, THREADS_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        check_sharing(SHARE_PAGES, counts[i], cycles);
        check_sharing(SHARE_STRIPES, counts[i], cycles);
    }
    if (harness_strategy.guarded) {
        check_taking_over(false);
        check_taking_over(true);
    }
    return check_result();
}
