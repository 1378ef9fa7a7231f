/* Shared libraries on Windows: DLLs. */
#include "system/library.h"

#include <string.h>
#include <windows.h>

#include "system/vm.h"

void *library_open(const char *path, char *message, size_t size)
{
    HMODULE handle = LoadLibraryA(path);
    if (handle == NULL)
        vm_error_text((int)GetLastError(), message, size);
    return handle;
}

bool library_find(void *handle, const char *name, void *function)
{
    FARPROC symbol = GetProcAddress(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}
