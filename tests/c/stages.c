/* Does nothing, reserves, commits, touches and releases: each when it is told to, by a line on
 * standard input, so that it can be looked at in between.
 *
 * usage: stages RESERVED COMMITTED TOUCHED, in bytes; prints its process, and a line for each that
 * it is given, when that is done. Ends with status 3. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "region.h"
#include "system/space.h"
#include "system/vm.h"

int main(int argc, char **argv)
{
    if (argc != 4 || vm_use_pages(VM_PAGES_SMALL) != 0)
        return 2;
    char line[16];
    struct configuration configuration =
        configuration_make((size_t)strtoull(argv[1], NULL, 10), vm_page_bytes());
    struct region region = region_make(&configuration);
    size_t committed = (size_t)strtoull(argv[2], NULL, 10);
    size_t touched = (size_t)strtoull(argv[3], NULL, 10);
    printf("%" PRIu64 "\n", space_self());
    fflush(stdout);
    for (int stage = 0; fgets(line, sizeof line, stdin) != NULL; stage++) {
        int error = 0;
        if (stage == 1)
            error = region_reserve(&region);
        if (stage == 2)
            error = region_commit(&region, 0, committed);
        if (stage == 3)
            for (size_t at = 0; at < touched; at += region.page)
                ((volatile unsigned char *)region.base)[at] = 1;
        if (stage == 4)
            error = region_release(&region);
        printf("%d\n", error);
        fflush(stdout);
    }
    return 3;
}
