/* Giving back: what stays charged, what a later access finds, and that all is usable once it is
 * restored. Run on four pages, of which the two in the middle are given back. */
#include "system/purge.h"

#include "check.h"
#include "system/commit.h"
#include "system/maps.h"
#include "system/trap.h"

/* OPEN: as it was, or zero: the system may choose at any time. */
enum content { KEPT, ZERO, OPEN };

static const struct expectation {
    enum purge_kind kind;
    size_t charged_pages; /* of two, once given back */
    size_t charged_again; /* once restored */
    bool faults;          /* an access before it is restored */
    enum content content; /* once restored */
} expectations[] = {
    {PURGE_DONTNEED, 2, 2, false, ZERO}, {PURGE_FREE, 2, 2, false, OPEN},
    {PURGE_COLD, 2, 2, false, KEPT},     {PURGE_PAGEOUT, 2, 2, false, KEPT},
    {PURGE_PROTECT, 2, 2, true, KEPT},   {PURGE_REMAP, 0, 2, true, ZERO},
    {PURGE_GUARD, 2, 2, true, ZERO},     {PURGE_DECOMMIT, 0, 2, true, ZERO},
    {PURGE_RESET, 2, 2, false, OPEN},    {PURGE_DISCARD, 2, 2, false, OPEN},
};

enum { PAGES = 4, FILLED = 7 };

static size_t page;

static size_t charged(const void *address)
{
    struct maps_memory memory;
    CHECK_EQUAL(maps_read(address, 2 * page, &memory), 0);
    return memory.region_commit_bytes / page;
}

static void read_a_byte(void *context)
{
    volatile unsigned char *byte = context;
    (void)*byte;
}

static enum trap_answer give_up(void *context, const void *address)
{
    CHECK(address == context);
    return TRAP_ABANDON;
}

static bool faults(void *address)
{
    bool completed = false;
    CHECK_EQUAL(
        trap_run((enum trap_kind)trap_kinds->value, read_a_byte, give_up, address, &completed), 0);
    return !completed;
}

static void check_content(const unsigned char *address, enum content content)
{
    for (size_t at = 0; at < 2 * page; at += page)
        CHECK((content != KEPT && address[at] == 0) || (content != ZERO && address[at] == FILLED));
}

static void check(const struct expectation *expected)
{
    void *base = NULL;
    CHECK_EQUAL(vm_reserve_committed(PAGES * page, VM_PAGES_SMALL, &base), 0);
    memset(base, FILLED, PAGES * page);
    unsigned char *middle = (unsigned char *)base + page;
    CHECK_EQUAL(purge_pages(expected->kind, VM_PAGES_SMALL, middle, 2 * page), 0);
    CHECK_EQUAL(charged(middle), expected->charged_pages);
    if (expected->faults)
        CHECK(faults(middle) && faults(middle + page));
    CHECK(!faults(base) && !faults(middle + 2 * page));
    CHECK_EQUAL(purge_restore(expected->kind, middle, 2 * page), 0);
    CHECK_EQUAL(charged(middle), expected->charged_again);
    check_content(middle, expected->content);
    middle[0] = middle[page] = FILLED + 1;
    CHECK_EQUAL(middle[-1] + middle[2 * page], 2 * FILLED);
    CHECK_EQUAL(vm_release(base, PAGES * page), 0);
}

static bool known_here(enum purge_kind kind)
{
    return kind_name(purge_kinds, (int)kind) != NULL &&
           purge_unsupported(kind, VM_PAGES_SMALL) == NULL;
}

int main(void)
{
    page = vm_page_bytes();
    CHECK_EQUAL(purge_kinds->value, PURGE_NONE);
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++)
        if (known_here(expectations[i].kind))
            check(&expectations[i]);
    return check_result();
}
