/* A region and the system under it: what is charged, when, and what is counted. The expected bytes
 * are worked out here; the readings come from the system. */
#include "region.h"

#include "check.h"
#include "system/maps.h"
#include "system/trap.h"
#include "system/vm.h"

static size_t page;

static struct region make(size_t pages, size_t step_pages)
{
    struct configuration configuration = configuration_make(pages * page, step_pages * page);
    configuration.guard = guard_resolve(configuration.guard);
    return region_make(&configuration);
}

static struct maps_memory read_memory(const struct region *region)
{
    struct maps_memory memory;
    CHECK_EQUAL(maps_read(region->base, region->size, &memory), 0);
    return memory;
}

static void check_charge(const struct region *region, size_t pages, size_t region_count)
{
    struct maps_memory memory = read_memory(region);
    CHECK_EQUAL(memory.region_commit_bytes, pages * page);
    CHECK_EQUAL(memory.region_count, region_count);
}

static void reserving_charges_nothing(void)
{
    struct region region = make(1000, 1);
    CHECK_EQUAL(region_reserve(&region), 0);
    check_charge(&region, 0, 1);
    CHECK_EQUAL(region.commit_calls, 0);
    CHECK_EQUAL(region_release(&region), 0);
    CHECK_EQUAL(region_release(&region), 0);
}

static void reserving_committed_charges_all(void)
{
    struct region region = make(1000, 1);
    CHECK_EQUAL(region_reserve_committed(&region), 0);
    check_charge(&region, 1000, 1);
    CHECK_EQUAL(region.commit_calls, 1);
    region.base[0] = region.base[region.size - 1] = 1;
    CHECK_EQUAL(region_release(&region), 0);
}

static void committing_charges_exactly_its_part(void)
{
    struct region region = make(100, 1);
    CHECK_EQUAL(region_reserve(&region), 0);
    CHECK_EQUAL(region_commit(&region, 10 * page, 11 * page), 0);
    check_charge(&region, 1, 3);
    CHECK_EQUAL(region_commit(&region, 10 * page, 11 * page), 0);
    check_charge(&region, 1, 3);
    CHECK_EQUAL(region_commit(&region, 50 * page, 100 * page), 0);
    check_charge(&region, 51, 4);
    CHECK_EQUAL(region.commit_calls, 3);
    region.base[10 * page] = region.base[99 * page] = 1;
    CHECK_EQUAL(region_release(&region), 0);
}

static void committing_stops_at_the_end(void)
{
    struct region region = make(10, 4);
    CHECK_EQUAL(region_reserve(&region), 0);
    CHECK_EQUAL(region_commit_to(&region, 8 * page), 0);
    CHECK_EQUAL(region_commit_to(&region, 12 * page), 0);
    CHECK_EQUAL(region.committed, 10 * page);
    check_charge(&region, 10, 1);
    CHECK_EQUAL(region_commit_to(&region, 16 * page), 0);
    CHECK_EQUAL(region_commit_to(&region, SIZE_MAX), 0);
    CHECK_EQUAL(region.commit_calls, 2);
    CHECK_EQUAL(region_release(&region), 0);
}

static void steps_are_fixed_or_double(void)
{
    const size_t fixed[] = {2, 4, 6, 8, 10, 12, 13}, doubled[] = {2, 6, 13, 13, 13, 13, 13};
    for (int growth = GROWTH_FIXED; growth <= GROWTH_DOUBLE; growth++) {
        struct region region = make(13, 2);
        region.growth = (enum growth)growth;
        for (int cycle = 0; cycle < 2; cycle++) { /* each begins with the first step */
            region_restart(&region);
            CHECK_EQUAL(region_reserve(&region), 0);
            for (size_t i = 0; i < 7 && region.committed < region.size; i++) {
                CHECK_EQUAL(region_grow_past(&region, region.committed), 0);
                CHECK_EQUAL(region.committed,
                            (growth == GROWTH_FIXED ? fixed[i] : doubled[i]) * page);
                check_charge(&region, region.committed / page,
                             1 + (region.committed < region.size));
            }
            CHECK_EQUAL(region_release(&region), 0);
        }
        CHECK_EQUAL(region.commit_calls, growth == GROWTH_FIXED ? 14 : 6);
    }
}

/* What lies between is committed in the same call. */
static void a_jump_takes_as_many_steps_as_it_needs(void)
{
    struct region region = make(100, 2);
    CHECK_EQUAL(region_reserve(&region), 0);
    CHECK_EQUAL(region_grow_past(&region, 60 * page), 0);
    CHECK_EQUAL(region.committed, 62 * page);
    CHECK_EQUAL(region_release(&region), 0);
    region.growth = GROWTH_DOUBLE;
    region_restart(&region);
    CHECK_EQUAL(region_reserve(&region), 0);
    CHECK_EQUAL(region_grow_past(&region, 61 * page), 0);
    CHECK_EQUAL(region.committed, 62 * page); /* 2, 4, 8, 16 and 32 */
    CHECK_EQUAL(region_grow_past(&region, 62 * page), 0);
    CHECK_EQUAL(region.committed, 100 * page);
    CHECK_EQUAL(region.commit_calls, 3);
    CHECK_EQUAL(region_release(&region), 0);
}

struct hit {
    struct region *region;
    size_t next; /* where the guard goes when it is hit */
};

static void write_guard(void *context)
{
    const struct region *region = ((struct hit *)context)->region;
    ((volatile unsigned char *)region->base)[region->guard] = 1;
}

static enum trap_answer move_guard(void *context, const void *address)
{
    struct hit *hit = context;
    if (address != hit->region->base + hit->region->guard)
        return TRAP_FOREIGN;
    if (region_clear_guard(hit->region) != 0 || region_set_guard(hit->region, hit->next) != 0)
        return TRAP_ABANDON;
    return TRAP_RETRY;
}

static void hit_guard(struct region *region, size_t next)
{
    struct hit hit = {region, next};
    bool completed = false;
    CHECK_EQUAL(
        trap_run((enum trap_kind)trap_kinds->value, write_guard, move_guard, &hit, &completed), 0);
    CHECK(completed);
}

/* With any kind of guard the pages before it are usable and charged; one that must itself be
 * committed adds its page to the charge, and PAGE_GUARD shows as a region of its own. */
static void a_guard_stands_past_the_usable_end(enum guard_kind kind)
{
    struct region region = make(10, 4);
    region.guard_kind = guard_resolve(kind);
    if (guard_unsupported(region.guard_kind) != NULL)
        return;
    size_t guard_pages = guard_committed_bytes(region.guard_kind) / page;
    size_t own_region = region.guard_kind == GUARD_PAGE;
    CHECK_EQUAL(region_reserve(&region), 0);
    CHECK_EQUAL(region_set_guard(&region, 0), 0);
    check_charge(&region, guard_pages, 1 + guard_pages);
    hit_guard(&region, 4 * page);
    check_charge(&region, 4 + guard_pages, 2 + own_region);
    region.base[0] = region.base[4 * page - 1] = 1;
    hit_guard(&region, 12 * page);
    CHECK_EQUAL(region.guard, region.size);
    check_charge(&region, 10, 1);
    region.base[region.size - 1] = 1;
    CHECK_EQUAL(region_release(&region), 0);
}

static void a_refusal_is_kept(void)
{
    struct region region = make(SIZE_MAX / page, 1);
    int error = region_reserve_committed(&region);
    CHECK(error != 0);
    CHECK(vm_is_refusal(error));
    CHECK_EQUAL(region.error, error);
    CHECK_TEXT(region.failed_call, "reserve and commit");
    CHECK_EQUAL(region.failed_size, region.size);
    CHECK(region.base == NULL);
}

static void addresses_are_found(void)
{
    struct region region = make(3, 1);
    size_t offset = 0;
    CHECK(!region_find(&region, NULL, &offset));
    CHECK_EQUAL(region_reserve(&region), 0);
    CHECK(region_find(&region, region.base, &offset));
    CHECK_EQUAL(offset, 0);
    CHECK(region_find(&region, region.base + region.size - 1, &offset));
    CHECK_EQUAL(offset, region.size - 1);
    CHECK_EQUAL(region_page_start(&region, offset), 2 * page);
    CHECK(!region_find(&region, region.base + region.size, &offset));
    CHECK(!region_find(&region, region.base - 1, &offset));
    CHECK(!region_find(&region, NULL, &offset));
    CHECK_EQUAL(region_release(&region), 0);
}

static void an_offset_lies_in_a_page_and_in_a_step(void)
{
    const struct region region = {.page = page, .step = 3 * page};
    const struct {
        size_t offset, page_start, step_start; /* in eighths of a page */
    } known[] = {{0, 0, 0},    {7, 0, 0},    {8, 8, 0},    {23, 16, 0},
                 {24, 24, 24}, {25, 24, 24}, {47, 40, 24}, {48, 48, 48}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t offset = known[i].offset * page / 8;
        CHECK_EQUAL(region_page_start(&region, offset), known[i].page_start * page / 8);
        CHECK_EQUAL(region_step_start(&region, offset), known[i].step_start * page / 8);
    }
}

/* A neighbour with the same protection may be merged with the region: only the region counts. */
static void neighbours_do_not_count(void)
{
    struct region regions[8];
    for (size_t i = 0; i < 8; i++) {
        regions[i] = make(5, 1);
        CHECK_EQUAL(region_reserve_committed(&regions[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        check_charge(&regions[i], 5, 1);
        CHECK_EQUAL(region_release(&regions[i]), 0);
    }
}

static void available_memory_is_known(void)
{
    uint64_t bytes = 0;
    CHECK_EQUAL(meter_read_available(&bytes), 0);
    CHECK(bytes > (1u << 20));
    CHECK(bytes < (uint64_t)1 << 60);
}

int main(void)
{
    page = vm_page_bytes();
    CHECK_EQUAL(vm_use_pages(VM_PAGES_SMALL), 0);
    reserving_charges_nothing();
    reserving_committed_charges_all();
    committing_charges_exactly_its_part();
    committing_stops_at_the_end();
    steps_are_fixed_or_double();
    a_jump_takes_as_many_steps_as_it_needs();
    for (const struct kind *guard = guard_kinds; guard->name != NULL; guard++)
        a_guard_stands_past_the_usable_end((enum guard_kind)guard->value);
    a_refusal_is_kept();
    addresses_are_found();
    an_offset_lies_in_a_page_and_in_a_step();
    neighbours_do_not_count();
    available_memory_is_known();
    return check_result();
}
