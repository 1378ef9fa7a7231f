/* What differs between two looks at an address space. */
#ifndef WALK_CHANGES_H
#define WALK_CHANGES_H

#include "format.h"
#include "system/space.h"

/* Begins a look; the one before it stays to be compared with. */
void changes_begin(void);

/* Keeps a region of this look. False if there is no memory left for it. */
bool changes_keep(const struct space_region *region);

/* Calls `write` for each region that is new, gone, or has other bounds, state, protection, charge
 * or residency than at the last look, from the bottom to the top. A region is the same in both
 * looks where it starts or ends at the same address; of one that changed, the entry holds what it
 * is now.
 */
void changes_write(struct entry *entry, void (*write)(const struct entry *entry, void *context),
                   void *context);

#endif
