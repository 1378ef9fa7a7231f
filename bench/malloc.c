/* malloc: whatever allocator the process runs with, asked for a block of a step whenever a write
 * would pass the last one; at the end every block is freed. */
#include "harness.h"

#include <stdlib.h>

#include "system/vm.h"

/* Lies at the start of each block. The touch itself writes the first byte. */
struct block {
    unsigned char touched[sizeof(void *)];
    struct block *before;
};

static int malloc_before_write(struct region *region, size_t offset)
{
    if (offset < region->committed)
        return 0;
    size_t left = region->size - offset;
    size_t step = region_step_at(region, region->committed);
    size_t size = step < left ? step : left;
    struct block *block = malloc(size);
    region->commit_calls++;
    if (block == NULL)
        return region_keep_failure(region, "malloc", offset, size, vm_out_of_memory());
    block->before = region->own;
    region->own = block;
    region->base = (unsigned char *)block - offset;
    region->committed = offset + size;
    return 0;
}

static int malloc_touch(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, malloc_before_write);
}

static int malloc_release(struct region *region)
{
    while (region->own != NULL) {
        struct block *block = region->own;
        region->own = block->before;
        free(block);
    }
    region->base = NULL;
    return 0;
}

const struct strategy harness_strategy = {
    .name = "malloc",
    .summary = "blocks of a step from the allocator that the process runs with (LD_PRELOAD)",
    .step = STEP_CHUNK,
    .grows = true,
    .pages = vm_others_pages_kinds,
    .blocks = true,
    .touch = malloc_touch,
    .release = malloc_release,
};
