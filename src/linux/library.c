#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* POSIX, dlsym: a function's address fits into a pointer to an object. */
bool library_load(const char *path, struct library *library, char *message, size_t size)
{
    static const char *const names[] = LIBRARY_FUNCTIONS;
    void *functions[LIBRARY_FUNCTION_COUNT];
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        snprintf(message, size, "%s", dlerror());
        return false;
    }
    for (int i = 0; i < LIBRARY_FUNCTION_COUNT; i++) {
        functions[i] = dlsym(handle, names[i]);
        if (functions[i] == NULL) {
            snprintf(message, size, "it has no function %s", names[i]);
            dlclose(handle);
            return false;
        }
    }
    memcpy(&library->reserve, &functions[0], sizeof functions[0]);
    memcpy(&library->ensure, &functions[1], sizeof functions[1]);
    memcpy(&library->release, &functions[2], sizeof functions[2]);
    return true;
}
