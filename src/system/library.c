/* A shared library's functions, by their names. */
#include "system/library.h"

#include <stdio.h>

bool library_load(const char *path, struct library *library, char *message, size_t size)
{
    const struct {
        const char *name;
        void *function;
    } wanted[] = {
        {"vmcommit_reserve", &library->reserve},
        {"vmcommit_ensure", &library->ensure},
        {"vmcommit_release", &library->release},
    };
    void *handle = library_open(path, message, size);
    if (handle == NULL)
        return false;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (library_find(handle, wanted[i].name, wanted[i].function))
            continue;
        snprintf(message, size, "it has no function %s", wanted[i].name);
        return false;
    }
    return true;
}
