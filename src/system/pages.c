/* Names of the sizes of pages, the same on every system: what one has not, it says. */
#include "system/vm.h"

const struct kind vm_pages_kinds[] = {
    {"small", VM_PAGES_SMALL},
    {"thp", VM_PAGES_THP},
    {"thp-64K", VM_PAGES_THP_64K},
    {"huge", VM_PAGES_HUGE},
    {NULL, 0},
};
const struct kind vm_others_pages_kinds[] = {
    {"small", VM_PAGES_SMALL},
    {"thp", VM_PAGES_THP},
    {"thp-64K", VM_PAGES_THP_64K},
    {NULL, 0},
};
const struct kind vm_small_pages_kinds[] = {{"small", VM_PAGES_SMALL}, {NULL, 0}};
