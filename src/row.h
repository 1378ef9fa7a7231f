/* One sample as one CSV row (RFC 4180). docs/columns.md tells each column's unit and source. */
#ifndef ROW_H
#define ROW_H

#include <stddef.h>
#include <stdint.h>

#include "sample.h"

/* What stands in a row beside the sample itself. */
struct record {
    const struct strategy *strategy;
    const struct configuration *configuration;
    const struct sample *sample;
    const char *pages;                /* their kind's name */
    const struct sample_trace *trace; /* NULL if none was taken */
    uint64_t round;                   /* from 1 */
    uint64_t position;                /* within the round, from 1 */
};

/* The longest row, its line end included. */
#define ROW_MAX_BYTES 2048

/* The header line, with its line end. */
const char *row_header(void);

/* Writes a row, with its line end, into `row` of ROW_MAX_BYTES. Returns its length. */
size_t row_format(const struct record *record, char *row);

#endif
