/* Linux: the process's switch for transparent huge pages follows the configuration, and a
 * reservation invites them only where that says so. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "check.h"
#include "sample.h"
#include "system/linux/proc.h"
#include "system/maps.h"
#include "system/vm.h"

enum { MIB = 1 << 20 };

static int disabled(void)
{
    return prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0);
}

static void the_switch_follows(void)
{
    CHECK_EQUAL(vm_use_pages(VM_PAGES_SMALL), 0);
    CHECK_EQUAL(disabled(), 1);
    CHECK_EQUAL(vm_use_pages(VM_PAGES_THP), 0);
    CHECK_EQUAL(disabled(), 0);
}

static void warming_leaves_it_as_asked(void)
{
    vm_warm(4 * MIB, VM_PAGES_SMALL);
    CHECK_EQUAL(disabled(), 1);
    vm_warm(4 * MIB, VM_PAGES_THP);
    CHECK_EQUAL(disabled(), 0);
}

struct search {
    uintptr_t base;
    bool inside, invited;
};

/* VmFlags hold `hg` where MADV_HUGEPAGE was given (Documentation/filesystems/proc.rst). */
static void find_flags(char *line, void *context)
{
    struct search *search = context;
    char *rest;
    uintptr_t start = (uintptr_t)strtoull(line, &rest, 16);
    if (*rest == '-')
        search->inside =
            start <= search->base && search->base < (uintptr_t)strtoull(rest + 1, NULL, 16);
    else if (search->inside && strncmp(line, "VmFlags:", 8) == 0)
        search->invited = strstr(line, " hg") != NULL;
}

static void check_invited(enum vm_pages pages, bool invited)
{
    void *base = NULL;
    CHECK_EQUAL(vm_reserve(4 * MIB, pages, &base), 0);
    struct search search = {.base = (uintptr_t)base};
    CHECK_EQUAL(proc_for_each_line("", "/proc/self/smaps", find_flags, &search), 0);
    CHECK_EQUAL(search.invited, invited);
    CHECK_EQUAL(vm_release(base, 4 * MIB), 0);
}

static uint64_t table_bytes(void)
{
    struct maps_memory memory;
    CHECK_EQUAL(maps_read(NULL, 0, &memory), 0);
    CHECK(memory.process_table_bytes.known);
    return memory.process_table_bytes.value;
}

/* Downwards by 1 GiB each, and so across a border of 512 GiB, where the level above begins anew. */
static void a_region_has_tables_of_its_own_on_two_levels(void)
{
    enum { PLACES = 520 };
    for (int i = 0; i < PLACES; i++) {
        void *base = NULL;
        vm_place(4 * MIB, 2);
        CHECK_EQUAL(vm_reserve_committed(4 * MIB, VM_PAGES_SMALL, &base), 0);
        uint64_t before = table_bytes();
        *(volatile char *)base = 1;
        CHECK_EQUAL(table_bytes() - before, 2 * vm_page_bytes());
    }
}

static int touch(struct region *region, const struct workload *workload)
{
    CHECK_EQUAL(disabled(), region->pages == VM_PAGES_SMALL);
    return workload_touch(region, workload, workload_nothing);
}

static void each_sample_sets_its_own(void)
{
    const struct strategy strategy = {
        .name = "upfront", .commit = region_reserve_committed, .touch = touch};
    struct configuration configuration = configuration_make(4 * MIB, 4 * MIB);
    struct sample sample;
    for (int i = 0; i < 4; i++) {
        configuration.pages = i % 2 == 0 ? VM_PAGES_SMALL : VM_PAGES_THP;
        CHECK(sample_take(&strategy, &configuration, 1, &sample));
    }
}

int main(void)
{
    the_switch_follows();
    warming_leaves_it_as_asked();
    if (vm_pages_unsupported(VM_PAGES_THP) == NULL) {
        check_invited(VM_PAGES_THP, true);
        check_invited(VM_PAGES_SMALL, false);
    }
    each_sample_sets_its_own();
    a_region_has_tables_of_its_own_on_two_levels();
    return check_result();
}
