/* A thread, as each system has it; its folder answers this header. */
#ifndef THREAD_H
#define THREAD_H

#include <stdint.h>

struct thread {
    intptr_t handle; /* the system's own */
    void (*body)(void *context);
    void *context;
};

/* Runs body(context) in a thread of its own, until thread_join. Return 0 or the system's code. */
int thread_start(struct thread *thread, void (*body)(void *context), void *context);
int thread_join(struct thread *thread);

#endif
