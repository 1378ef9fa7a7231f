#include "library.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "vm.h"

bool library_load(const char *path, struct library *library, char *message, size_t size)
{
    static const char *const names[] = LIBRARY_FUNCTIONS;
    FARPROC functions[LIBRARY_FUNCTION_COUNT];
    HMODULE handle = LoadLibraryA(path);
    if (handle == NULL) {
        vm_error_text((int)GetLastError(), message, size);
        return false;
    }
    for (int i = 0; i < LIBRARY_FUNCTION_COUNT; i++) {
        functions[i] = GetProcAddress(handle, names[i]);
        if (functions[i] == NULL) {
            snprintf(message, size, "it has no function %s", names[i]);
            FreeLibrary(handle);
            return false;
        }
    }
    memcpy(&library->reserve, &functions[0], sizeof functions[0]);
    memcpy(&library->ensure, &functions[1], sizeof functions[1]);
    memcpy(&library->release, &functions[2], sizeof functions[2]);
    return true;
}
