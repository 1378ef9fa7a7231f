/* Shared libraries on POSIX systems. A library's constructors may end the process that loads it, by
 * _exit too: so a child loads it first, and reports whether it survived. */
#define _GNU_SOURCE
#include "system/library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *load(const char *path)
{
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* In the child. What the library prints comes once, when the parent loads it. */
static void rehearse(const char *path, int survived)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    load(path);
    ssize_t written = write(survived, "1", 1);
    _exit(written == 1 ? 0 : 1);
}

static bool read_survived(pid_t child, int survived, int *status)
{
    char byte;
    waitpid(child, status, 0);
    fcntl(survived, F_SETFL, O_NONBLOCK); /* whatever else may hold the other end */
    return read(survived, &byte, 1) == 1;
}

/* True as well if there can be no child: the library may be sound. */
static bool survives(const char *path, int *status)
{
    int ends[2];
    if (pipe(ends) != 0)
        return true;
    pid_t child = fork();
    if (child == 0)
        rehearse(path, ends[1]);
    bool survived = child < 0 || read_survived(child, ends[0], status);
    close(ends[0]);
    close(ends[1]);
    return survived;
}

void *library_open(const char *path, char *message, size_t size)
{
    int status = 0;
    if (!survives(path, &status)) {
        if (WIFSIGNALED(status))
            snprintf(message, size, "loading it ends the process, by signal %d", WTERMSIG(status));
        else
            snprintf(message, size, "loading it ends the process, with status %d",
                     WEXITSTATUS(status));
        return NULL;
    }
    void *handle = load(path);
    if (handle == NULL)
        snprintf(message, size, "%s", dlerror());
    return handle;
}

/* POSIX, dlsym: a function's address fits into a pointer to an object. */
bool library_find(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}
