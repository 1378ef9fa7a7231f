/* CreatePipe. */
#include "system/pipe.h"

#include <windows.h>

int pipe_open(struct pipe *ends)
{
    HANDLE reading, writing;
    if (!CreatePipe(&reading, &writing, NULL, 0))
        return (int)GetLastError();
    *ends = (struct pipe){(intptr_t)reading, (intptr_t)writing};
    return 0;
}

void pipe_close(struct pipe *ends)
{
    CloseHandle((HANDLE)ends->reading);
    CloseHandle((HANDLE)ends->writing);
}

static int finish(BOOL succeeded, DWORD bytes, size_t *done)
{
    int error = succeeded ? 0 : (int)GetLastError();
    *done = succeeded ? bytes : 0;
    return error;
}

int pipe_write(const struct pipe *ends, const void *bytes, size_t size, size_t *done)
{
    DWORD written = 0;
    BOOL succeeded = WriteFile((HANDLE)ends->writing, bytes, (DWORD)size, &written, NULL);
    return finish(succeeded, written, done);
}

int pipe_read(const struct pipe *ends, void *bytes, size_t size, size_t *done)
{
    DWORD got = 0;
    BOOL succeeded = ReadFile((HANDLE)ends->reading, bytes, (DWORD)size, &got, NULL);
    return finish(succeeded, got, done);
}

/* The guard's code reaches the caller as it is ("System Error Codes", Microsoft Learn). */
bool pipe_is_no_access(int error)
{
    return error == ERROR_NOACCESS || error == ERROR_INVALID_USER_BUFFER;
}
