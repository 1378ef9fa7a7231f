/* What a harness is and can do, as JSON: where other programs learn which strategies there are.
 * docs/describe.md explains the keys. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "strategy.h"
#include "text.h"

/* One object on one line, with its line end. */
void describe_strategy(const struct strategy *strategy, const char *version, struct text *text);

#endif
