/* Recording by looking at a process from time to time, from outside: coarse, on every system, and
 * of one that runs already. */
#ifndef SAMPLING_H
#define SAMPLING_H

#include "options.h"

/* Returns the exit status: the program's, 0 for a process that ran already, or what stands in
 * options.h after one line. */
int sampling_record(const struct record_options *options);

#endif
