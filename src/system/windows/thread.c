/* Windows threads. */
#include "system/thread.h"

#include <stdlib.h>
#include <windows.h>

struct thread_monitor {
    SRWLOCK lock;
    CONDITION_VARIABLE conditions[2];
};

static DWORD WINAPI run(void *context)
{
    struct thread *thread = context;
    thread->body(thread->context);
    return 0;
}

int thread_start(struct thread *thread, void (*body)(void *context), void *context)
{
    thread->body = body;
    thread->context = context;
    HANDLE handle = CreateThread(NULL, 0, run, thread, 0, NULL);
    thread->handle = (intptr_t)handle;
    return handle != NULL ? 0 : (int)GetLastError();
}

int thread_join(struct thread *thread)
{
    HANDLE handle = (HANDLE)thread->handle;
    DWORD waited = WaitForSingleObject(handle, INFINITE);
    CloseHandle(handle);
    return waited == WAIT_OBJECT_0 ? 0 : (int)GetLastError();
}

void thread_yield(void)
{
    SwitchToThread();
}

unsigned thread_number(void)
{
    return GetCurrentThreadId();
}

bool thread_lives(unsigned number)
{
    HANDLE handle = OpenThread(SYNCHRONIZE, FALSE, number);
    if (handle == NULL)
        return GetLastError() == ERROR_ACCESS_DENIED;
    bool lives = WaitForSingleObject(handle, 0) == WAIT_TIMEOUT;
    CloseHandle(handle);
    return lives;
}

/* Of the process's group of at most 64. */
void thread_read_places(struct thread_places *places)
{
    DWORD_PTR process, system;
    *places = (struct thread_places){{0}};
    if (GetProcessAffinityMask(GetCurrentProcess(), &process, &system))
        places->bits[0] = process;
}

void thread_allow(const struct thread_places *places)
{
    SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)places->bits[0]);
}

struct thread_monitor *thread_monitor_make(void)
{
    struct thread_monitor *monitor = malloc(sizeof *monitor);
    if (monitor != NULL)
        *monitor = (struct thread_monitor){SRWLOCK_INIT,
                                           {CONDITION_VARIABLE_INIT, CONDITION_VARIABLE_INIT}};
    return monitor;
}

void thread_monitor_free(struct thread_monitor *monitor)
{
    free(monitor);
}

void thread_monitor_enter(struct thread_monitor *monitor)
{
    AcquireSRWLockExclusive(&monitor->lock);
}

void thread_monitor_leave(struct thread_monitor *monitor)
{
    ReleaseSRWLockExclusive(&monitor->lock);
}

void thread_monitor_wait(struct thread_monitor *monitor, int condition)
{
    SleepConditionVariableSRW(&monitor->conditions[condition], &monitor->lock, INFINITE, 0);
}

void thread_monitor_wake(struct thread_monitor *monitor, int condition)
{
    WakeConditionVariable(&monitor->conditions[condition]);
}
