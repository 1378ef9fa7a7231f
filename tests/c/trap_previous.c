/* Linux: a fault that is not ours reaches the handler that was there before, with its address, and
 * our handler is gone when trap_run returns. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

#include "check.h"
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
}

static void nothing(void *context)
{
    (void)context;
}

int main(void)
{
    struct sigaction with_info = {.sa_sigaction = previous_handler, .sa_flags = SA_SIGINFO};
    struct sigaction plain = {.sa_handler = plain_handler};
    struct sigaction left;
    void *base = NULL;
    int count = 0;
    bool completed = false;

    CHECK_EQUAL(vm_reserve(vm_page_bytes(), VM_PAGES_SMALL, &base), 0);
    target = base;
    check_passed_on(write_target, &with_info, 1);
    CHECK(seen_address == base);
    check_passed_on(write_target, &plain, 1);
    check_passed_on(raise_fault, &with_info, 0); /* sent, not an access: the handler isn't asked */

    sigaction(SIGSEGV, &with_info, NULL);
    CHECK_EQUAL(trap_run(TRAP_SIGNAL, nothing, foreign, &count, &completed), 0);
    CHECK(completed);
    sigaction(SIGSEGV, NULL, &left);
    CHECK(left.sa_sigaction == previous_handler);
    return check_result();
}
