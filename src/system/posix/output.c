/* Output on Linux: a file descriptor. */
#define _GNU_SOURCE
#include "system/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int output_open(const char *path, struct output *output)
{
    output->handle = STDOUT_FILENO;
    if (strcmp(path, "-") == 0)
        return 0;
    output->handle = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return output->handle < 0 ? errno : 0;
}

int output_write(const struct output *output, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write((int)output->handle, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

int output_close(const struct output *output)
{
    return close((int)output->handle) == 0 ? 0 : errno;
}
