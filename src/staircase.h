/* A cycle that is held up at even distances, to read what the system says of the region so far; and
 * its CSV file. */
#ifndef STAIRCASE_H
#define STAIRCASE_H

#include <stdbool.h>
#include <stdint.h>

#include "strategy.h"
#include "system/meter.h"
#include "system/output.h"

struct row;

enum { STAIRCASE_CHECKPOINTS = 64 };

/* What the system says of the region when so much of it has been touched. */
struct checkpoint {
    size_t touched;
    uint64_t commit_bytes;
    struct meter_count resident_bytes;
    uint64_t region_count;
    uint64_t commit_calls;
    uint64_t handled_faults;
};

struct staircase {
    struct checkpoint checkpoints[STAIRCASE_CHECKPOINTS];
    size_t reached;  /* of them, before memory was refused */
    char error[256]; /* what broke */
};

/* Carries out one more cycle. Returns false if something broke that is not a refusal. */
bool staircase_take(const struct strategy *strategy, const struct configuration *configuration,
                    uint64_t seed, struct staircase *staircase);

/* Writes the header line; writes a row for each checkpoint, which is joined to its sample by the
 * row's round and position. Return 0 or the system's error code. */
int staircase_write_header(const struct output *output);
int staircase_write(const struct output *output, const struct row *row,
                    const struct staircase *staircase);

#endif
