/* Output by file handles, so that no line end is translated. */
#include "system/output.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

/* A handle that is missing is not given to a file that is opened later (GetStdHandle). */
int output_reserve_standard(void)
{
    return 0;
}

static bool is_standard(const struct output *output)
{
    return (HANDLE)output->handle == GetStdHandle(STD_OUTPUT_HANDLE);
}

int output_open(const char *path, struct output *output)
{
    HANDLE file = strcmp(path, "-") == 0
                      ? GetStdHandle(STD_OUTPUT_HANDLE)
                      : CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                    OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    output->handle = (intptr_t)file;
    if (file == NULL)
        return ERROR_INVALID_HANDLE; /* a process without standard output */
    return file == INVALID_HANDLE_VALUE ? (int)GetLastError() : 0;
}

int output_create(const char *path, struct output *output)
{
    HANDLE file = CreateFileA(path, FILE_APPEND_DATA, FILE_SHARE_READ, NULL, CREATE_NEW,
                              FILE_ATTRIBUTE_NORMAL, NULL);
    output->handle = (intptr_t)file;
    return file == INVALID_HANDLE_VALUE ? (int)GetLastError() : 0;
}

int output_make_folder(const char *path)
{
    return CreateDirectoryA(path, NULL) ? 0 : (int)GetLastError();
}

const char *output_name(const char *path)
{
    const char *name = path;
    for (; *path != '\0'; path++)
        if (*path == '/' || *path == '\\')
            name = path + 1;
    return name;
}

bool output_exists(int error)
{
    return error == ERROR_ALREADY_EXISTS || error == ERROR_FILE_EXISTS;
}

bool output_holds(const char *folder)
{
    char pattern[4200];
    WIN32_FIND_DATAA entry;
    bool holds = false;
    snprintf(pattern, sizeof pattern, "%s\\*", folder);
    HANDLE entries = FindFirstFileA(pattern, &entry);
    if (entries == INVALID_HANDLE_VALUE)
        return false;
    do
        holds = strcmp(entry.cFileName, ".") != 0 && strcmp(entry.cFileName, "..") != 0;
    while (!holds && FindNextFileA(entries, &entry));
    FindClose(entries);
    return holds;
}

void output_remove(const char *path, const char *folder)
{
    DeleteFileA(path);
    if (folder != NULL)
        RemoveDirectoryA(folder);
}

static bool identify(HANDLE file, BY_HANDLE_FILE_INFORMATION *identity)
{
    return GetFileType(file) == FILE_TYPE_DISK && GetFileInformationByHandle(file, identity);
}

static bool same_file(HANDLE a, HANDLE b)
{
    BY_HANDLE_FILE_INFORMATION of_a, of_b;
    return identify(a, &of_a) && identify(b, &of_b) &&
           of_a.dwVolumeSerialNumber == of_b.dwVolumeSerialNumber &&
           of_a.nFileIndexHigh == of_b.nFileIndexHigh && of_a.nFileIndexLow == of_b.nFileIndexLow;
}

bool output_same(const struct output *a, const struct output *b)
{
    return same_file((HANDLE)a->handle, (HANDLE)b->handle);
}

bool output_is_at(const struct output *output, const char *path)
{
    HANDLE file = CreateFileA(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    bool same = same_file((HANDLE)output->handle, file);
    CloseHandle(file);
    return same;
}

bool output_is_terminal(const struct output *output)
{
    DWORD mode;
    return GetConsoleMode((HANDLE)output->handle, &mode) != 0;
}

int output_empty(const struct output *output)
{
    HANDLE file = (HANDLE)output->handle;
    if (is_standard(output) || GetFileType(file) != FILE_TYPE_DISK)
        return 0;
    return SetEndOfFile(file) ? 0 : (int)GetLastError();
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
