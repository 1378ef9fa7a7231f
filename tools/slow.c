/* Preloaded, makes one call of the C library slower by so many ns, VMCOMMIT_SLOW=mprotect:1400, or
 * lets each mprotect take one page fault more, VMCOMMIT_FAULT=1. For measuring what
 * `vmcommit compare` finds. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static long long delay_of(const char *call)
{
    const char *slow = getenv("VMCOMMIT_SLOW");
    size_t length = strlen(call);
    return slow != NULL && strncmp(slow, call, length) == 0 && slow[length] == ':'
               ? strtoll(slow + length + 1, NULL, 10)
               : 0;
}

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void wait_ns(long long ns)
{
    for (long long start = now_ns(); now_ns() - start < ns;)
        ;
}

static int (*real_mprotect)(void *, size_t, int);
static int (*real_munmap)(void *, size_t);
static long long mprotect_ns, munmap_ns;
static bool one_more_fault;

__attribute__((constructor)) static void find_real(void)
{
    void *symbol = dlsym(RTLD_NEXT, "mprotect");
    memcpy(&real_mprotect, &symbol, sizeof symbol);
    symbol = dlsym(RTLD_NEXT, "munmap");
    memcpy(&real_munmap, &symbol, sizeof symbol);
    mprotect_ns = delay_of("mprotect");
    munmap_ns = delay_of("munmap");
    one_more_fault = getenv("VMCOMMIT_FAULT") != NULL;
}

static void take_fault(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    *(volatile char *)page = 1;
    real_munmap(page, 4096);
}

int mprotect(void *address, size_t size, int protection)
{
    if (mprotect_ns > 0)
        wait_ns(mprotect_ns);
    if (one_more_fault)
        take_fault();
    return real_mprotect(address, size, protection);
}

int munmap(void *address, size_t size)
{
    if (munmap_ns > 0)
        wait_ns(munmap_ns);
    return real_munmap(address, size);
}
