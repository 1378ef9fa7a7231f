/* The program around a strategy: argv, the rounds, the rows. A file in bench/ defines
 * `harness_strategy`, and that is the whole program. */
#ifndef HARNESS_H
#define HARNESS_H

#include "sample.h"

extern const struct strategy harness_strategy;

#endif
