#define _GNU_SOURCE
#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "memory.h"
#include "program.h"
#include "stacks.h"
#include "system/meter.h"
#include "tasks.h"

#define TICK_US 20000
#define ORPHAN_TICKS 100
#define FORK_TICKS 250 /* that others wait for a call which copies the space */
#define MOST_STOPS 256
#define MOST_UNASKED 63
#define SHARE 100 /* of the time: a look at a space takes at most one part of so many */

struct tracer {
    struct log *log;
    const struct tracer_options *options;
    struct tracer_result *result;
    struct tasks tasks;
    struct stacks stacks;
    pid_t program;
    unsigned unasked, ask_after; /* stops since, and after how many it is asked who else stands */
    bool started;                /* it has become the program */
    uint64_t null_ns[PROGRAM_NULL_CALLS]; /* what null calls took */
    int null_count;
    bool told_trace, told_filter, told_architecture, told_unread, told_untraced, told_full;
};

static volatile sig_atomic_t ticked, ending;
static volatile sig_atomic_t gone; /* the program; others that it started may not be */

void tracer_say(const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(stderr, "record: %s\n", line);
}

/* Says it the first time. */
#define SAY_ONCE(told, ...)                                                                        \
    do {                                                                                           \
        if (!(told))                                                                               \
            tracer_say(__VA_ARGS__);                                                               \
        (told) = true;                                                                             \
    } while (0)

static void name_of(pid_t tid, char *name, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)tid);
    ssize_t length = readlink(path, name, size - 1);
    name[length < 0 ? 0 : length] = '\0';
    for (char *at = name; (at = strchr(at, '\n')) != NULL;)
        *at = '?';
}

static void resume(const struct task *task, enum __ptrace_request request, int signal)
{
    ptrace(request, task->tid, NULL, (void *)(intptr_t)signal);
}

/* The CPU time of a task that is stopped (Documentation/scheduler/sched-stats.rst), and no longer
 * on its way to that: any request of ptrace(2) waits until it is. Where no more files may be open,
 * those of all others are closed. */
static uint64_t cpu_of(struct tracer *tracer, struct task *task)
{
    char text[64];
    if (task->schedstat < 0) {
        snprintf(text, sizeof text, "/proc/%d/schedstat", (int)task->tid);
        task->schedstat = open(text, O_RDONLY | O_CLOEXEC);
        if (task->schedstat < 0 && tasks_close(&tracer->tasks, task))
            task->schedstat = open(text, O_RDONLY | O_CLOEXEC);
    }
    ssize_t length = pread(task->schedstat, text, sizeof text - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    return strtoull(text, NULL, 10);
}

/* Looks at address spaces. */

struct listing {
    struct log *log;
    struct space *space;
    struct memory_mapping run; /* of mappings with the same flags, not yet written */
    uint64_t written;          /* the end of what is */
    uint64_t resident;
};

static void write_run(struct listing *listing)
{
    const struct memory_mapping *run = &listing->run;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (run->start == run->end)
        return;
    log_add(listing->log, " %" PRIx64 "+%" PRIx64 ":%s", (run->start - listing->written) / page,
            (run->end - run->start) / page, run->flags);
    listing->written = run->end;
}

static void list_run(const struct memory_mapping *mapping, void *context)
{
    struct listing *listing = context;
    if (mapping->start == listing->run.end && strcmp(mapping->flags, listing->run.flags) == 0) {
        listing->run.end = mapping->end;
        return;
    }
    write_run(listing);
    listing->run = *mapping;
}

static void list_mapping(const struct memory_mapping *mapping, void *context)
{
    struct listing *listing = context;
    log_add(listing->log, "m %u %" PRIx64 "-%" PRIx64 " %s %s", listing->space->number,
            mapping->start, mapping->end, *mapping->flags != '\0' ? mapping->flags : "-",
            mapping->name);
    log_end(listing->log);
    if (strchr(mapping->flags, 'x') != NULL)
        runs_append(&listing->space->code, mapping->start, mapping->end);
    if (strcmp(mapping->name, "[stack]") == 0)
        listing->space->stack = (struct run){mapping->start, mapping->end};
}

static void log_counts(struct log *log, const struct memory_counts *counts)
{
    log_add(log, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, counts->cpu_ns,
            counts->minor_faults, counts->major_faults, counts->resident_bytes);
}

/* A record with the whole of what is mapped, to hold a replay against. */
static void check(struct tracer *tracer, struct space *space, pid_t tid, const char *why)
{
    struct listing listing = {.log = tracer->log, .space = space};
    struct memory_counts counts;
    memory_count(space->pid, tid, &counts);
    log_add(tracer->log, "C");
    log_add_time(tracer->log);
    log_add(tracer->log, " %u %s", space->number, why);
    log_counts(tracer->log, &counts);
    size_t empty = tracer->log->length;
    int error = memory_list(&space->memory, list_run, &listing);
    write_run(&listing);
    if (error == 0 && tracer->log->length > empty)
        log_end(tracer->log);
    tracer->log->length = 0;
}

static void scan(struct tracer *tracer, struct space *space, pid_t tid)
{
    struct memory_counts counts;
    call_update_touched(tracer->log, space, 0, memory_end);
    memory_count(space->pid, tid, &counts);
    log_add(tracer->log, "s");
    log_add_time(tracer->log);
    log_add(tracer->log, " %u", space->number);
    log_counts(tracer->log, &counts);
    log_end(tracer->log);
}

/* The next look: an interval from now, and no sooner than that what they take is a small share. */
static uint64_t after(const struct tracer *tracer, uint64_t since, uint64_t intervals)
{
    uint64_t now = meter_clock_ns(), pause = (now - since) * SHARE;
    uint64_t interval = tracer->options->interval_ns * intervals;
    return now + (pause > interval ? pause : interval);
}

static void look(struct tracer *tracer, struct space *space)
{
    struct task *task = tasks_in(&tracer->tasks, space);
    uint64_t now = meter_clock_ns();
    if (task == NULL || tracer->log->error != 0)
        return;
    if (tracer->options->scan && now >= space->scan_at_ns) {
        scan(tracer, space, task->tid);
        space->scan_at_ns = after(tracer, now, 1);
    }
    now = meter_clock_ns();
    if (now >= space->check_at_ns) {
        check(tracer, space, task->tid, "interval");
        space->check_at_ns = after(tracer, now, 5);
    }
}

/* Calls, one at a time in each space. */

static void enter(struct tracer *tracer, struct task *task, uint64_t stack_pointer)
{
    task->space->running = task;
    task->space->running_since_ns = meter_clock_ns();
    if (tracer->options->stacks && call_grows(task))
        stacks_log(&tracer->stacks, tracer->log, task);
    call_enter(tracer->log, task, stack_pointer, tracer->options->scan);
    task->cpu_ns = cpu_of(tracer, task);
    resume(task, PTRACE_SYSCALL, 0);
}

static bool ask(const struct task *task, struct __ptrace_syscall_info *info)
{
    return ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, (void *)sizeof *info, info) > 0;
}

/* Lets in who waits longest, after a look if one is due. */
static void let_next_in(struct tracer *tracer, struct space *space)
{
    struct __ptrace_syscall_info info;
    struct task *task = space->waiting;
    space->running = NULL;
    if (space->past == 0 && meter_clock_ns() >= space->scan_at_ns)
        look(tracer, space);
    if (task == NULL)
        return;
    space_wait_no_more(space, task);
    enter(tracer, task, ask(task, &info) ? info.stack_pointer : UINT64_MAX);
}

/* What a recording gets in the way of. */
static void tell_of(struct tracer *tracer, const struct task *task, bool traces)
{
    char path[4096];
    name_of(task->tid, path, sizeof path);
    if (traces && (task->arguments[0] == PTRACE_TRACEME || task->arguments[0] == PTRACE_ATTACH ||
                   task->arguments[0] == PTRACE_SEIZE))
        SAY_ONCE(tracer->told_trace,
                 "%s asks to trace a process, which is refused while it is recorded",
                 output_name(path));
    bool asks = task->call != NULL && task->arguments[0] > SECCOMP_SET_MODE_FILTER;
    if (!traces && !asks)
        SAY_ONCE(tracer->told_filter,
                 "%s sets a filter of its own: calls that this answers are not recorded",
                 output_name(path));
}

/* A child of which the call asks that no tracer follows it would have the filter, and nobody who
 * answers it: all its memory calls would fail. */
static void have_followed(struct tracer *tracer, const struct task *task)
{
    char path[4096];
    if (call_set_clone_flags(task, task->clone_flags & ~(uint64_t)CLONE_UNTRACED))
        return;
    name_of(task->tid, path, sizeof path);
    SAY_ONCE(tracer->told_untraced,
             "%s starts a process that no tracer may follow: its memory calls will fail",
             output_name(path));
}

static void on_call(struct tracer *tracer, struct task *task)
{
    struct __ptrace_syscall_info info;
    if (!ask(task, &info) || info.op != PTRACE_SYSCALL_INFO_SECCOMP ||
        info.seccomp.ret_data != PROGRAM_MARK) {
        resume(task, PTRACE_CONT, 0);
        return;
    }
    task->call = calls_find(info.seccomp.nr);
    memcpy(task->arguments, info.seccomp.args, sizeof task->arguments);
    task->clone_flags = 0;
    if (task->space == NULL && !tracer->started) {
        task->cpu_ns = cpu_of(tracer, task);
        resume(task, PTRACE_SYSCALL, 0);
        return;
    }
    if (task->call == NULL || task->call->kind >= CALL_TRACE)
        tell_of(tracer, task, task->call != NULL && task->call->kind == CALL_TRACE);
    else if (call_makes_task(task->call))
        task->clone_flags = call_clone_flags(task);
    if ((task->clone_flags & CLONE_UNTRACED) != 0)
        have_followed(tracer, task);
    if (task->call == NULL || task->call->kind >= CALL_TRACE || task->space == NULL ||
        !task->space->recorded || tracer->log->error != 0)
        resume(task, PTRACE_CONT, 0);
    else if (task->space->running != NULL)
        space_wait(task->space, task);
    else
        enter(tracer, task, info.stack_pointer);
}

/* A task is in no call any more. */
static void leave_call(struct task *task)
{
    if ((task->clone_flags & CLONE_UNTRACED) != 0)
        call_set_clone_flags(task, task->clone_flags);
    task->clone_flags = 0;
    task->call = NULL;
    if (task->past && task->space != NULL)
        task->space->past--;
    task->past = false;
}

static void after_call(struct tracer *tracer, struct task *task)
{
    struct space *space = task->space;
    uint64_t every = tracer->options->check_calls;
    tracer->result->calls++;
    space->calls++;
    if (every != 0 && space->calls % every == 0 && space->running == task && space->past == 0)
        check(tracer, space, task->tid, "call");
}

static void on_call_end(struct tracer *tracer, struct task *task)
{
    struct __ptrace_syscall_info info;
    struct space *space = task->space;
    bool known = ask(task, &info) && info.op == PTRACE_SYSCALL_INFO_EXIT;
    uint64_t now_ns = cpu_of(tracer, task);
    uint64_t taken = now_ns > task->cpu_ns ? now_ns - task->cpu_ns : 0;
    if (space == NULL) {
        if (tracer->null_count < PROGRAM_NULL_CALLS)
            tracer->null_ns[tracer->null_count++] = taken;
    } else if (known && task->call != NULL && !call_makes_task(task->call)) {
        call_leave(tracer->log, task, info.exit.rval, taken, tracer->options->scan);
        if (tracer->options->stacks && !info.exit.is_error)
            stacks_follow(task, (uint64_t)info.exit.rval);
        after_call(tracer, task);
    }
    leave_call(task);
    resume(task, PTRACE_CONT, 0);
    if (space != NULL && space->running == task)
        let_next_in(tracer, space);
}

/* A call that others wait for may itself wait, for a fault that one of them must answer
 * (userfaultfd (2)): after a while they are let in beside it. Its removals count from its start. */
static void let_past_the_slow(struct tracer *tracer, struct space *space)
{
    struct task *slow = space->running;
    if (slow == NULL || space->waiting == NULL)
        return;
    uint64_t ticks = call_makes_task(slow->call) ? FORK_TICKS : 1;
    if (meter_clock_ns() - space->running_since_ns < ticks * TICK_US * 1000)
        return;
    log_add(tracer->log, "b");
    log_add_time(tracer->log);
    log_add(tracer->log, " %u %d %s", space->number, (int)slow->tid, slow->call->name);
    for (int i = 0; i < slow->call->arguments; i++)
        log_add(tracer->log, " %" PRIx64, slow->arguments[i]);
    log_end(tracer->log);
    slow->past = true;
    space->past++;
    let_next_in(tracer, space);
}

/* A parent that was killed says nothing of its child, which runs on, unrecorded. */
static void let_orphan_run(struct task *task)
{
    if (++task->early < ORPHAN_TICKS)
        return;
    task->early = 0;
    resume(task, PTRACE_CONT, 0);
}

static void on_tick(struct tracer *tracer)
{
    ticked = 0;
    tasks_early(&tracer->tasks, let_orphan_run);
    for (struct space *space = tracer->tasks.spaces; space != NULL; space = space->next) {
        if (!space->recorded)
            continue;
        let_past_the_slow(tracer, space);
        if (space->running == NULL && space->past == 0)
            look(tracer, space);
    }
}

/* Processes and threads. */

/* What is read of a space. Where no more files may be open, those of tasks are closed. */
static bool open_memory(struct tracer *tracer, pid_t tid, struct memory *memory)
{
    char path[4096];
    int error = memory_open(memory, tid);
    if (error != 0 && tasks_close(&tracer->tasks, NULL))
        error = memory_open(memory, tid);
    if (error == 0)
        return true;
    name_of(tid, path, sizeof path);
    SAY_ONCE(tracer->told_unread,
             "%s (process %d) is not recorded, nor are others that can't be read: %s",
             output_name(path), (int)tid, strerror(error));
    return false;
}

static struct space *add_space(struct tracer *tracer, struct task *task, bool recorded)
{
    struct memory memory = memory_none;
    bool opened = recorded && open_memory(tracer, task->tid, &memory);
    struct space *space = space_add(&tracer->tasks, task, opened);
    if (space == NULL) {
        memory_close(&memory);
        tracer->log->error = ENOMEM;
        return NULL;
    }
    space->memory = memory;
    space->scan_at_ns = meter_clock_ns() + tracer->options->interval_ns;
    space->check_at_ns = meter_clock_ns() + tracer->options->interval_ns;
    return space;
}

/* A program begins in an address space of its own. */
static void begin_space(struct tracer *tracer, struct task *task)
{
    char path[4096];
    struct memory_counts counts;
    name_of(task->tid, path, sizeof path);
    const char *only = tracer->options->only;
    const char *unfit = program_unfit(path);
    bool recorded =
        (only == NULL || strcmp(only, output_name(path)) == 0) && tracer->log->error == 0;
    if (unfit != NULL)
        SAY_ONCE(tracer->told_architecture, "%s %s: not recorded", path, unfit);
    struct space *space = add_space(tracer, task, recorded && unfit == NULL);
    if (space == NULL || !space->recorded)
        return;
    struct listing listing = {.log = tracer->log, .space = space};
    memory_count(task->pid, task->tid, &counts);
    space->brk = counts.heap;
    log_add(tracer->log, "E");
    log_add_time(tracer->log);
    log_add(tracer->log, " %u %d %" PRIx64 " %s", space->number, (int)task->pid, counts.heap, path);
    log_end(tracer->log);
    memory_list(&space->memory, list_mapping, &listing);
}

static void forget(struct task *task, void *context)
{
    struct tracer *tracer = context;
    tasks_remove(&tracer->tasks, task);
}

/* The thread that calls it takes the first thread's number; all others are gone (ptrace(2)). */
static void on_exec(struct tracer *tracer, struct task *task)
{
    unsigned long former;
    if (ptrace(PTRACE_GETEVENTMSG, task->tid, NULL, &former) == 0 && (pid_t)former != task->tid) {
        struct task *thread = tasks_find(&tracer->tasks, (pid_t)former);
        if (thread != NULL)
            tasks_remove(&tracer->tasks, thread);
        if (task->schedstat >= 0)
            close(task->schedstat);
        task->schedstat = -1;
    }
    tasks_of(&tracer->tasks, task->pid, task->tid, forget, tracer);
    struct space *left = task->space;
    if (left != NULL) {
        if (left->recorded) {
            log_add(tracer->log, "x");
            log_add_time(tracer->log);
            log_add(tracer->log, " %u %d exec", left->number, (int)task->pid);
            log_end(tracer->log);
        }
        bool last = left->users == 1, ran = left->running == task;
        space_leave(&tracer->tasks, task);
        if (!last && ran)
            let_next_in(tracer, left);
    }
    tracer->started = true;
    task->call = NULL;
    task->exiting = false;
    begin_space(tracer, task);
    resume(task, PTRACE_CONT, 0);
}

static void copy_space(struct tracer *tracer, struct task *child, const struct task *parent)
{
    const struct space *from = parent->space;
    struct space *space = add_space(tracer, child, from->recorded && tracer->log->error == 0);
    if (space == NULL || !space->recorded)
        return;
    runs_copy(&space->touched, &from->touched);
    runs_copy(&space->code, &from->code);
    runs_copy(&space->described, &from->described);
    space->brk = from->brk;
    space->stack = from->stack;
    log_add(tracer->log, "F");
    log_add_time(tracer->log);
    log_add(tracer->log, " %u %d %u", space->number, (int)child->pid, from->number);
    log_end(tracer->log);
}

static void share_space(struct tracer *tracer, struct task *child, const struct task *parent)
{
    child->space = parent->space;
    child->space->users++;
    if (!child->space->recorded)
        return;
    log_add(tracer->log, "T");
    log_add_time(tracer->log);
    log_add(tracer->log, " %u %d %d", child->space->number, (int)child->pid, (int)child->tid);
    log_end(tracer->log);
}

/* A task has made another. Which of the two stops first is not said. */
static void on_child(struct tracer *tracer, struct task *parent)
{
    unsigned long number;
    struct space *space = parent->space;
    if (ptrace(PTRACE_GETEVENTMSG, parent->tid, NULL, &number) == 0 && space != NULL) {
        bool thread = (parent->clone_flags & CLONE_THREAD) != 0;
        struct task *child = tasks_find(&tracer->tasks, (pid_t)number);
        bool early = child != NULL;
        if (child == NULL)
            child = tasks_add(&tracer->tasks, (pid_t)number, (pid_t)number);
        if (child == NULL) {
            tracer->log->error = ENOMEM;
        } else {
            child->pid = thread ? parent->pid : child->tid;
            if ((parent->clone_flags & CLONE_VM) != 0)
                share_space(tracer, child, parent);
            else
                copy_space(tracer, child, parent);
            child->early = 0;
            if (early)
                resume(child, PTRACE_CONT, 0);
        }
    }
    leave_call(parent);
    resume(parent, PTRACE_CONT, 0);
    if (space != NULL && space->running == parent)
        let_next_in(tracer, space);
}

/* A task begins to end; its memory is still there, and a last look is had with the last of them. */
static void on_exit_begin(struct tracer *tracer, struct task *task)
{
    struct space *space = task->space;
    task->exiting = true;
    if (space != NULL && space->recorded) {
        space_wait_no_more(space, task);
        if (task->call != NULL && (space->running == task || task->past)) {
            const char *name = task->call->name;
            leave_call(task);
            log_add(tracer->log, "k %u %d %s", space->number, (int)task->tid, name);
            log_end(tracer->log);
        }
        if (tasks_in(&tracer->tasks, space) == NULL && tracer->log->error == 0) {
            if (tracer->options->scan)
                scan(tracer, space, task->tid);
            check(tracer, space, task->tid, "exit");
        }
        if (space->running == task)
            let_next_in(tracer, space);
    }
    resume(task, PTRACE_CONT, 0);
}

static void on_gone(struct tracer *tracer, struct task *task, int status)
{
    struct space *space = task->space;
    if (task->tid == tracer->program) {
        gone = 1;
        tracer->result->status = status;
        tracer->result->never_ran = !tracer->started;
    }
    if (space != NULL && space->recorded && task->tid == task->pid) {
        log_add(tracer->log, "X");
        log_add_time(tracer->log);
        log_add(tracer->log, " %u %d %d", space->number, (int)task->pid, status);
        log_end(tracer->log);
    }
    bool last = space == NULL || space->users == 1, ran = space != NULL && space->running == task;
    tasks_remove(&tracer->tasks, task);
    if (!last && ran)
        let_next_in(tracer, space);
}

/* A signal that stops whole processes keeps them stopped; another is the program's. */
static void on_signal_or_stop(const struct task *task, int event, int signal)
{
    bool stops = signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
    if (event == PTRACE_EVENT_STOP)
        resume(task, stops ? PTRACE_LISTEN : PTRACE_CONT, 0);
    else
        resume(task, PTRACE_CONT, event == 0 ? signal : 0);
}

static void on_stop(struct tracer *tracer, pid_t tid, int status)
{
    struct task *task = tasks_find(&tracer->tasks, tid);
    int event = status >> 16, signal = WSTOPSIG(status);
    if (task == NULL) {
        task = tasks_add(&tracer->tasks, tid, tid);
        if (task != NULL)
            task->early = 1;
        else
            tracer->log->error = ENOMEM;
        return;
    }
    switch (event) {
    case PTRACE_EVENT_SECCOMP: on_call(tracer, task); return;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE: on_child(tracer, task); return;
    case PTRACE_EVENT_EXEC: on_exec(tracer, task); return;
    case PTRACE_EVENT_EXIT: on_exit_begin(tracer, task); return;
    default: break;
    }
    if (event == 0 && signal == (SIGTRAP | 0x80))
        on_call_end(tracer, task);
    else
        on_signal_or_stop(task, event, signal);
}

/* Signals that record itself gets. */

static void on_alarm(int signal)
{
    (void)signal;
    ticked = 1;
}

static void on_ending(int signal)
{
    ending = signal;
}

/* From a terminal, which sends it to the program as well. Once that has ended, what it started in
 * the background, which heeds no interrupt, is asked to end. */
static void on_interrupt(int signal)
{
    (void)signal;
    if (gone)
        ending = SIGTERM;
}

static void set_signals(void)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval tick = {{0, TICK_US}, {0, TICK_US}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &tick, NULL);
    action.sa_handler = on_ending;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGQUIT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL); /* a file that may not grow is an error like a full disk */
}

static void pass_on(const struct tracer *tracer, int signal)
{
    if (!gone) {
        kill(tracer->program, signal);
        return;
    }
    tracer_say("the program has ended; what it left is sent the signal as well (%s)",
               strsignal(signal));
    tasks_signal(&tracer->tasks, signal);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void tell_of_log(struct tracer *tracer)
{
    if (tracer->log->error != 0)
        SAY_ONCE(tracer->told_full, "cannot write the log: %s; it ends here, the program goes on",
                 strerror(tracer->log->error));
}

struct stop {
    pid_t tid;
    int status;
};

/* How many there are besides the first one. */
static size_t others_that_stand(struct stop *stops, size_t most)
{
    for (size_t count = 0; count < most; count++) {
        stops[count].tid = waitpid(-1, &stops[count].status, __WALL | WNOHANG);
        if (stops[count].tid <= 0)
            return count;
    }
    return most;
}

/* Stops and ends, all that there are: who is found first is always the same one, and would else
 * keep others waiting for as long as it has calls to make. Where nobody waited, it is asked more
 * rarely from then on. False where nobody is left. */
static bool wait_for_stops(struct tracer *tracer)
{
    static struct stop stops[MOST_STOPS];
    size_t count = 1;
    stops[0].tid = waitpid(-1, &stops[0].status, __WALL);
    if (stops[0].tid < 0)
        return errno == EINTR;
    if (++tracer->unasked >= tracer->ask_after) {
        count += others_that_stand(stops + 1, MOST_STOPS - 1);
        tracer->unasked = 0;
        tracer->ask_after = count > 1                          ? 1
                            : tracer->ask_after < MOST_UNASKED ? 2 * tracer->ask_after + 1
                                                               : MOST_UNASKED;
    }
    for (size_t i = 0; i < count; i++) {
        if (WIFSTOPPED(stops[i].status))
            on_stop(tracer, stops[i].tid, stops[i].status);
        else if (tasks_find(&tracer->tasks, stops[i].tid) != NULL)
            on_gone(tracer, tasks_find(&tracer->tasks, stops[i].tid), stops[i].status);
    }
    return true;
}

void tracer_follow(struct log *log, pid_t pid, const struct tracer_options *options,
                   struct tracer_result *result)
{
    static struct tracer tracer;
    tracer = (struct tracer){.log = log, .options = options, .result = result, .program = pid};
    *result = (struct tracer_result){0};
    if (tasks_add(&tracer.tasks, pid, pid) == NULL)
        log->error = ENOMEM;
    set_signals();
    while (wait_for_stops(&tracer)) {
        if (ending != 0)
            pass_on(&tracer, ending);
        ending = 0;
        if (ticked)
            on_tick(&tracer);
        tell_of_log(&tracer);
    }
    qsort(tracer.null_ns, (size_t)tracer.null_count, sizeof *tracer.null_ns, by_size);
    result->null_ns = tracer.null_ns[tracer.null_count / 2];
    result->spaces = tracer.tasks.space_count;
}
