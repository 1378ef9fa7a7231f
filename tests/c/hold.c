/* Holds a region, partly committed and touched, until standard input ends, so that somebody else
 * can read what the system says of it.
 *
 * usage: hold RESERVED COMMITTED TOUCHED, in bytes; prints its process, the region's address and
 * size, and the charge and residency that the suite reads. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "region.h"
#include "system/maps.h"
#include "system/vm.h"

int main(int argc, char **argv)
{
    struct maps_memory before, held;
    if (argc != 4 || vm_use_pages(VM_PAGES_SMALL) != 0)
        return 2;
    struct configuration configuration =
        configuration_make((size_t)strtoull(argv[1], NULL, 10), vm_page_bytes());
    struct region region = region_make(&configuration);
    size_t committed = (size_t)strtoull(argv[2], NULL, 10);
    size_t touched = (size_t)strtoull(argv[3], NULL, 10);
    if (maps_read(NULL, 0, &before) != 0 || region_reserve(&region) != 0 ||
        region_commit(&region, 0, committed) != 0)
        return 1;
    for (size_t offset = 0; offset < touched; offset += region.page)
        ((volatile unsigned char *)region.base)[offset] = 1;
    if (maps_read(region.base, region.size, &held) != 0)
        return 1;
    printf("%" PRIuPTR " %zu %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", (uintptr_t)region.base,
           region.size, held.region_commit_bytes,
           held.process_commit_bytes.value - before.process_commit_bytes.value,
           held.process_resident_bytes.value - before.process_resident_bytes.value);
    fflush(stdout);
    return getchar() == EOF ? 0 : 1;
}
