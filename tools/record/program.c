#define _GNU_SOURCE
#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "calls.h"

static bool is_program(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISREG(file.st_mode) && access(path, X_OK) == 0;
}

bool program_find(const char *name, char *path, size_t size)
{
    const char *folders = getenv("PATH");
    if (strchr(name, '/') != NULL || *name == '\0') {
        snprintf(path, size, "%s", name);
        return *name != '\0' && access(name, F_OK) == 0;
    }
    for (const char *at = folders != NULL ? folders : "/usr/bin:/bin"; at != NULL;) {
        size_t length = strcspn(at, ":");
        snprintf(path, size, "%.*s%s%s", (int)length, at, length == 0 ? "" : "/", name);
        if (is_program(path))
            return true;
        at = at[length] == ':' ? at + length + 1 : NULL;
    }
    return false;
}

/* Whether the kernel would start it with rights that it doesn't get while it is recorded. */
static bool is_privileged(const char *path)
{
    struct stat file;
    if (stat(path, &file) != 0 || geteuid() == 0)
        return false;
    return ((file.st_mode & S_ISUID) != 0 && file.st_uid != geteuid()) ||
           ((file.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
            file.st_gid != getegid()) ||
           getxattr(path, "security.capability", NULL, 0) > 0;
}

const char *program_unfit(const char *path)
{
    unsigned char head[EI_NIDENT] = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL; /* execve says why */
    ssize_t length = read(file, head, sizeof head);
    close(file);
    if (length == sizeof head && memcmp(head, ELFMAG, SELFMAG) == 0 &&
        head[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
        return "is a 32-bit program, whose calls can't be recorded";
    if (is_privileged(path))
        return "would run without the rights of its owner (setuid) while it is recorded";
    return NULL;
}

/* Stops at each of our calls made by the native architecture; all others pass. */
static size_t write_filter(struct sock_filter *filter, uint32_t architecture)
{
    size_t at = 0;
    filter[at++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[at++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < call_count; i++)
        filter[at++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].number, (uint8_t)(call_count - i + 3), 0);
    filter[at++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)SYS_prctl, 0, 2);
    filter[at++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
    filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 1, 0);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | PROGRAM_MARK);
    return at;
}

/* Without rights to it, a filter needs the promise that no program gains any (seccomp(2)). */
static int set_filter(uint32_t architecture)
{
    struct sock_filter filter[64];
    struct sock_fprog program = {(unsigned short)write_filter(filter, architecture), filter};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
        return 0;
    if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return errno;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
}

static _Noreturn void fail(int pipe, const char *what, int error)
{
    struct program_failure failure = {.error = error};
    snprintf(failure.what, sizeof failure.what, "%s", what);
    _exit(write(pipe, &failure, sizeof failure) == sizeof failure ? 127 : 126);
}

static _Noreturn void become(int go, int failed, const char *path, char **words)
{
    uint32_t architecture;
    if (read(go, &architecture, sizeof architecture) != sizeof architecture)
        _exit(127); /* record is gone */
    int error = set_filter(architecture);
    if (error != 0)
        fail(failed, "filter", error);
    for (int i = 0; i < PROGRAM_NULL_CALLS; i++)
        syscall(SYS_munmap, (uintptr_t)-1, 0);
    execv(path, words);
    fail(failed, "execve", errno);
}

static bool refused(struct program_failure *failure, const char *what)
{
    failure->error = errno;
    snprintf(failure->what, sizeof failure->what, "%s", what);
    return false;
}

bool program_start(struct program *program, const char *path, char **words,
                   struct program_failure *failure)
{
    int go[2], failed[2];
    if (pipe2(go, O_CLOEXEC) != 0 || pipe2(failed, O_CLOEXEC) != 0)
        return refused(failure, "pipe");
    program->pid = fork();
    if (program->pid < 0)
        return refused(failure, "fork");
    if (program->pid == 0) {
        close(go[1]);
        become(go[0], failed[1], path, words);
    }
    close(go[0]);
    close(failed[1]);
    program->go = go[1];
    program->failed = failed[0];
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXEC |
                   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, program->pid, NULL, (void *)options) == 0)
        return true;
    refused(failure, "ptrace");
    close(program->go);
    waitpid(program->pid, NULL, 0);
    return false;
}

/* The kernel says which architecture a stopped task has, so that no list of them is needed. */
static bool ask_architecture(pid_t pid, uint32_t *architecture)
{
    struct __ptrace_syscall_info info;
    int status;
    if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0 || waitpid(pid, &status, __WALL) != pid ||
        ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) <= 0)
        return false;
    *architecture = info.arch;
    return ptrace(PTRACE_CONT, pid, NULL, NULL) == 0;
}

bool program_go(struct program *program, struct program_failure *failure)
{
    uint32_t architecture;
    bool done = ask_architecture(program->pid, &architecture) &&
                write(program->go, &architecture, sizeof architecture) == sizeof architecture;
    if (!done)
        refused(failure, "ptrace");
    close(program->go);
    return done;
}

bool program_failed(struct program *program, struct program_failure *failure)
{
    bool failed = read(program->failed, failure, sizeof *failure) == sizeof *failure;
    close(program->failed);
    return failed;
}
