/* Where nothing lets a program be followed from call to call. */
#include <stdio.h>

#include "tracing.h"

int tracing_record(const struct record_options *options)
{
    fprintf(stderr,
            "record: '%s' can't be traced on this system, only sampled: record --sample -- %s\n",
            options->words[0], options->words[0]);
    return RECORD_USAGE;
}
