/* malloc: a block for each step, and every block goes back. Its file is compiled in here, with an
 * allocator that keeps count. */
#include <stddef.h>
#include <stdlib.h>

#include "check.h"

static size_t allocated, freed, allocated_bytes;
static void *blocks[1024];

static void *counted_malloc(size_t size)
{
    if (allocated == 6)
        return NULL; /* what an allocator does that has no more */
    allocated_bytes += size;
    return blocks[allocated++] = malloc(size);
}

static void counted_free(void *block)
{
    for (size_t i = 0; i < allocated; i++)
        if (blocks[i] == block) {
            blocks[i] = NULL;
            freed++;
        }
    free(block);
}

#define malloc counted_malloc
#define free counted_free
#include "../../bench/malloc.c"
#undef malloc
#undef free

static size_t page;

static int grow(size_t pages, size_t step, struct region *region)
{
    struct configuration configuration = configuration_make(pages * page, step * page);
    struct workload workload = {.last = pages};
    *region = region_make(&configuration);
    allocated = freed = allocated_bytes = 0;
    return harness_strategy.touch(region, &workload);
}

static void every_block_is_freed(void)
{
    struct region region;
    CHECK_EQUAL(grow(10, 4, &region), 0);
    CHECK_EQUAL(allocated, 3);
    CHECK_EQUAL(allocated_bytes, 10 * page);
    CHECK_EQUAL(region.commit_calls, 3);
    CHECK_EQUAL(freed, 0);
    CHECK_EQUAL(harness_strategy.release(&region), 0);
    CHECK_EQUAL(freed, 3);
    for (size_t i = 0; i < allocated; i++)
        CHECK(blocks[i] == NULL);
    CHECK(region.own == NULL && region.base == NULL);
}

static void a_refusal_says_where(void)
{
    struct region region;
    CHECK(vm_is_refusal(grow(10, 1, &region)));
    CHECK_TEXT(region.failed_call, "malloc");
    CHECK_EQUAL(region.failed_offset, 6 * page);
    CHECK_EQUAL(region.failed_size, page);
    CHECK_EQUAL(region.commit_calls, 7);
    CHECK_EQUAL(harness_strategy.release(&region), 0);
    CHECK_EQUAL(freed, 6);
}

int main(void)
{
    page = vm_page_bytes();
    every_block_is_freed();
    a_refusal_says_where();
    return check_result();
}
