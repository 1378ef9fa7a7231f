/* Output by file descriptors. */
#define _GNU_SOURCE
#include "system/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* open takes the lowest number that is free (open(2)), so what is missing is filled from 0 up. With
 * the wrong access, so that reading and writing fail as on a closed one (EBADF). */
int output_reserve_standard(void)
{
    for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++) {
        if (fcntl(standard, F_GETFD) >= 0)
            continue;
        if (open("/dev/null", standard == STDIN_FILENO ? O_WRONLY : O_RDONLY) != standard)
            return errno;
    }
    return 0;
}

static int open_standard(struct output *output)
{
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    output->handle = STDOUT_FILENO;
    if (flags < 0)
        return errno;
    return (flags & O_ACCMODE) == O_RDONLY ? EBADF : 0;
}

int output_open(const char *path, struct output *output)
{
    if (strcmp(path, "-") == 0)
        return open_standard(output);
    output->handle = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    return output->handle < 0 ? errno : 0;
}

int output_create(const char *path, struct output *output)
{
    int opened = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (opened < 0)
        return errno;
    output->handle = fcntl(opened, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = output->handle < 0 ? errno : 0;
    close(opened);
    return error;
}

int output_make_folder(const char *path)
{
    return mkdir(path, 0777) == 0 ? 0 : errno;
}

const char *output_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

bool output_exists(int error)
{
    return error == EEXIST;
}

bool output_holds(const char *folder)
{
    bool holds = false;
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return false;
    for (const struct dirent *entry; !holds && (entry = readdir(entries)) != NULL;)
        holds = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(entries);
    return holds;
}

void output_remove(const char *path, const char *folder)
{
    unlink(path);
    if (folder != NULL)
        rmdir(folder);
}

/* What a device is given, such as the null device or a terminal, nobody reads back as rows. */
static bool same_file(const struct stat *a, const struct stat *b)
{
    return !S_ISCHR(a->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool output_same(const struct output *a, const struct output *b)
{
    struct stat of_a, of_b;
    return fstat((int)a->handle, &of_a) == 0 && fstat((int)b->handle, &of_b) == 0 &&
           same_file(&of_a, &of_b);
}

bool output_is_at(const struct output *output, const char *path)
{
    struct stat of_output, of_path;
    return fstat((int)output->handle, &of_output) == 0 && stat(path, &of_path) == 0 &&
           same_file(&of_output, &of_path);
}

bool output_is_terminal(const struct output *output)
{
    return isatty((int)output->handle) != 0;
}

int output_empty(const struct output *output)
{
    struct stat file;
    if (output->handle == STDOUT_FILENO)
        return 0;
    if (fstat((int)output->handle, &file) != 0)
        return errno;
    return !S_ISREG(file.st_mode) || ftruncate((int)output->handle, 0) == 0 ? 0 : errno;
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
