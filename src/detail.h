/* CSV files beside the samples: each touch of a traced cycle, and the steps of a staircase. Rows
 * are joined to their sample by round and position; docs/columns.md tells the columns. */
#ifndef DETAIL_H
#define DETAIL_H

#include "row.h"
#include "system/output.h"

/* Each writes the header line; then the rows of one sample. Return 0 or the system's error code. */
int detail_begin_trace(const struct output *output);
int detail_write_trace(const struct output *output, const struct record *record,
                       const struct sample_trace *trace);

int detail_begin_staircase(const struct output *output);
int detail_write_staircase(const struct output *output, const struct record *record,
                           const struct sample_checkpoint *checkpoints, size_t count);

#endif
