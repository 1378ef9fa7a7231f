/* Recording by following a program: every call, and what was touched. Each system that can has its
 * own; another says that it can't. */
#ifndef TRACING_H
#define TRACING_H

#include "options.h"

/* Returns the exit status: the program's, or what stands in options.h after one line. */
int tracing_record(const struct record_options *options);

#endif
