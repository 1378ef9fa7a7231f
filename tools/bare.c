/* The bare loops that a harness is held against: mmap, touch, munmap, and the same with a SIGSEGV
 * handler that calls mprotect. Shares no code with the suite, on purpose.
 *
 * usage: bare upfront|fault --turns --size BYTES; takes turns as docs/turns.md says, but for rows.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

static char *base;

static void reserve(size_t size, int protection)
{
    base = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        perror("bare: mmap");
        exit(1);
    }
}

static void touch(size_t first, size_t last)
{
    for (size_t i = first * PAGE; i < last * PAGE; i += PAGE)
        *(volatile char *)(base + i) = 1;
}

/* Page tables of its own, as the suite's regions have: see vm_place in src/system/vm.h. */
static void place(size_t size)
{
    const uintptr_t table = (uintptr_t)512 * PAGE;
    uintptr_t beyond = 1;
    while (beyond != 0) {
        char *next = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        beyond = ((uintptr_t)next + size) % table;
        if (beyond == 0 || beyond >= size)
            beyond = beyond == 0 ? 0 : size;
        munmap(next, size - beyond);
    }
}

static long preemptions(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw;
}

int main(int argc, char **argv)
{
    if (argc != 5 || strcmp(argv[2], "--turns") != 0 || strcmp(argv[3], "--size") != 0) {
        fprintf(stderr, "usage: bare upfront|fault --turns --size BYTES\n");
        return 2;
    }
    int protection = strcmp(argv[1], "fault") == 0 ? PROT_NONE : PROT_READ | PROT_WRITE;
    size_t size = (size_t)strtoull(argv[4], NULL, 10), at = 0, released = 0;
    char line[128];
    struct sigaction action = {.sa_sigaction = commit_page, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    setvbuf(stdout, NULL, _IOLBF, sizeof line);
    printf("turns 3 %zu 0 %zu ok\n", size / PAGE, size / PAGE);
    place(size);

    while (fgets(line, sizeof line, stdin) != NULL) {
        char *count = strchr(line, ' ');
        unsigned long n = count != NULL ? strtoul(count, NULL, 10) : 0;
        long before = preemptions();
        double start = seconds();
        if (strncmp(line, "cycles", 6) == 0) {
            for (unsigned long i = 0; i < n; i++) {
                reserve(size, protection);
                touch(0, size / PAGE);
                munmap(base, size);
            }
        } else if (strncmp(line, "touch", 5) == 0) {
            touch(at, at + n);
        } else if (strncmp(line, "release", 7) == 0) {
            madvise(base + released * PAGE, n * PAGE, MADV_DONTNEED);
        } else if (strncmp(line, "begin", 5) == 0) {
            reserve(size, protection);
        } else {
            munmap(base, size);
        }
        double taken = seconds() - start;
        at = strncmp(line, "touch", 5) == 0 ? at + n : 0;
        released = strncmp(line, "release", 7) == 0 ? released + n : 0;
        printf("done %.0f 0 0 %ld\n", taken * 1e9, preemptions() - before);
    }
    return 0;
}
