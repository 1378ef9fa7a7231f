#ifndef SPIN_H
#define SPIN_H

/* Waits for nanoseconds, on Linux, for measuring what `vmcommit compare` finds. No clock is read
 * in it: that takes as long as what is to be waited for, and longer after a system call. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* Nothing after it begins before all in front of it is done. Without it a processor looks for the
 * next page while it waits, and the wait costs nothing. */
static inline void spin_barrier(void)
{
#if defined __x86_64__ || defined __i386__
    __asm__ volatile("lfence" ::: "memory");
#elif defined __aarch64__
    __asm__ volatile("dsb ish\n\tisb" ::: "memory");
#endif
}

/* Not inlined, so that it is as fast where it is timed as where it is used. Each product waits for
 * the one before while the loop's counter runs ahead: that its end is predicted wrongly, some 10
 * ns, is over before the last product is there. */
__attribute__((noinline)) static void spin(unsigned long spins)
{
    uint64_t product = 1;
    spin_barrier();
    for (unsigned long i = 0; i < spins; i++) {
        product *= UINT64_C(0x9E3779B97F4A7C15);
        __asm__ volatile("" : "+r"(product));
    }
    spin_barrier();
}

static inline uint64_t spin_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static inline int spin_compare(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Of one spin, in the middle of many trials: anything may interrupt one of them, and beside a busy
 * neighbour all are slower, as they will be where they are used. */
static inline double spin_ns(void)
{
    enum { TRIALS = 101, SPINS = 20000 };
    uint64_t taken[TRIALS];
    for (int i = 0; i < TRIALS; i++) {
        uint64_t start = spin_now_ns();
        spin(SPINS);
        taken[i] = spin_now_ns() - start;
    }
    qsort(taken, TRIALS, sizeof *taken, spin_compare);
    return (double)taken[TRIALS / 2] / SPINS;
}

#endif
