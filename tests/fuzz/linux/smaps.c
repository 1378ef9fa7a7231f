/* /proc/self/smaps and /proc/meminfo: figures of made-up mappings, worked out as they are made up;
 * and any bytes at all in their place. */
#include <inttypes.h>
#include <stdbool.h>

#include "fuzz.h"
#include "system/linux/proc.h"
#include "tree.h"

enum { PAGE = 4096, SMALLEST_PAGE_NUMBER = 16 };

struct range {
    uint64_t from, to;
};

struct expected {
    uint64_t region_commit, region_count, process_commit, process_resident;
};

static struct range input_region(struct input *input)
{
    uint64_t from = (SMALLEST_PAGE_NUMBER + input_number(input, 2)) * PAGE;
    return (struct range){from, from + input_byte(input) * (uint64_t)PAGE};
}

static uint64_t overlap(struct range a, struct range b)
{
    uint64_t bytes = 0;
    for (uint64_t page = a.from; page < a.to; page += PAGE)
        if (page >= b.from && page < b.to)
            bytes += PAGE;
    return bytes;
}

static struct maps_memory read_memory(struct range region)
{
    struct maps_memory memory, again;
    const void *base = (const void *)(uintptr_t)region.from;
    size_t size = (size_t)(region.to - region.from);
    FUZZ_CHECK(proc_read_memory(tree_root(), base, size, &memory) == 0);
    FUZZ_CHECK(proc_read_memory(tree_root(), base, size, &again) == 0);
    FUZZ_CHECK(memory.region_commit_bytes == again.region_commit_bytes);
    FUZZ_CHECK(memory.process_commit_bytes.known && memory.process_resident_bytes.known);
    return memory;
}

/* A mapping as the kernel shows it; its name is hostile. */
static void add_mapping(struct growing *smaps, struct range mapping, bool charged, uint64_t kib,
                        const char *name)
{
    growing_add(smaps, "%08" PRIx64 "-%08" PRIx64 " rw-p 00000000 00:00 0        %s\n",
                mapping.from, mapping.to, name);
    growing_add(smaps, "Size:           %8" PRIu64 " kB\nRss:                   4 kB\n",
                (mapping.to - mapping.from) / 1024);
    growing_add(smaps, "Anonymous:      %8" PRIu64 " kB\nLazyFree:              8 kB\n", kib);
    growing_add(smaps, "VmFlags: rd wr mr mw me %ssd \n", charged ? "ac " : "");
}

/* The next mapping of the input, which lies at or after `from`. Returns its end. */
static uint64_t next_mapping(struct input *input, uint64_t from, struct range region,
                             struct growing *smaps, struct expected *expected)
{
    char name[64];
    from += input_byte(input) * (uint64_t)PAGE;
    struct range mapping = {from, from + (1 + input_byte(input)) * (uint64_t)PAGE};
    bool charged = input_byte(input) % 2 == 1;
    uint64_t kib = input_number(input, 2);
    input_text(input, '\n', name, sizeof name);
    add_mapping(smaps, mapping, charged, kib, name);
    expected->process_resident += kib * 1024;
    expected->process_commit += charged ? mapping.to - mapping.from : 0;
    expected->region_commit += charged ? overlap(mapping, region) : 0;
    expected->region_count += overlap(mapping, region) > 0;
    return mapping.to;
}

static void check_made_up(struct input *input)
{
    struct growing smaps = {0}, meminfo = {0};
    struct expected expected = {0};
    uint64_t from = SMALLEST_PAGE_NUMBER * PAGE, committed_kib = input_number(input, 4);
    struct range region = input_region(input);
    while (input->left > 0)
        from = next_mapping(input, from, region, &smaps, &expected);
    growing_add(&meminfo, "MemFree: 7 kB\nCommitted_AS:   %8" PRIu64 " kB\nX: 8\n", committed_kib);
    tree_put("/proc/self/smaps", smaps.bytes, smaps.length);
    tree_put("/proc/meminfo", meminfo.bytes, meminfo.length);
    tree_put("/proc/self/status", meminfo.bytes, meminfo.length);
    struct maps_memory memory = read_memory(region);
    FUZZ_CHECK(memory.region_commit_bytes == expected.region_commit);
    FUZZ_CHECK(memory.region_count == expected.region_count);
    FUZZ_CHECK(memory.process_commit_bytes.value == expected.process_commit);
    FUZZ_CHECK(memory.process_resident_bytes.value == expected.process_resident);
    FUZZ_CHECK(memory.system_commit_bytes.known);
    FUZZ_CHECK(memory.system_commit_bytes.value == committed_kib * 1024);
    free(smaps.bytes);
    free(meminfo.bytes);
}

static uint64_t count_lines(const uint8_t *data, size_t size)
{
    uint64_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += data[i] == '\n';
    return count;
}

/* No line can count for more than one mapping, nor for more than the region. */
static void check_any_bytes(struct input *input)
{
    struct range region = input_region(input);
    uint64_t lines = count_lines(input->data, input->left);
    tree_put("/proc/self/smaps", input->data, input->left);
    tree_put("/proc/meminfo", input->data, input->left);
    tree_put("/proc/self/status", input->data, input->left);
    struct maps_memory memory = read_memory(region);
    FUZZ_CHECK(memory.region_count <= lines);
    FUZZ_CHECK(memory.region_commit_bytes <= lines * (region.to - region.from));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    if (input_byte(&input) % 2 == 0)
        check_made_up(&input);
    else
        check_any_bytes(&input);
    return 0;
}
