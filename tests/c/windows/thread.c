/* Windows threads. */
#include "thread.h"

#include <windows.h>

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
