/* Where in a script most may be charged or resident at once. */
#ifndef MOST_H
#define MOST_H

#include <stdbool.h>

#include "script.h"
#include "system/commit.h"

/* Sets may_commit and may_hold of each event: no less than what there is before it, whatever gives
 * back, where memory is committed so. False without memory for it. */
bool most_mark(struct script *script, enum commit_kind commit);

#endif
