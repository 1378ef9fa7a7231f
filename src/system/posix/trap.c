/* Faults arrive as SIGSEGV. One signal handler serves all threads, installed while any of them has
 * a trap; each thread's trap is its own. */
#define _GNU_SOURCE
#include "system/trap.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

const struct kind trap_kinds[] = {{"signal", TRAP_SIGNAL}, {NULL, 0}};

/* What a signal handler can't be given in any other way. */
struct trap {
    trap_handler handler;
    void *context;
    sigjmp_buf abandon;
};
static _Thread_local struct trap *current; /* this thread's, or NULL */
static atomic_uint traps;                  /* of all threads */

/* The action before ours. Written with the lock held, by the first trap that finds ours gone. */
static struct sigaction previous;
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;

/* The handler may leave by a jump, and the trap's body with it: for that time there is no trap. */
static void call_previous(int number, siginfo_t *info, void *machine)
{
    struct trap *trap = current;
    current = NULL;
    atomic_fetch_sub(&traps, trap != NULL);
    if (previous.sa_flags & SA_SIGINFO)
        previous.sa_sigaction(number, info, machine);
    else
        previous.sa_handler(number);
    atomic_fetch_add(&traps, trap != NULL);
    current = trap;
}

/* Under the default action the access is simply made again with that action restored, so that the
 * process ends, and dumps core, as it would have without us. A SIGSEGV that somebody sent is no
 * access that could be made again, and so is raised anew. */
static void pass_on(int number, siginfo_t *info, void *machine)
{
    bool sent = info->si_code <= 0;
    if (previous.sa_handler == SIG_IGN && sent)
        return;
    if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        call_previous(number, info, machine);
        return;
    }
    sigaction(number, &previous, NULL);
    if (sent)
        raise(number);
}

static void on_fault(int number, siginfo_t *info, void *machine)
{
    int saved_errno = errno;
    struct trap *trap = current;
    enum trap_answer answer = TRAP_FOREIGN;
    if (trap != NULL && info->si_code > 0) /* raised for an access, not sent (sigaction(2)) */
        answer = trap->handler(trap->context, info->si_addr);
    errno = saved_errno;
    if (answer == TRAP_ABANDON)
        siglongjmp(trap->abandon, 1);
    if (answer == TRAP_FOREIGN)
        pass_on(number, info, machine);
}

static bool is_ours(const struct sigaction *action)
{
    return action->sa_flags & SA_SIGINFO && action->sa_sigaction == on_fault;
}

/* Our handler may still be there from a body that was left by a jump. */
static int install(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    struct sigaction now;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, NULL, &now) != 0)
        return errno;
    if (!is_ours(&now)) {
        previous = now;
        if (sigaction(SIGSEGV, &action, NULL) != 0)
            return errno;
    }
    atomic_fetch_add(&traps, 1);
    return 0;
}

static int uninstall(void)
{
    if (atomic_fetch_sub(&traps, 1) > 1)
        return 0;
    return sigaction(SIGSEGV, &previous, NULL) == 0 ? 0 : errno;
}

static int locked(int (*change)(void))
{
    pthread_mutex_lock(&installing);
    int error = change();
    pthread_mutex_unlock(&installing);
    return error;
}

/* A blocked SIGSEGV that an access raises ends the process (sigprocmask(2)). */
static int set_blocked(int how, bool *was_blocked)
{
    sigset_t fault, before;
    sigemptyset(&fault);
    sigaddset(&fault, SIGSEGV);
    int error = pthread_sigmask(how, &fault, &before);
    *was_blocked = error == 0 && sigismember(&before, SIGSEGV) == 1;
    return error;
}

static bool run_body(struct trap *trap, void (*body)(void *))
{
    volatile bool completed = false;
    if (sigsetjmp(trap->abandon, 1) == 0) {
        current = trap;
        body(trap->context);
        completed = true;
    }
    current = NULL;
    return completed;
}

int trap_run(enum trap_kind kind, void (*body)(void *), trap_handler handler, void *context,
             bool *completed)
{
    struct trap trap = {.handler = handler, .context = context};
    bool blocked = false;
    (void)kind;
    *completed = false;
    int error = locked(install);
    if (error != 0)
        return error;
    error = set_blocked(SIG_UNBLOCK, &blocked);
    if (error == 0)
        *completed = run_body(&trap, body);
    if (blocked)
        error = set_blocked(SIG_BLOCK, &blocked);
    int left = locked(uninstall);
    return error != 0 ? error : left;
}
