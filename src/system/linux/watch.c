/* A process by its pidfd (Linux 5.3), signals to us by a signalfd, counts from /proc. */
#define _GNU_SOURCE
#include "system/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/linux/ending.h"
#include "system/linux/files.h"
#include "system/linux/proc.h"

/* Signals that ask this process to end come through a descriptor from now on; one that is ignored
 * stays so. *before is what a child is to have. */
static int heed_signals(struct watch *watch, sigset_t *before)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (!watch->started)
        sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, before);
    watch->asked = signalfd(-1, &set, SFD_CLOEXEC);
    return watch->asked < 0 ? errno : 0;
}

static int open_process(uint64_t process, struct watch *watch)
{
    if (process > INT32_MAX)
        return ESRCH;
    watch->process = process;
    watch->handle = syscall(SYS_pidfd_open, (pid_t)process, 0);
    return watch->handle < 0 ? errno : 0;
}

int watch_attach(uint64_t process, struct watch *watch)
{
    sigset_t before;
    *watch = (struct watch){.started = false};
    int error = open_process(process, watch);
    files_raise_limit();
    return error != 0 ? error : heed_signals(watch, &before);
}

int watch_beside(uint64_t process, struct watch *watch)
{
    *watch = (struct watch){.asked = -1};
    return open_process(process, watch);
}

void watch_close(struct watch *watch)
{
    if (watch->handle >= 0)
        close((int)watch->handle);
    watch->handle = -1;
}

/* CONFIG_PROC_CHILDREN (Documentation/filesystems/proc.rst). */
bool watch_knows_children(void)
{
    return access("/proc/thread-self/children", R_OK) == 0;
}

static void children_of(uint64_t process, const char *thread,
                        void (*each)(uint64_t child, void *context), void *context)
{
    char path[320];
    uint64_t child;
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/task/%s/children", process, thread);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    while (fscanf(file, "%" SCNu64, &child) == 1)
        each(child, context);
    fclose(file);
}

void watch_children(uint64_t process, void (*each)(uint64_t child, void *context), void *context)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/task", process);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return;
    for (const struct dirent *thread; (thread = readdir(threads)) != NULL;)
        if (thread->d_name[0] != '.')
            children_of(process, thread->d_name, each, context);
    closedir(threads);
}

/* Becomes the program, or hands back why not through a pipe that closes where execve succeeds. */
_Noreturn static void become(char **words, int failed)
{
    execvp(words[0], words);
    int error = errno;
    if (write(failed, &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

/* Waits until the child is the program. */
static int become_program(pid_t child, int failed)
{
    int error = 0;
    if (read(failed, &error, sizeof error) <= 0)
        return 0;
    waitpid(child, NULL, 0);
    return error;
}

int watch_start(char **words, struct watch *watch)
{
    int failed[2];
    sigset_t before;
    *watch = (struct watch){.started = true};
    int error = heed_signals(watch, &before);
    if (error != 0 || pipe2(failed, O_CLOEXEC) != 0)
        return error != 0 ? error : errno;
    pid_t child = fork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        become(words, failed[1]);
    }
    error = child < 0 ? errno : 0;
    close(failed[1]);
    if (error == 0)
        error = become_program(child, failed[0]);
    close(failed[0]);
    if (error == 0)
        error = open_process((uint64_t)child, watch);
    files_raise_limit(); /* one is held for each process that is watched */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    return error;
}

bool watch_no_program(int error)
{
    return error == ENOENT;
}

static uint64_t now_ms(void)
{
    return meter_clock_ns() / 1000000;
}

static bool pass_on(struct watch *watch)
{
    struct signalfd_siginfo asked;
    if (read((int)watch->asked, &asked, sizeof asked) != sizeof asked || !watch->started ||
        watch->handle < 0)
        return false;
    kill((pid_t)watch->process, (int)asked.ssi_signo);
    return true;
}

static enum watch_event reap(struct watch *watch)
{
    if (watch->started)
        waitpid((pid_t)watch->process, &watch->status, 0);
    watch_close(watch);
    return WATCH_ENDED;
}

enum watch_event watch_wait(struct watch *watch, uint64_t ms)
{
    uint64_t start = now_ms();
    for (uint64_t passed = 0;; passed = now_ms() - start) {
        struct pollfd files[] = {{(int)watch->handle, POLLIN, 0}, {(int)watch->asked, POLLIN, 0}};
        int ready = poll(files, 2, passed < ms ? (int)(ms - passed) : 0);
        if (ready == 0)
            return WATCH_LATER;
        if (ready > 0 && files[0].revents != 0)
            return reap(watch);
        if (ready > 0 && files[1].revents != 0 && !pass_on(watch))
            return WATCH_ASKED;
    }
}

static void stat_line(char *line, void *context)
{
    enum { MINOR = 10, MAJOR = 12 };
    struct watch_counts *counts = context;
    uint64_t fields[MAJOR + 1];
    if (proc_stat_fields(line, fields, MAJOR + 1) == 0)
        return;
    counts->minor_faults = (struct meter_count){fields[MINOR], true};
    counts->major_faults = (struct meter_count){fields[MAJOR], true};
}

static void status_line(char *line, void *context)
{
    struct watch_counts *counts = context;
    uint64_t kib;
    if (proc_field(line, "VmHWM:", &kib))
        counts->most_resident_bytes = (struct meter_count){kib * 1024, true};
}

void watch_count(const struct watch *watch, struct watch_counts *counts)
{
    char path[64];
    *counts = (struct watch_counts){0};
    counts->cpu_ns.known = proc_cpu_ns((int)watch->process, &counts->cpu_ns.value);
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", watch->process);
    proc_for_each_line("", path, stat_line, counts);
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/status", watch->process);
    proc_for_each_line("", path, status_line, counts);
}

void watch_path(const struct watch *watch, char *path, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/%" PRIu64 "/exe", watch->process);
    ssize_t length = readlink(link, path, size - 1);
    path[length > 0 ? length : 0] = '\0';
}

int watch_end(const struct watch *watch)
{
    return ending_as(watch->status);
}
