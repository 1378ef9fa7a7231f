/* One sample as one CSV row (RFC 4180). docs/csv.md tells each column's unit and source. */
#ifndef RECORD_H
#define RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "sample.h"

/* What stands in a row beside the sample itself. */
struct record {
    const struct strategy *strategy;
    const struct configuration *configuration;
    const struct sample *sample;
    const char *pages;                /* "small" or "thp" */
    const struct sample_trace *trace; /* NULL if none was taken */
    uint64_t round;                   /* from 1 */
    uint64_t position;                /* within the round, from 1 */
};

/* The longest row, its line end included. */
#define RECORD_MAX_BYTES 2048

/* The header line, with its line end. */
const char *record_header(void);

/* Writes a row, with its line end, into `row` of RECORD_MAX_BYTES. Returns its length. */
size_t record_format(const struct record *record, char *row);

#endif
