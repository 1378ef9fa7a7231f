/* Faults on Linux arrive as SIGSEGV. The handler is installed for the time of one trap_run only. */
#define _GNU_SOURCE
#include "system/trap.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

const struct kind trap_kinds[] = {{"signal", 0}, {NULL, 0}};

/* What a signal handler can't be given in any other way. */
static struct {
    trap_handler handler;
    void *context;
    struct sigaction previous;
    sigjmp_buf abandon;
} active;

bool trap_choose(const char *name)
{
    return strcmp(name, trap_kinds[0].name) == 0;
}

const char *trap_name(void)
{
    return trap_kinds[0].name;
}

/* Under the default action the access is simply made again with that action restored, so that the
 * process ends, and dumps core, as it would have without us. A SIGSEGV that somebody sent is no
 * access that could be made again, and so is raised anew. */
static void pass_on(int number, siginfo_t *info, void *machine)
{
    if (active.previous.sa_flags & SA_SIGINFO) {
        active.previous.sa_sigaction(number, info, machine);
    } else if (active.previous.sa_handler == SIG_DFL || active.previous.sa_handler == SIG_IGN) {
        sigaction(number, &active.previous, NULL);
        if (info->si_code <= 0)
            raise(number);
    } else {
        active.previous.sa_handler(number);
    }
}

static void on_fault(int number, siginfo_t *info, void *machine)
{
    int saved_errno = errno;
    enum trap_answer answer = TRAP_FOREIGN;
    if (info->si_code > 0) /* raised by the kernel for an access, not sent (sigaction(2)) */
        answer = active.handler(active.context, info->si_addr);
    errno = saved_errno;
    if (answer == TRAP_ABANDON)
        siglongjmp(active.abandon, 1);
    if (answer == TRAP_FOREIGN)
        pass_on(number, info, machine);
}

int trap_run(void (*body)(void *), trap_handler handler, void *context, bool *completed)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    active.handler = handler;
    active.context = context;
    if (sigaction(SIGSEGV, &action, &active.previous) != 0)
        return errno;
    *completed = false;
    if (sigsetjmp(active.abandon, 1) == 0) {
        body(context);
        *completed = true;
    }
    return sigaction(SIGSEGV, &active.previous, NULL) == 0 ? 0 : errno;
}
