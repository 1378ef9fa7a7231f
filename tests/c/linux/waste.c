/* waste: has memory charged at four places and touches less, so that the call stacks of a
 * recording can be held against what stands here. Built with frame pointers.
 *
 * usage: waste
 *        waste astray: has frames that lead nowhere, and more of them than are followed
 *        waste often DEPTH CALLS: prints the µs that a call takes, made through so many functions
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define APART __attribute__((noinline))

enum { RW = PROT_READ | PROT_WRITE, PLAIN = MAP_PRIVATE | MAP_ANONYMOUS };

static APART char *map(size_t pages, int protection)
{
    char *at = mmap(NULL, pages * PAGE, protection, PLAIN, -1, 0);
    if (at == MAP_FAILED)
        abort();
    return at;
}

static APART void touch(char *at, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        *(volatile char *)(at + i * PAGE) = 1;
}

/* 256 pages, 64 of them touched. */
static APART void take_whole(void)
{
    touch(map(256, RW), 64);
}

/* 4 times 16 of 128 pages, 8 of them touched in all. */
static APART void take_steps(void)
{
    char *at = map(128, PROT_NONE);
    for (size_t i = 0; i < 4; i++) {
        if (mprotect(at + i * 16 * PAGE, 16 * PAGE, RW) != 0)
            abort();
        touch(at + i * 16 * PAGE, 2);
    }
}

/* One page that is touched, and 32 more that are not. */
static APART void take_more(void)
{
    char *at = map(1, RW);
    touch(at, 1);
    if (mremap(at, PAGE, 33 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED)
        abort();
}

/* 48 pages of the heap, by a function that has another use for the frame pointer where the C
 * library is compiled without. */
static APART void take_heap(void)
{
    char room[PAGE]; /* so that its own caller is far up the stack */
    *(volatile char *)room = 1;
    if (sbrk((intptr_t)(48 * PAGE)) == (void *)-1)
        abort();
}

static APART void take_deep(int depth)
{
    if (depth > 0)
        take_deep(depth - 1);
    else
        map(1, RW);
    *(volatile char *)&depth = 0; /* so that no call is the last thing done */
}

#if defined __x86_64__

struct frame {
    const void *next;
    const void *back;
};

/* A page more than before is mapped with a frame pointer that no program has. */
static APART void take_astray(const void *frame)
{
    static size_t pages;
    register long flags __asm__("r10") = PLAIN;
    register long file __asm__("r8") = -1;
    register long offset __asm__("r9") = 0;
    long result = SYS_mmap;
    __asm__ volatile("mov %%rbp, %%r12\n\tmov %[frame], %%rbp\n\tsyscall\n\tmov %%r12, %%rbp"
                     : "+a"(result)
                     : [frame] "r"(frame), "D"(0), "S"(++pages * PAGE), "d"(RW), "r"(flags),
                       "r"(file), "r"(offset)
                     : "rcx", "r11", "r12", "memory");
    if (result < 0)
        abort();
}

static APART void go_astray(void)
{
    static struct frame foreign;
    const void *code = __builtin_return_address(0);
    struct frame loop, there, back;
    loop = (struct frame){&loop, code};
    there = (struct frame){&back, code};
    back = (struct frame){&there, code};
    foreign = (struct frame){&foreign, code};
    take_astray(&loop);
    take_astray(&there);
    take_astray(&foreign);
    take_astray((char *)&loop + 1);
    take_astray((void *)-sizeof loop);
    take_astray(NULL);
}

#else

static void go_astray(void)
{
}

#endif

/* Maps a page again and again, called through so many functions; returns µs a call. */
static APART double take_often(int depth, int calls)
{
    double taken = 0;
    struct timespec start, end;
    if (depth > 0) {
        taken = take_often(depth - 1, calls);
        *(volatile int *)&depth = 0;
        return taken;
    }
    char *at = map(1, PROT_NONE);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < calls; i++)
        if (mmap(at, PAGE, RW, PLAIN | MAP_FIXED, -1, 0) == MAP_FAILED)
            abort();
    clock_gettime(CLOCK_MONOTONIC, &end);
    taken = (double)(end.tv_sec - start.tv_sec) * 1e6;
    return (taken + (double)(end.tv_nsec - start.tv_nsec) / 1e3) / calls;
}

int main(int count, char **words)
{
    if (count == 4 && strcmp(words[1], "often") == 0) {
        printf("%.3f\n", take_often(atoi(words[2]), atoi(words[3])));
        return 0;
    }
    if (count == 2 && strcmp(words[1], "astray") == 0) {
        go_astray();
        take_deep(100);
        return 0;
    }
    take_whole();
    take_steps();
    take_more();
    take_heap();
    usleep(20000);
    return 0;
}
