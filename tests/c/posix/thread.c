/* POSIX threads. */
#include "thread.h"

#include <pthread.h>
#include <string.h>

_Static_assert(sizeof(pthread_t) <= sizeof(intptr_t), "a thread's handle has room for it");

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
