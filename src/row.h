/* One sample as one CSV row. docs/columns.md explains each column. */
#ifndef ROW_H
#define ROW_H

#include <stddef.h>
#include <stdint.h>

#include "sample.h"
#include "text.h"
#include "trace.h"

/* A sample, and what stands in its row beside it. */
struct row {
    const struct strategy *strategy;
    const struct configuration *configuration;
    const struct sample *sample;
    const struct trace *trace; /* NULL if none was taken */
    uint64_t round;            /* from 1 */
    uint64_t position;         /* within the round, from 1 */
    uint64_t set;              /* of harnesses that took turns, from 1; 0 if none did */
    uint64_t slice_bytes;      /* the longest slice touched at a time; 0 if all was in one go */
};

/* Enough for the header and for the longest row, with their line ends. */
#define ROW_MAX_BYTES 2048

void row_add_header(struct text *text);
void row_add(const struct row *row, struct text *text);

#endif
