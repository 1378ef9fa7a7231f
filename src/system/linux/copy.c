/* fork(2). The copy answers through one pipe, and waits for the end of another. */
#define _GNU_SOURCE
#include "system/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const struct kind copy_kinds[] = {
    {"plain", COPY_SHARED}, {"dontfork", COPY_LEFT_OUT}, {"wipeonfork", COPY_EMPTY}, {NULL, 0}};

int copy_advise(enum copy_kind kind, void *base, size_t size)
{
    static const int advice[] = {[COPY_LEFT_OUT] = MADV_DONTFORK, [COPY_EMPTY] = MADV_WIPEONFORK};
    return kind == COPY_SHARED || madvise(base, size, advice[kind]) == 0 ? 0 : errno;
}

/* Of this thread, which makes the whole call. */
static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct pipes {
    int answer[2], wait[2];
};

static void close_both(const int *ends)
{
    close(ends[0]);
    close(ends[1]);
}

static int open_pipes(struct pipes *pipes)
{
    if (pipe2(pipes->answer, O_CLOEXEC) != 0)
        return errno;
    if (pipe2(pipes->wait, O_CLOEXEC) == 0)
        return 0;
    int error = errno;
    close_both(pipes->answer);
    return error;
}

static _Noreturn void be_the_copy(const struct pipes *pipes, const void *base, size_t size)
{
    struct maps_memory memory;
    char none;
    close(pipes->wait[1]);
    if (maps_read(base, size, &memory) == 0 &&
        write(pipes->answer[1], &memory, sizeof memory) == (ssize_t)sizeof memory)
        _exit(read(pipes->wait[0], &none, 1) != 0);
    _exit(1);
}

int copy_make(const void *base, size_t size, struct copy *copy)
{
    struct pipes pipes;
    int error = open_pipes(&pipes);
    if (error != 0)
        return error;
    uint64_t start_ns = cpu_ns();
    pid_t process = fork();
    copy->ns = cpu_ns() - start_ns;
    if (process == 0)
        be_the_copy(&pipes, base, size);
    error = process < 0 ? errno : 0;
    close(pipes.answer[1]);
    close(pipes.wait[0]);
    copy->process = process;
    copy->waiting = pipes.wait[1];
    if (error == 0 &&
        read(pipes.answer[0], &copy->memory, sizeof copy->memory) != (ssize_t)sizeof copy->memory) {
        copy_end(copy);
        error = EIO;
    } else if (error != 0) {
        close(pipes.wait[1]);
    }
    close(pipes.answer[0]);
    return error;
}

int copy_end(struct copy *copy)
{
    int status;
    close((int)copy->waiting);
    while (waitpid((pid_t)copy->process, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ECHILD;
}
