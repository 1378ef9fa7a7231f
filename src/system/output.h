/* Where rows go: a file or standard output, bytes as they are, each write done when it returns.
 *
 * Functions that return int return 0 or the system's error code. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stddef.h>
#include <stdint.h>

struct output {
    intptr_t handle; /* the system's own */
};

/* Creates or empties the file at `path`; "-" is standard output. */
int output_open(const char *path, struct output *output);

/* Writes all of it. */
int output_write(const struct output *output, const char *bytes, size_t size);

int output_close(const struct output *output);

#endif
