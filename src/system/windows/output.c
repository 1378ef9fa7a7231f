/* Output on Windows: a file handle, so that no line end is translated. */
#include "system/output.h"

#include <string.h>
#include <windows.h>

int output_open(const char *path, struct output *output)
{
    HANDLE file = strcmp(path, "-") == 0 ? GetStdHandle(STD_OUTPUT_HANDLE)
                                         : CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ, NULL,
                                                       CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    output->handle = (intptr_t)file;
    if (file == NULL)
        return ERROR_INVALID_HANDLE; /* a process without standard output */
    return file == INVALID_HANDLE_VALUE ? (int)GetLastError() : 0;
}

int output_write(const struct output *output, const char *bytes, size_t size)
{
    while (size > 0) {
        DWORD written = 0;
        if (!WriteFile((HANDLE)output->handle, bytes, (DWORD)size, &written, NULL))
            return (int)GetLastError();
        if (written == 0)
            return ERROR_HANDLE_DISK_FULL;
        bytes += written;
        size -= written;
    }
    return 0;
}

int output_close(const struct output *output)
{
    return CloseHandle((HANDLE)output->handle) ? 0 : (int)GetLastError();
}
