/* POSIX: what threads and signals do to each other. None of it loses a fault, swallows somebody
 * else's or waits for ever; what must end the process ends it. Each scene that may is a child. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "system/commit.h"
#include "system/guard.h"
#include "system/thread.h"
#include "system/trap.h"
#include "system/vm.h"

enum { PAGES = 16, SECONDS = 60, WELL = 0, UNWELL = 9 };

/* Reserved memory; what of it faults is committed. */
struct ground {
    unsigned char *base;
    size_t size;
    atomic_int asked;
};

static struct ground reserve(size_t pages)
{
    void *base = NULL;
    struct ground ground = {.size = pages * vm_page_bytes()};
    CHECK_EQUAL(vm_reserve(ground.size, VM_PAGES_SMALL, &base), 0);
    ground.base = base;
    return ground;
}

static void give_back(const struct ground *ground)
{
    CHECK_EQUAL(vm_release(ground->base, ground->size), 0);
}

static enum trap_answer commit_page(void *context, const void *address)
{
    struct ground *ground = context;
    uintptr_t offset = (uintptr_t)address - (uintptr_t)ground->base;
    size_t page = vm_page_bytes();
    atomic_fetch_add(&ground->asked, 1);
    if (offset >= ground->size)
        return TRAP_FOREIGN;
    return commit_pages(COMMIT_MPROTECT, VM_PAGES_SMALL, ground->base + offset / page * page,
                        page) == 0
               ? TRAP_RETRY
               : TRAP_ABANDON;
}

static void touch_all(void *context)
{
    struct ground *ground = context;
    for (size_t at = 0; at < ground->size; at += vm_page_bytes())
        *(volatile unsigned char *)(ground->base + at) = 1;
}

/* True if all was touched, by as many faults as there are pages. */
static bool touches(struct ground *ground)
{
    bool completed = false;
    atomic_store(&ground->asked, 0);
    return trap_run(TRAP_SIGNAL, touch_all, commit_page, ground, &completed) == 0 && completed &&
           (size_t)atomic_load(&ground->asked) == ground->size / vm_page_bytes();
}

/* The wait status of a child that runs the scene, and ends by SIGALRM where that does not. */
static int status_of(void (*scene)(void))
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* a sanitizer's would report */
        alarm(SECONDS);
        scene();
        _exit(check_failures == 0 ? WELL : UNWELL);
    }
    CHECK(child > 0);
    waitpid(child, &status, 0);
    return status;
}

static void check_well(void (*scene)(void))
{
    int status = status_of(scene);
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), WELL);
}

static void check_killed(void (*scene)(void))
{
    int status = status_of(scene);
    CHECK(WIFSIGNALED(status));
    CHECK_EQUAL(WTERMSIG(status), SIGSEGV);
}

static void block_faults(int how)
{
    sigset_t fault;
    sigemptyset(&fault);
    sigaddset(&fault, SIGSEGV);
    pthread_sigmask(how, &fault, NULL);
}

static void touch_with_faults_blocked(void *context)
{
    sigset_t left;
    block_faults(SIG_BLOCK);
    CHECK(touches(context));
    pthread_sigmask(SIG_SETMASK, NULL, &left);
    CHECK_EQUAL(sigismember(&left, SIGSEGV), 1);
}

static void a_thread_that_blocks_the_signal(void)
{
    struct ground ground = reserve(PAGES);
    struct thread thread;
    CHECK_EQUAL(thread_start(&thread, touch_with_faults_blocked, &ground), 0);
    CHECK_EQUAL(thread_join(&thread), 0);
    give_back(&ground);
}

static enum trap_answer touch_in_the_handler(void *context, const void *address)
{
    const struct ground *ground = context;
    (void)address;
    *(volatile unsigned char *)(ground->base + ground->size - 1) = 1;
    return TRAP_RETRY;
}

/* The signal is blocked while its handler runs: sigaction(2). */
static void a_handler_that_faults(void)
{
    struct ground ground = reserve(PAGES);
    bool completed;
    trap_run(TRAP_SIGNAL, touch_all, touch_in_the_handler, &ground, &completed);
}

/* A stack whose lowest part is not committed. */
static struct ground stack;
static bool has_signal_stack;

static unsigned char *volatile deepest; /* or a compiler would keep less of each frame */

static void go_deeper(size_t bytes)
{
    unsigned char frame[1024];
    deepest = frame;
    deepest[0] = 1;
    if (bytes > sizeof frame)
        go_deeper(bytes - sizeof frame);
    deepest = frame;
    deepest[sizeof frame - 1] = 1;
}

static void go_down(void *context)
{
    (void)context;
    go_deeper(stack.size / 2 + stack.size / 4);
}

static void *run_on_stack(void *context)
{
    static unsigned char bytes[1 << 16];
    stack_t signals = {.ss_sp = bytes, .ss_size = sizeof bytes};
    bool completed = false;
    if (has_signal_stack)
        sigaltstack(&signals, NULL);
    CHECK_EQUAL(trap_run(TRAP_SIGNAL, go_down, commit_page, &stack, &completed), 0);
    CHECK(completed);
    return context;
}

static void run_with_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    stack = reserve(64);
    CHECK_EQUAL(
        commit_pages(COMMIT_MPROTECT, VM_PAGES_SMALL, stack.base + stack.size / 2, stack.size / 2),
        0);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack.base, stack.size);
    CHECK_EQUAL(pthread_create(&thread, &attributes, run_on_stack, NULL), 0);
    pthread_join(thread, NULL);
    CHECK(atomic_load(&stack.asked) > 0);
}

static void a_stack_of_uncommitted_memory(void)
{
    has_signal_stack = true;
    run_with_stack();
}

static void the_same_without_a_signal_stack(void)
{
    has_signal_stack = false;
    run_with_stack();
}

static atomic_bool enough;

static void touch_again_and_again(void *context)
{
    (void)context;
    while (!atomic_load(&enough)) {
        struct ground ground = reserve(PAGES);
        CHECK(touches(&ground));
        give_back(&ground);
    }
}

/* In a child of one of them: it has its own faults answered, whatever the other thread held. */
static void touch_in_a_child(void)
{
    struct ground ground = reserve(PAGES);
    CHECK(touches(&ground));
}

static void forks_while_others_fault(void)
{
    enum { FORKS = 200 };
    struct thread threads[2];
    for (int i = 0; i < 2; i++)
        CHECK_EQUAL(thread_start(&threads[i], touch_again_and_again, NULL), 0);
    for (int i = 0; i < FORKS && check_failures == 0; i++)
        check_well(touch_in_a_child);
    atomic_store(&enough, true);
    for (int i = 0; i < 2; i++)
        CHECK_EQUAL(thread_join(&threads[i]), 0);
}

static void end_here(void *context)
{
    touch_all(context);
    pthread_exit(NULL);
}

static void *end_in_a_trap(void *context)
{
    bool completed;
    trap_run(TRAP_SIGNAL, end_here, commit_page, context, &completed);
    return NULL;
}

static void a_thread_that_ends_in_a_trap(void)
{
    struct ground first = reserve(PAGES), second = reserve(PAGES);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, end_in_a_trap, &first), 0);
    pthread_join(thread, NULL);
    CHECK(touches(&second));
}

/* And leaves its handler behind, which has no trap to ask then. */
static void a_foreign_fault_after_that(void)
{
    struct ground ground = reserve(PAGES);
    a_thread_that_ends_in_a_trap();
    touch_all(&ground);
}

static atomic_int in_body;
static atomic_int previous_calls;

static void count_previous(int number)
{
    (void)number;
    atomic_fetch_add(&previous_calls, 1);
}

static void wait_for_previous(void *context)
{
    (void)context;
    atomic_store(&in_body, 1);
    while (atomic_load(&previous_calls) == 0)
        thread_yield();
}

static void *wait_in_a_trap(void *context)
{
    bool completed = false;
    CHECK_EQUAL(trap_run(TRAP_SIGNAL, wait_for_previous, commit_page, context, &completed), 0);
    CHECK(completed);
    return NULL;
}

static void send_to_a_trapped_thread(void (*action)(int))
{
    struct ground ground = reserve(PAGES);
    pthread_t thread;
    signal(SIGSEGV, action);
    CHECK_EQUAL(pthread_create(&thread, NULL, wait_in_a_trap, &ground), 0);
    while (atomic_load(&in_body) == 0)
        thread_yield();
    pthread_kill(thread, SIGSEGV);
    pthread_join(thread, NULL);
    CHECK_EQUAL(atomic_load(&previous_calls), 1);
    CHECK_EQUAL(atomic_load(&ground.asked), 0);
}

static void a_signal_that_was_sent(void)
{
    send_to_a_trapped_thread(count_previous);
}

static void a_signal_that_was_sent_to_nobody(void)
{
    send_to_a_trapped_thread(SIG_DFL);
}

static void see_code(int number, siginfo_t *info, void *machine)
{
    (void)number;
    (void)machine;
    _exit(info->si_code);
}

static void touch_first(void *context)
{
    *(volatile unsigned char *)((struct ground *)context)->base = 1;
}

static enum trap_answer not_ours(void *context, const void *address)
{
    (void)context;
    (void)address;
    return TRAP_FOREIGN;
}

static void touch_foreign(struct ground *ground)
{
    struct sigaction action = {.sa_sigaction = see_code, .sa_flags = SA_SIGINFO};
    bool completed;
    sigaction(SIGSEGV, &action, NULL);
    trap_run(TRAP_SIGNAL, touch_first, not_ours, ground, &completed);
}

static void touch_protected(void)
{
    struct ground ground = reserve(1);
    touch_foreign(&ground);
}

static void touch_guarded(void)
{
    struct ground ground = reserve(1);
    CHECK_EQUAL(commit_pages(COMMIT_MPROTECT, VM_PAGES_SMALL, ground.base, ground.size), 0);
    CHECK_EQUAL(guard_set(GUARD_MADVISE, ground.base), 0);
    touch_foreign(&ground);
}

static enum trap_answer clear_guard(void *context, const void *address)
{
    const struct ground *ground = context;
    return address == ground->base && guard_clear(GUARD_MADVISE, ground->base) == 0 ? TRAP_RETRY
                                                                                    : TRAP_ABANDON;
}

/* The kernel calls a guard in the page table unmapped, and it is put to the handler all the same.
 */
static void a_guard_that_looks_unmapped(void)
{
    struct ground ground = reserve(1);
    bool completed = false;
    CHECK_EQUAL(WEXITSTATUS(status_of(touch_protected)), SEGV_ACCERR);
    if (guard_unsupported(GUARD_MADVISE) != NULL) {
        printf("no guards in the page table here: %s\n", guard_unsupported(GUARD_MADVISE));
        return;
    }
    CHECK_EQUAL(WEXITSTATUS(status_of(touch_guarded)), SEGV_MAPERR);
    CHECK_EQUAL(commit_pages(COMMIT_MPROTECT, VM_PAGES_SMALL, ground.base, ground.size), 0);
    CHECK_EQUAL(guard_set(GUARD_MADVISE, ground.base), 0);
    CHECK_EQUAL(trap_run(TRAP_SIGNAL, touch_first, clear_guard, &ground, &completed), 0);
    CHECK(completed);
    give_back(&ground);
}

int main(void)
{
    a_thread_that_blocks_the_signal();
    check_killed(a_handler_that_faults);
    check_well(a_stack_of_uncommitted_memory);
    check_killed(the_same_without_a_signal_stack);
    forks_while_others_fault();
    check_well(a_thread_that_ends_in_a_trap);
    check_killed(a_foreign_fault_after_that);
    check_well(a_signal_that_was_sent);
    check_killed(a_signal_that_was_sent_to_nobody);
    a_guard_that_looks_unmapped();
    return check_result();
}
