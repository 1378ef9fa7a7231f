/* Copies of the process by fork, which go when it goes. */
#define _GNU_SOURCE
#include "system/copies.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

const char *copies_unsupported(void)
{
    return NULL;
}

void *copies_share(size_t size)
{
    void *shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return shared != MAP_FAILED ? shared : NULL;
}

void copies_unshare(void *shared, size_t size)
{
    munmap(shared, size);
}

int copies_start(intptr_t *copy, void (*body)(void *context), void *context)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0)
        return errno;
    if (child > 0) {
        *copy = child;
        return 0;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        body(context);
    _exit(0);
}

int copies_join(intptr_t copy)
{
    int status;
    while (waitpid((pid_t)copy, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    return 0;
}

bool copies_ended(intptr_t copy)
{
    siginfo_t ended = {.si_pid = 0};
    return waitid(P_PID, (id_t)copy, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid != 0;
}
