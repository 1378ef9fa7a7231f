/* One cycle of a strategy that touches the given offsets in the given order, and prints its row.
 * An offset outside the region is touched all the same: that is what some tests are about.
 *
 * usage: touch_STRATEGY SIZE STEP GUARD TRAP OFFSET... */
#include <stdio.h>
#include <stdlib.h>

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
    static char bytes[2 * ROW_MAX_BYTES];
    struct strategy strategy = harness_strategy;
    struct sample sample;
    int guard, trap;
    if (argc < 5 || !kind_find(guard_kinds, argv[3], &guard) ||
        !kind_find(trap_kinds, argv[4], &trap))
        return 2;
    struct configuration configuration = configuration_make((size_t)strtoull(argv[1], NULL, 10),
                                                            (size_t)strtoull(argv[2], NULL, 10));
    configuration.guard = guard_resolve((enum guard_kind)guard);
    configuration.trap = (enum trap_kind)trap;
    for (int i = 5; i < argc; i++)
        offsets[offset_count++] = strtoll(argv[i], NULL, 10);
    strategy.touch = touch_offsets;
    sample_prepare(&harness_strategy, &configuration);
    if (!sample_take(&strategy, &configuration, 1, &sample)) {
        fprintf(stderr, "%s\n", sample.error);
        return 1;
    }
    struct row row = {.strategy = &strategy,
                      .configuration = &configuration,
                      .sample = &sample,
                      .round = 1,
                      .position = 1};
    struct text text = text_in(bytes, sizeof bytes);
    row_add_header(&text);
    row_add(&row, &text);
    struct output output;
    return output_open("-", &output) != 0 || output_write(&output, text.bytes, text.length) != 0;
}
