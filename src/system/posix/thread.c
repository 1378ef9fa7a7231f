/* POSIX threads. */
#include "system/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(pthread_t) <= sizeof(intptr_t), "a thread's handle has room for it");

struct thread_monitor {
    pthread_mutex_t lock;
    pthread_cond_t conditions[2];
};

static void *run(void *context)
{
    struct thread *thread = context;
    thread->body(thread->context);
    return NULL;
}

int thread_start(struct thread *thread, void (*body)(void *context), void *context)
{
    pthread_t handle;
    thread->body = body;
    thread->context = context;
    int error = pthread_create(&handle, NULL, run, thread);
    if (error == 0)
        memcpy(&thread->handle, &handle, sizeof handle);
    return error;
}

int thread_join(struct thread *thread)
{
    pthread_t handle;
    memcpy(&handle, &thread->handle, sizeof handle);
    return pthread_join(handle, NULL);
}

/* POSIX does not list it among what a handler may call; here it is a bare system call. */
void thread_yield(void)
{
    sched_yield();
}

/* Neither of these fails on Linux, where they get nothing from the system
 * (pthread_mutex_init(3), pthread_cond_init(3)). */
struct thread_monitor *thread_monitor_make(void)
{
    struct thread_monitor *monitor = malloc(sizeof *monitor);
    if (monitor == NULL)
        return NULL;
    pthread_mutex_init(&monitor->lock, NULL);
    for (int condition = 0; condition < 2; condition++)
        pthread_cond_init(&monitor->conditions[condition], NULL);
    return monitor;
}

void thread_monitor_free(struct thread_monitor *monitor)
{
    if (monitor == NULL)
        return;
    for (int condition = 0; condition < 2; condition++)
        pthread_cond_destroy(&monitor->conditions[condition]);
    pthread_mutex_destroy(&monitor->lock);
    free(monitor);
}

void thread_monitor_enter(struct thread_monitor *monitor)
{
    pthread_mutex_lock(&monitor->lock);
}

void thread_monitor_leave(struct thread_monitor *monitor)
{
    pthread_mutex_unlock(&monitor->lock);
}

void thread_monitor_wait(struct thread_monitor *monitor, int condition)
{
    pthread_cond_wait(&monitor->conditions[condition], &monitor->lock);
}

void thread_monitor_wake(struct thread_monitor *monitor, int condition)
{
    pthread_cond_signal(&monitor->conditions[condition]);
}
