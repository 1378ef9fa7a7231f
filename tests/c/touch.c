/* One cycle of a strategy that touches the given offsets in the given order, and prints its row.
 * An offset outside the region is touched all the same: that is what some tests are about.
 *
 * usage: touch_STRATEGY SIZE STEP GUARD TRAP OFFSET... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "row.h"
#include "system/output.h"
#include "system/trap.h"
#include "system/vm.h"

static long long offsets[65536];
static size_t offset_count;

static int touch_offsets(struct region *region, const struct workload *workload)
{
    (void)workload;
    for (size_t i = 0; i < offset_count; i++)
        *(volatile unsigned char *)(region->base + offsets[i]) = 1;
    return 0;
}

int main(int argc, char **argv)
{
    static char row[ROW_MAX_BYTES];
    struct strategy strategy = harness_strategy;
    struct configuration configuration = {0};
    struct sample sample;
    if (argc < 5 || !vm_guard_choose(argv[3]) || !trap_choose(argv[4]) ||
        vm_choose_pages(VM_PAGES_SMALL) != 0)
        return 2;
    configuration.size = configuration.touched = strtoull(argv[1], NULL, 10);
    configuration.step = strtoull(argv[2], NULL, 10);
    for (int i = 5; i < argc; i++)
        offsets[offset_count++] = strtoll(argv[i], NULL, 10);
    strategy.touch = touch_offsets;
    sample_prepare(&harness_strategy);
    if (!sample_take(&strategy, &configuration, 1, &sample)) {
        fprintf(stderr, "%s\n", sample.error);
        return 1;
    }
    struct record record = {&strategy, &configuration, &sample, "small", NULL, 1, 1};
    size_t length = row_format(&record, row);
    struct output output;
    return output_open("-", &output) != 0 ||
           output_write(&output, row_header(), strlen(row_header())) != 0 ||
           output_write(&output, row, length) != 0;
}
