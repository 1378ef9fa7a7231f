/* POSIX: a fault that is not ours reaches whoever had it before, with its address; our handler is
 * gone when trap_run returns; and a SIGSEGV that was blocked is so again. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "system/commit.h"
#include "system/trap.h"
#include "system/vm.h"

static sigjmp_buf back;
static volatile sig_atomic_t previous_calls;
static void *volatile seen_address;
static unsigned char *target;

static void previous_handler(int number, siginfo_t *info, void *machine)
{
    (void)number;
    (void)machine;
    previous_calls++;
    seen_address = info->si_addr;
    siglongjmp(back, 1);
}

static void plain_handler(int number)
{
    (void)number;
    previous_calls++;
    siglongjmp(back, 1);
}

static enum trap_answer foreign(void *context, const void *address)
{
    (void)address;
    ++*(int *)context;
    return TRAP_FOREIGN;
}

static void write_target(void *context)
{
    (void)context;
    *(volatile unsigned char *)target = 1;
}

static void raise_fault(void *context)
{
    (void)context;
    raise(SIGSEGV);
}

static void check_passed_on(void (*body)(void *), const struct sigaction *previous, int asked)
{
    static int count;
    bool completed;
    count = 0;
    previous_calls = 0;
    sigaction(SIGSEGV, previous, NULL);
    if (sigsetjmp(back, 1) == 0) {
        trap_run(TRAP_SIGNAL, body, foreign, &count, &completed);
        CHECK(false && "the fault was swallowed");
    }
    CHECK_EQUAL(count, asked);
    CHECK_EQUAL(previous_calls, 1);
    /* The jump has left the trap: what faults now is for the previous handler alone. */
    if (sigsetjmp(back, 1) == 0)
        body(NULL);
    CHECK_EQUAL(count, asked);
    CHECK_EQUAL(previous_calls, 2);
}

static void nothing(void *context)
{
    (void)context;
}

static void check_restored(const struct sigaction *previous)
{
    struct sigaction left;
    int count = 0;
    bool completed = false;
    sigaction(SIGSEGV, previous, NULL);
    CHECK_EQUAL(trap_run(TRAP_SIGNAL, nothing, foreign, &count, &completed), 0);
    CHECK(completed);
    sigaction(SIGSEGV, NULL, &left);
    CHECK(left.sa_sigaction == previous->sa_sigaction);
    CHECK_EQUAL(left.sa_flags & SA_SIGINFO, previous->sa_flags & SA_SIGINFO);
}

/* The wait status of a child that runs the body in a trap under this action. */
static int status_of_child(void (*body)(void *), void (*action)(int))
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int count = 0;
        bool completed = false;
        signal(SIGSEGV, action);
        trap_run(TRAP_SIGNAL, body, foreign, &count, &completed);
        _exit(completed ? 10 + count : 9);
    }
    CHECK(child > 0);
    waitpid(child, &status, 0);
    return status;
}

static void check_killed(int status)
{
    CHECK(WIFSIGNALED(status));
    CHECK_EQUAL(WTERMSIG(status), SIGSEGV);
}

/* As without us: a fault always kills, a signal that somebody sent kills unless it is ignored. */
static void without_a_handler_the_process_ends(void)
{
    check_killed(status_of_child(write_target, SIG_DFL));
    check_killed(status_of_child(write_target, SIG_IGN));
    check_killed(status_of_child(raise_fault, SIG_DFL));
    int status = status_of_child(raise_fault, SIG_IGN);
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 10);
}

static enum trap_answer commit_target(void *context, const void *address)
{
    (void)address;
    ++*(int *)context;
    return commit_pages(COMMIT_MPROTECT, VM_PAGES_SMALL, target, vm_page_bytes()) == 0
               ? TRAP_RETRY
               : TRAP_ABANDON;
}

static enum trap_answer commit_and_fail(void *context, const void *address)
{
    enum trap_answer answer = commit_target(context, address);
    errno = EDOM;
    return answer;
}

static void write_with_errno(void *context)
{
    (void)context;
    errno = ERANGE;
    *(volatile unsigned char *)target = 1;
}

/* A fault may come between a call and the look at its errno. */
static void errno_is_kept(void)
{
    int count = 0;
    bool completed = false;
    CHECK_EQUAL(trap_run(TRAP_SIGNAL, write_with_errno, commit_and_fail, &count, &completed), 0);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(errno, ERANGE);
}

static enum trap_answer abandon(void *context, const void *address)
{
    (void)address;
    ++*(int *)context;
    return TRAP_ABANDON;
}

static void check_blocked_signal(trap_handler handler, bool completes)
{
    sigset_t fault, left;
    int count = 0;
    bool completed = !completes;
    sigemptyset(&fault);
    sigaddset(&fault, SIGSEGV);
    sigprocmask(SIG_BLOCK, &fault, NULL);
    CHECK_EQUAL(trap_run(TRAP_SIGNAL, write_target, handler, &count, &completed), 0);
    CHECK_EQUAL(completed, completes);
    CHECK_EQUAL(count, 1);
    sigprocmask(SIG_UNBLOCK, &fault, &left);
    CHECK_EQUAL(sigismember(&left, SIGSEGV), 1);
    CHECK_EQUAL(sigismember(&left, SIGUSR1), 0);
}

static void block_usr1(void *context)
{
    sigset_t more;
    (void)context;
    sigemptyset(&more);
    sigaddset(&more, SIGUSR1);
    sigprocmask(SIG_BLOCK, &more, NULL);
}

/* What else the body does to its signals stays done, and an unblocked SIGSEGV stays unblocked. */
static void other_signals_are_left_alone(void)
{
    sigset_t left;
    int count = 0;
    bool completed = false;
    CHECK_EQUAL(trap_run(TRAP_SIGNAL, block_usr1, foreign, &count, &completed), 0);
    sigprocmask(SIG_SETMASK, NULL, &left);
    CHECK_EQUAL(sigismember(&left, SIGUSR1), 1);
    CHECK_EQUAL(sigismember(&left, SIGSEGV), 0);
}

int main(void)
{
    struct sigaction with_info = {.sa_sigaction = previous_handler, .sa_flags = SA_SIGINFO};
    struct sigaction plain = {.sa_handler = plain_handler};
    void *base = NULL;

    CHECK_EQUAL(vm_reserve(vm_page_bytes(), VM_PAGES_SMALL, &base), 0);
    target = base;
    check_passed_on(write_target, &with_info, 1);
    CHECK(seen_address == base);
    check_passed_on(write_target, &plain, 1);
    check_passed_on(raise_fault, &with_info, 0); /* sent, not an access: the handler isn't asked */
    check_restored(&with_info);
    check_restored(&plain);
    without_a_handler_the_process_ends();
    check_blocked_signal(abandon, false);
    errno_is_kept();
    CHECK_EQUAL(vm_release(base, vm_page_bytes()), 0);
    CHECK_EQUAL(vm_reserve(vm_page_bytes(), VM_PAGES_SMALL, &base), 0);
    target = base;
    check_blocked_signal(commit_target, true);
    other_signals_are_left_alone();
    return check_result();
}
