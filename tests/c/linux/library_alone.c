/* Linux: a library is loaded as well where no child can load it first: it may be sound. The
 * program's own pipe and fork stand before the system's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "system/library.h"

static bool has_pipes;
static int pipes, forks;

int pipe(int ends[2])
{
    pipes++;
    if (has_pipes)
        return pipe2(ends, O_CLOEXEC);
    errno = EMFILE;
    return -1;
}

pid_t fork(void)
{
    forks++;
    errno = EAGAIN;
    return -1;
}

static void check_loaded(const char *path, int expected_forks)
{
    char message[256] = "";
    int (*function)(const char *) = NULL;
    pipes = forks = 0;
    void *handle = library_open(path, message, sizeof message);
    CHECK(handle != NULL);
    CHECK_TEXT(message, "");
    CHECK(handle != NULL && library_find(handle, "atoi", &function));
    CHECK(function != NULL && function("42") == 42);
    CHECK(handle == NULL || !library_find(handle, "of no library", &function));
    CHECK_EQUAL(pipes, 1);
    CHECK_EQUAL(forks, expected_forks);
}

static void check_refused(const char *path)
{
    char message[256] = "";
    CHECK(library_open(path, message, sizeof message) == NULL);
    CHECK(strstr(message, path) != NULL);
}

static int next_descriptor(void)
{
    int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(descriptor);
    return descriptor;
}

int main(void)
{
    Dl_info libc;
    CHECK(dladdr((void *)(uintptr_t)&snprintf, &libc) != 0);
    check_loaded(libc.dli_fname, 0);
    check_refused("/no/such.so");
    has_pipes = true;
    int before = next_descriptor();
    check_loaded(libc.dli_fname, 1);
    CHECK_EQUAL(next_descriptor(), before); /* the pipe was closed */
    check_refused("/no/such.so");
    return check_result();
}
