/* Threads, and what they wait by. Functions that return int return 0 or the system's error code. */
#ifndef THREAD_H
#define THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct thread {
    intptr_t handle; /* the system's own */
    void (*body)(void *context);
    void *context;
};

/* Runs body(context) in a thread of its own. The thread's end is waited for by thread_join. */
int thread_start(struct thread *thread, void (*body)(void *context), void *context);
int thread_join(struct thread *thread);

/* Lets other threads run that wait for a processor. Async-signal-safe. */
void thread_yield(void);

/* The calling thread's number, never 0; and whether this process has a thread of that number now.
 * Async-signal-safe. */
unsigned thread_number(void);
bool thread_lives(unsigned number);

/* Processors that a thread may run on, a bit each. */
enum { THREAD_PLACES = 1024 };
struct thread_places {
    uint64_t bits[THREAD_PLACES / 64];
};

/* Reads those of the calling thread, none where the system can't say; lets it run on them alone;
 * puts it on one of them, the one that comes `index` places after the first, counted round. Best
 * effort. */
void thread_read_places(struct thread_places *places);
void thread_allow(const struct thread_places *places);
void thread_pin(const struct thread_places *places, unsigned index);

/* Touches as much of the calling thread's stack as a signal's frame and what it calls may need. */
void thread_touch_stack(void);

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
