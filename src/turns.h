/* A harness that stays and takes turns with others: it does what each line of standard input asks
 * for, answers with one line, and waits. docs/turns.md tells the protocol. */
#ifndef TURNS_H
#define TURNS_H

#include <stdbool.h>

#include "strategy.h"

/* The protocol's version. A harness that answers another one is not talked to. */
enum { TURNS_VERSION = 3 };

enum turns_end {
    TURNS_ENDED,   /* standard input ended */
    TURNS_BROKE,   /* something failed that is no refusal */
    TURNS_MISUSED, /* a command that could not be understood, or had no place there */
};

/* Takes turns until standard input ends; `seed` is of a random order. Why it ended otherwise is in
 * `message`. */
enum turns_end turns_take(const struct strategy *strategy,
                          const struct configuration *configuration, uint64_t seed, char *message,
                          size_t size);

#endif
