/* Preloaded, makes one kind of call slower, for measuring what `vmcommit compare` finds:
 * VMCOMMIT_SLOW=CALL:NS or CALL:NS:EVERY, where CALL is mmap, mprotect, munmap, or handler for each
 * handled fault; with EVERY only each so many-th call. VMCOMMIT_FAULT=1 lets each mprotect take one
 * page fault more. */
#define _GNU_SOURCE
#include "spin.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct slowness {
    const char *call;
    bool asked;
    unsigned long spins, every, count;
};
enum { MMAP, MPROTECT, MUNMAP, HANDLER, CALLS };
static struct slowness slow[CALLS] = {
    {.call = "mmap", .every = 1},
    {.call = "mprotect", .every = 1},
    {.call = "munmap", .every = 1},
    {.call = "handler", .every = 1},
};

static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static int (*real_mprotect)(void *, size_t, int);
static int (*real_munmap)(void *, size_t);
static int (*real_sigaction)(int, const struct sigaction *, struct sigaction *);
static void (*real_handler)(int, siginfo_t *, void *);
static bool one_more_fault;

static void be_slow(int call)
{
    if (slow[call].asked && ++slow[call].count % slow[call].every == 0)
        spin(slow[call].spins);
}

static void read_slowness(const char *text)
{
    for (int call = 0; call < CALLS; call++) {
        size_t length = strlen(slow[call].call);
        if (strncmp(text, slow[call].call, length) != 0 || text[length] != ':')
            continue;
        char *rest;
        slow[call].spins = (unsigned long)(strtod(text + length + 1, &rest) / spin_ns() + 0.5);
        slow[call].asked = true;
        if (*rest == ':')
            slow[call].every = strtoul(rest + 1, NULL, 10);
        if (slow[call].every == 0) {
            fprintf(stderr, "slow: '%s' is not CALL:NS:EVERY, from every 1st call on\n", text);
            _exit(2);
        }
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
    if (slow[HANDLER].asked && signal == SIGSEGV && action != NULL &&
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
