/* Faults arrive as a signal. One handler serves all threads, installed while any of them has a trap
 * for that signal; each thread's trap is its own. */
#define _GNU_SOURCE
#include "system/posix/trap.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

const struct kind trap_kinds[] = {{"signal", TRAP_SIGNAL}, {NULL, 0}};

/* A signal that faults arrive as. */
struct source {
    int number;
    atomic_uint traps; /* of all threads */

    /* The action before ours. Written with the lock held, by the first trap that finds ours gone.
     */
    struct sigaction previous;
};
static struct source segv = {.number = SIGSEGV}, bus = {.number = SIGBUS};
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* What a signal handler can't be given in any other way. */
struct trap {
    struct source *source;
    trap_handler handler;
    void *context;
    sigjmp_buf abandon;
};
static _Thread_local struct trap *current; /* this thread's, or NULL */
static _Atomic(struct trap *) served;      /* whose faults another thread learns of, or NULL */

enum trap_answer trap_put(const void *address)
{
    struct trap *trap = atomic_load(&served);
    return trap != NULL ? trap->handler(trap->context, address) : TRAP_FOREIGN;
}

/* The handler may leave by a jump, and the trap's body with it: for that time there is no trap. */
static void call_previous(struct source *source, siginfo_t *info, void *machine)
{
    struct trap *trap = current;
    current = NULL;
    atomic_fetch_sub(&source->traps, trap != NULL);
    if (source->previous.sa_flags & SA_SIGINFO)
        source->previous.sa_sigaction(source->number, info, machine);
    else
        source->previous.sa_handler(source->number);
    atomic_fetch_add(&source->traps, trap != NULL);
    current = trap;
}

/* Under the default action the access is simply made again with that action restored, so that the
 * process ends, and dumps core, as it would have without us. A signal that somebody sent is no
 * access that could be made again, and so is raised anew. */
static void pass_on(struct source *source, siginfo_t *info, void *machine)
{
    const struct sigaction *previous = &source->previous;
    bool sent = info->si_code <= 0;
    if (previous->sa_handler == SIG_IGN && sent)
        return;
    if (previous->sa_handler != SIG_DFL && previous->sa_handler != SIG_IGN) {
        call_previous(source, info, machine);
        return;
    }
    sigaction(source->number, previous, NULL);
    if (sent)
        raise(source->number);
}

static void on_fault(int number, siginfo_t *info, void *machine)
{
    int saved_errno = errno;
    struct source *source = number == SIGBUS ? &bus : &segv;
    struct trap *trap = current != NULL && current->source == source ? current : NULL;
    enum trap_answer answer = TRAP_FOREIGN;
    if (trap != NULL && info->si_code > 0) /* raised for an access, not sent (sigaction(2)) */
        answer = trap->handler(trap->context, info->si_addr);
    errno = saved_errno;
    if (answer == TRAP_ABANDON)
        siglongjmp(trap->abandon, 1);
    if (answer == TRAP_FOREIGN)
        pass_on(source, info, machine);
}

static bool is_ours(const struct sigaction *action)
{
    return action->sa_flags & SA_SIGINFO && action->sa_sigaction == on_fault;
}

/* Our handler may still be there from a body that was left by a jump. */
static int install(struct source *source)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction now;
    sigemptyset(&action.sa_mask);
    if (sigaction(source->number, NULL, &now) != 0)
        return errno;
    if (!is_ours(&now)) {
        source->previous = now;
        if (sigaction(source->number, &action, NULL) != 0)
            return errno;
    }
    atomic_fetch_add(&source->traps, 1);
    return 0;
}

static int uninstall(struct source *source)
{
    if (atomic_fetch_sub(&source->traps, 1) > 1)
        return 0;
    return sigaction(source->number, &source->previous, NULL) == 0 ? 0 : errno;
}

static void lock(void)
{
    pthread_mutex_lock(&installing);
}

static void unlock(void)
{
    pthread_mutex_unlock(&installing);
}

/* Of all threads, the one that forked is there, with its trap if it has one. */
static void begin_child(void)
{
    atomic_store(&segv.traps, current != NULL && current->source == &segv);
    atomic_store(&bus.traps, current != NULL && current->source == &bus);
    unlock();
}

/* Or a child would find the lock held for ever by a thread that it has not. */
static void prepare_for_forks(void)
{
    pthread_atfork(lock, unlock, begin_child);
}

static int locked(int (*change)(struct source *source), struct source *source)
{
    pthread_once(&prepared, prepare_for_forks);
    lock();
    int error = change(source);
    unlock();
    return error;
}

/* A blocked signal that an access raises ends the process (sigprocmask(2)). */
static int set_blocked(const struct source *source, int how, bool *was_blocked)
{
    sigset_t fault, before;
    sigemptyset(&fault);
    sigaddset(&fault, source->number);
    int error = pthread_sigmask(how, &fault, &before);
    *was_blocked = error == 0 && sigismember(&before, source->number) == 1;
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

static bool run_served(struct trap *trap, void (*body)(void *))
{
    atomic_store(&served, trap);
    body(trap->context);
    atomic_store(&served, NULL);
    return true;
}

int trap_run(enum trap_kind kind, void (*body)(void *), trap_handler handler, void *context,
             bool *completed)
{
    struct source *source = kind == TRAP_SIGBUS ? &bus : &segv;
    struct trap trap = {.source = source, .handler = handler, .context = context};
    bool blocked = false;
    *completed = false;
    if (kind == TRAP_THREAD) {
        *completed = run_served(&trap, body);
        return 0;
    }
    int error = locked(install, source);
    if (error != 0)
        return error;
    error = set_blocked(source, SIG_UNBLOCK, &blocked);
    if (error == 0)
        *completed = run_body(&trap, body);
    if (blocked)
        error = set_blocked(source, SIG_BLOCK, &blocked);
    int left = locked(uninstall, source);
    return error != 0 ? error : left;
}
