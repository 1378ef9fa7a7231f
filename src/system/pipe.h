/* A pipe within the process: bytes that the kernel itself writes into memory when they are read.
 * Functions that return int return 0 or the system's error code. */
#ifndef PIPE_H
#define PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pipe {
    intptr_t reading, writing; /* the system's own */
};

int pipe_open(struct pipe *pipe);
void pipe_close(struct pipe *pipe);

/* One call of the system, of up to `size` bytes; what it wrote or read is *done, 0 on an error. An
 * empty pipe blocks a read, a full one a write. */
int pipe_write(const struct pipe *pipe, const void *bytes, size_t size, size_t *done);
int pipe_read(const struct pipe *pipe, void *bytes, size_t size, size_t *done);

/* True for the code by which the system says that it could not access the bytes. */
bool pipe_is_no_access(int error);

#endif
