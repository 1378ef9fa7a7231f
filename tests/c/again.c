/* A handler that mends nothing: the same page faults again at once, and that must end the process
 * as a crash, not go on for ever. Prints a line each time that the handler is asked, and gives up
 * after some. */
#include <stdio.h>
#include <stdlib.h>

#include "sample.h"

static int mend_nothing(struct region *region, size_t offset)
{
    static int asked;
    (void)region;
    printf("asked at %zu\n", offset);
    fflush(stdout);
    if (++asked == 10)
        _Exit(3);
    return 0;
}

static int touch(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, workload_nothing);
}

static const struct strategy strategy = {
    .name = "again", .reserve = region_reserve, .touch = touch, .fault = mend_nothing};

int main(void)
{
    struct sample sample;
    struct configuration configuration = configuration_make(4 * vm_page_bytes(), vm_page_bytes());
    return sample_take(&strategy, &configuration, 1, &sample) ? 0 : 1;
}
