/* Preloaded, makes one kind of call slower, for measuring what `vmcommit compare` finds:
 * VMCOMMIT_SLOW=CALL:NS or CALL:NS:EVERY, where CALL is mmap, mprotect, munmap, or handler for each
 * handled fault; with EVERY only each so many-th call. VMCOMMIT_FAULT=1 lets each mprotect take one
 * page fault more. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct slowness {
    const char *call;
    double ns;
    unsigned long every, count;
};
enum { MMAP, MPROTECT, MUNMAP, HANDLER, CALLS };
static struct slowness slow[CALLS] = {
    {"mmap", 0, 1, 0}, {"mprotect", 0, 1, 0}, {"munmap", 0, 1, 0}, {"handler", 0, 1, 0}};

static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static int (*real_mprotect)(void *, size_t, int);
static int (*real_munmap)(void *, size_t);
static int (*real_sigaction)(int, const struct sigaction *, struct sigaction *);
static void (*real_handler)(int, siginfo_t *, void *);
static bool one_more_fault;
static double clock_ns;

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Half of the readings lie beyond the end, so half a reading is taken off, and one for the first.
 */
static void wait_ns(double ns)
{
    double end = now_ns() + ns - 1.5 * clock_ns;
    while (now_ns() < end)
        ;
}

static void be_slow(int call)
{
    if (slow[call].ns > 0 && ++slow[call].count % slow[call].every == 0)
        wait_ns(slow[call].ns);
}

static void read_slowness(const char *text)
{
    for (int call = 0; call < CALLS; call++) {
        size_t length = strlen(slow[call].call);
        if (strncmp(text, slow[call].call, length) != 0 || text[length] != ':')
            continue;
        char *rest;
        slow[call].ns = strtod(text + length + 1, &rest);
        if (*rest == ':')
            slow[call].every = strtoul(rest + 1, NULL, 10);
    }
}

/* The fastest of many, since anything may interrupt one of them. */
static void find_clock(void)
{
    enum { TRIES = 100, READINGS = 200 };
    clock_ns = 1e9;
    for (int try = 0; try < TRIES; try++) {
        double start = now_ns();
        for (int i = 1; i < READINGS; i++)
            now_ns();
        double taken = (now_ns() - start) / READINGS;
        clock_ns = taken < clock_ns ? taken : clock_ns;
    }
}

static void find(const char *name, void *function)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(function, &symbol, sizeof symbol);
}

__attribute__((constructor)) static void find_real(void)
{
    find("mmap", &real_mmap);
    find("mprotect", &real_mprotect);
    find("munmap", &real_munmap);
    find("sigaction", &real_sigaction);
    find_clock();
    const char *slowness = getenv("VMCOMMIT_SLOW");
    if (slowness != NULL)
        read_slowness(slowness);
    one_more_fault = getenv("VMCOMMIT_FAULT") != NULL;
}

static void take_fault(void)
{
    void *page = real_mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    *(volatile char *)page = 1;
    real_munmap(page, 4096);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    be_slow(MMAP);
    return real_mmap(address, size, protection, flags, file, offset);
}

int mprotect(void *address, size_t size, int protection)
{
    be_slow(MPROTECT);
    if (one_more_fault)
        take_fault();
    return real_mprotect(address, size, protection);
}

int munmap(void *address, size_t size)
{
    be_slow(MUNMAP);
    return real_munmap(address, size);
}

static void handle(int signal, siginfo_t *info, void *context)
{
    be_slow(HANDLER);
    real_handler(signal, info, context);
}

/* Whoever asks for the handler is given the one that they installed. */
int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
    void (*installed)(int, siginfo_t *, void *) = real_handler;
    struct sigaction slower;
    if (slow[HANDLER].ns > 0 && signal == SIGSEGV && action != NULL &&
        action->sa_flags & SA_SIGINFO) {
        slower = *action;
        real_handler = action->sa_sigaction;
        slower.sa_sigaction = handle;
        action = &slower;
    }
    int result = real_sigaction(signal, action, old);
    if (old != NULL && old->sa_sigaction == handle)
        old->sa_sigaction = installed;
    return result;
}
