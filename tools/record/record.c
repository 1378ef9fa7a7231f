/* record: writes down what a program and all that it starts do with memory, exactly and without
 * privileges, or by looks from outside. docs/record.md describes the log. */
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "sampling.h"
#include "tracing.h"
#include "version.h"

int main(int count, char **words)
{
    struct record_options options;
    if (count > 1 && strcmp(words[1], "--help") == 0)
        return fputs(record_usage, stdout) < 0 || fflush(stdout) != 0;
    if (count > 1 && strcmp(words[1], "--version") == 0)
        return printf("record (vmcommit) %s\n", version_text) < 0 || fflush(stdout) != 0;
    int status = record_parse(words + 1, &options);
    if (status != 0)
        return status;
    return options.sample ? sampling_record(&options) : tracing_record(&options);
}
