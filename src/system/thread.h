/* Threads, and what they wait by. Functions that return int return 0 or the system's error code. */
#ifndef THREAD_H
#define THREAD_H

#include <stdint.h>

struct thread {
    intptr_t handle; /* the system's own */
    void (*body)(void *context);
    void *context;
};

/* Runs body(context) in a thread of its own. The thread's end is waited for by thread_join. */
int thread_start(struct thread *thread, void (*body)(void *context), void *context);
int thread_join(struct thread *thread);

/* Lets other threads run that wait for a processor. */
void thread_yield(void);

/* A lock, and two conditions that threads wait for while they hold it. NULL without memory. */
struct thread_monitor *thread_monitor_make(void);
void thread_monitor_free(struct thread_monitor *monitor);
void thread_monitor_enter(struct thread_monitor *monitor);
void thread_monitor_leave(struct thread_monitor *monitor);

/* Lets the lock go until somebody wakes who waits for this condition, 0 or 1; may return without,
 * so that what is waited for must be looked at again. Waking wakes one. */
void thread_monitor_wait(struct thread_monitor *monitor, int condition);
void thread_monitor_wake(struct thread_monitor *monitor, int condition);

#endif
