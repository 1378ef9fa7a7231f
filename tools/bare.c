/* The bare loops that a harness is held against: mmap, touch, munmap, and the same with a SIGSEGV
 * handler that calls mprotect. Shares no code with the suite, on purpose.
 *
 * usage: bare upfront|fault BYTES; prints ns per cycle. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void commit_page(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    char *address = info->si_addr;
    char *page = address - ((uintptr_t)address & (PAGE - 1));
    if (mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0)
        return;
    static const char message[] = "bare: mprotect was refused\n";
    _exit(write(STDERR_FILENO, message, sizeof message - 1) < 0 ? 3 : 1);
}

static void cycle(size_t size, int protection)
{
    char *base = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        perror("bare: mmap");
        exit(1);
    }
    for (size_t i = 0; i < size; i += PAGE)
        *(volatile char *)(base + i) = 1;
    munmap(base, size);
}

/* Touched beforehand in huge pages, as the suite does: see vm_warm in src/vm.h. */
static void warm(size_t size)
{
    char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(base, size, MADV_HUGEPAGE);
    for (size_t i = 0; i < size; i += PAGE)
        *(volatile char *)(base + i) = 1;
    munmap(base, size);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bare upfront|fault BYTES\n");
        return 2;
    }
    int protection = strcmp(argv[1], "fault") == 0 ? PROT_NONE : PROT_READ | PROT_WRITE;
    size_t size = (size_t)strtoull(argv[2], NULL, 10);
    struct sigaction action = {.sa_sigaction = commit_page, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    warm(size);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);

    double taken = 0;
    unsigned long count = 0;
    for (unsigned long n = 1; taken < 4e-3; n *= 2) {
        double start = seconds();
        for (unsigned long i = 0; i < n; i++)
            cycle(size, protection);
        taken = seconds() - start;
        count = n;
    }
    printf("%.1f\n", taken / (double)count * 1e9);
    return 0;
}
