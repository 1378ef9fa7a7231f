/* A child that is seized by ptrace(2) before it calls execve, and stops in PTRACE_EVENT_EXIT,
 * before its address space goes. All else that it stops for is passed on to it. */
#define _GNU_SOURCE
#include "system/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "system/vm.h"

const char program_gone[] = "it was killed, or another of its threads than the first ended it";

enum { GO, ERROR, PIPES };

/* Waits for a byte, which comes when it is seized; then becomes the program, or hands back why not
 * through a pipe that closes where execve succeeds. */
_Noreturn static void become(char **words, int go, int error)
{
    char byte;
    if (read(go, &byte, 1) == 1) {
        execvp(words[0], words);
        int code = errno;
        if (write(error, &code, sizeof code) < 0)
            _exit(126);
    }
    _exit(127);
}

static int open_pipes(int pipes[PIPES][2])
{
    if (pipe2(pipes[GO], O_CLOEXEC) != 0)
        return errno;
    if (pipe2(pipes[ERROR], O_CLOEXEC) == 0)
        return 0;
    int error = errno;
    close(pipes[GO][0]);
    close(pipes[GO][1]);
    return error;
}

/* Seizes the child and lets it start. The end of the exec arrives as a stop (PTRACE_EVENT_EXEC)
 * while the pipe closes, so that reading the pipe doesn't wait for us. */
static int seize(pid_t child, int pipes[PIPES][2])
{
    int error = 0;
    char byte = 0;
    if (ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC) != 0)
        return errno;
    if (write(pipes[GO][1], &byte, 1) != 1)
        return errno;
    close(pipes[ERROR][1]);
    pipes[ERROR][1] = -1;
    if (read(pipes[ERROR][0], &error, sizeof error) <= 0)
        return 0;
    return error;
}

static bool refuse(const char *word, const char *what, int error, char *why, size_t size)
{
    char system[128];
    vm_error_text(error, system, sizeof system);
    snprintf(why, size, "cannot %s '%s': %s", what, word, system);
    return false;
}

static void close_pipes(int pipes[PIPES][2])
{
    for (int i = 0; i < PIPES; i++)
        for (int end = 0; end < 2; end++)
            if (pipes[i][end] >= 0)
                close(pipes[i][end]);
}

/* SIGCHLD is blocked, so that program_wait can wait for it with a time limit; only after the child
 * has been made, which would inherit that. */
static void prepare(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
}

/* What a stop asks for: to go on with the signal, to stay stopped as the user wants (a group stop),
 * or to be looked at. */
static bool pass_on(pid_t child, int status)
{
    int signal_number = WSTOPSIG(status), event = status >> 16;
    bool stopping = signal_number == SIGSTOP || signal_number == SIGTSTP ||
                    signal_number == SIGTTIN || signal_number == SIGTTOU;
    if (event == PTRACE_EVENT_EXIT)
        return false;
    if (event == PTRACE_EVENT_STOP && stopping)
        ptrace(PTRACE_LISTEN, child, NULL, NULL);
    else
        ptrace(PTRACE_CONT, child, NULL, event == 0 ? (void *)(intptr_t)signal_number : NULL);
    return true;
}

/* Waits until execve has put the program in the child's place; it stands there. False if it has
 * gone before. */
static bool stands_at_its_start(pid_t child)
{
    int status;
    while (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status)) {
        if (status >> 16 == PTRACE_EVENT_EXEC)
            return true;
        if (!pass_on(child, status))
            ptrace(PTRACE_CONT, child, NULL, NULL);
    }
    return false;
}

bool program_start(char **words, struct program *program, char *why, size_t size)
{
    int pipes[PIPES][2];
    int error = open_pipes(pipes);
    if (error != 0)
        return refuse(words[0], "start", error, why, size);
    pid_t child = fork();
    if (child == 0) {
        close(pipes[GO][1]);
        become(words, pipes[GO][0], pipes[ERROR][1]);
    }
    prepare();
    error = child < 0 ? errno : seize(child, pipes);
    close_pipes(pipes);
    if (error == EPERM && child > 0)
        return refuse(words[0], "trace", error, why, size);
    if (error != 0)
        return refuse(words[0], "start", error, why, size);
    *program = (struct program){.process = (uint64_t)child};
    program->handle = stands_at_its_start(child);
    return true;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Returns when something about a child has changed, or false when the time is up. */
static bool wait_for_child(uint64_t ms)
{
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    return sigtimedwait(&set, NULL, &time) >= 0 || errno != EAGAIN;
}

enum program_event program_wait(struct program *program, uint64_t ms)
{
    enum { LONG_MS = 3600 * 1000 };
    pid_t child = (pid_t)program->process;
    uint64_t start = now_ms();
    if (program->handle != 0) /* it stands still */
        ptrace(PTRACE_CONT, child, NULL, NULL);
    program->handle = 0;
    for (;;) {
        int status;
        pid_t changed = waitpid(child, &status, WNOHANG | __WALL);
        if (changed < 0 || (changed == child && !WIFSTOPPED(status)))
            return PROGRAM_ENDED;
        if (changed == child && !pass_on(child, status)) {
            program->handle = 1;
            return PROGRAM_ENDING;
        }
        uint64_t passed = now_ms() - start;
        if (changed == 0 && ms > 0 && passed >= ms)
            return PROGRAM_RUNNING;
        if (changed == 0)
            wait_for_child(ms > 0 ? ms - passed : LONG_MS);
    }
}

void program_pause(uint64_t ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}
