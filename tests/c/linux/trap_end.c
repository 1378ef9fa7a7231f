/* Linux: a process that ends by a fault which is not ours ends at the access itself, as a debugger
 * or a core file shows it, and not somewhere in our handler. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "system/trap.h"
#include "system/vm.h"

enum { UNTRACEABLE = 77 };

static unsigned char *target;

static enum trap_answer foreign(void *context, const void *address)
{
    (void)context;
    (void)address;
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

static void run_traced(void (*body)(void *), void (*action)(int))
{
    bool completed;
    signal(SIGSEGV, action);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(UNTRACEABLE);
    trap_run(TRAP_SIGNAL, body, foreign, NULL, &completed);
    _exit(0);
}

/* The signals that a child got before it ended by the last of them. */
struct end {
    int signals;
    siginfo_t last;
    int status;
};

static struct end end_of_child(void (*body)(void *), void (*action)(int))
{
    struct end end = {.signals = 0};
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        run_traced(body, action);
    CHECK(child > 0);
    while (waitpid(child, &end.status, 0) == child && WIFSTOPPED(end.status)) {
        end.signals++;
        CHECK_EQUAL(ptrace(PTRACE_GETSIGINFO, child, NULL, &end.last), 0);
        ptrace(PTRACE_CONT, child, NULL, (void *)(intptr_t)WSTOPSIG(end.status));
    }
    return end;
}

/* Once for us, and once more for whoever looks at the end. */
static void check_end(void (*body)(void *), void (*action)(int), bool sent)
{
    struct end end = end_of_child(body, action);
    if (WIFEXITED(end.status) && WEXITSTATUS(end.status) == UNTRACEABLE) {
        printf("not traced here: ptrace is not permitted\n");
        return;
    }
    CHECK_EQUAL(end.signals, 2);
    CHECK(WIFSIGNALED(end.status));
    CHECK_EQUAL(WTERMSIG(end.status), SIGSEGV);
    CHECK_EQUAL(end.last.si_code <= 0, sent);
    if (!sent)
        CHECK(end.last.si_addr == target);
}

int main(void)
{
    void *base = NULL;
    CHECK_EQUAL(vm_reserve(vm_page_bytes(), VM_PAGES_SMALL, &base), 0);
    target = base;
    check_end(write_target, SIG_DFL, false);
    check_end(write_target, SIG_IGN, false);
    check_end(raise_fault, SIG_DFL, true);
    CHECK_EQUAL(vm_release(base, vm_page_bytes()), 0);
    return check_result();
}
