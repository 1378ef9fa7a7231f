/* pipe(2). */
#define _GNU_SOURCE
#include "system/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int pipe_open(struct pipe *ends)
{
    int descriptors[2];
    if (pipe2(descriptors, O_CLOEXEC) != 0)
        return errno;
    *ends = (struct pipe){descriptors[0], descriptors[1]};
    return 0;
}

void pipe_close(struct pipe *ends)
{
    close((int)ends->reading);
    close((int)ends->writing);
}

int pipe_write(const struct pipe *ends, const void *bytes, size_t size, size_t *done)
{
    ssize_t written = write((int)ends->writing, bytes, size);
    *done = written < 0 ? 0 : (size_t)written;
    return written < 0 ? errno : 0;
}

int pipe_read(const struct pipe *ends, void *bytes, size_t size, size_t *done)
{
    ssize_t got = read((int)ends->reading, bytes, size);
    *done = got < 0 ? 0 : (size_t)got;
    return got < 0 ? errno : 0;
}

bool pipe_is_no_access(int error)
{
    return error == EFAULT;
}
