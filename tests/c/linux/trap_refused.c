/* Linux: a trap that the system refuses says so and leaves nothing behind. The system is acted: the
 * calls of src/system/posix/trap.c arrive here. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>

#include "check.h"
#include "system/trap.h"

/* Which call fails, from 1 in the order in which trap_run makes them; 0: none does. */
static int failing, calls;
static int held;         /* handlers and unblockings that were not taken back */
static bool was_blocked; /* what SIGSEGV is said to have been */

static bool fails(void)
{
    return ++calls == failing;
}

int sigaction(int number, const struct sigaction *new_one, struct sigaction *old)
{
    static struct sigaction action;
    CHECK_EQUAL(number, SIGSEGV);
    if (fails()) {
        errno = EPERM;
        return -1;
    }
    if (old != NULL)
        *old = action;
    if (new_one != NULL) {
        action = *new_one;
        held += new_one->sa_flags & SA_SIGINFO ? 1 : -1;
    }
    return 0;
}

int pthread_sigmask(int how, const sigset_t *new_one, sigset_t *old)
{
    CHECK_EQUAL(sigismember(new_one, SIGSEGV), 1);
    sigemptyset(old);
    if (fails())
        return EAGAIN;
    if (was_blocked) {
        sigaddset(old, SIGSEGV);
        held += how == SIG_UNBLOCK ? 1 : -1;
    }
    return 0;
}

static enum trap_answer foreign(void *context, const void *address)
{
    (void)context;
    (void)address;
    return TRAP_FOREIGN;
}

static void count(void *context)
{
    ++*(int *)context;
}

static void check_run(int call, int error, int bodies, int left)
{
    int run = 0;
    bool completed = bodies == 0;
    failing = call;
    calls = held = 0;
    CHECK_EQUAL(trap_run(TRAP_SIGNAL, count, foreign, &run, &completed), error);
    CHECK_EQUAL(run, bodies);
    CHECK_EQUAL(completed, bodies == 1);
    CHECK_EQUAL(held, left);
}

/* Looks at the action, sets ours, unblocks, runs the body, blocks again if need be, and gives the
 * action back. What fails last stays as it is. */
int main(void)
{
    check_run(0, 0, 1, 0);
    check_run(1, EPERM, 0, 0);
    check_run(2, EPERM, 0, 0);
    check_run(3, EAGAIN, 0, 0);
    check_run(4, EPERM, 1, 1);
    check_run(0, 0, 1, -1); /* ours is still there, and is now taken away */
    was_blocked = true;
    check_run(0, 0, 1, 0);
    check_run(4, EAGAIN, 1, 1);
    return check_result();
}
