/* A shared library that answers include/vmcommit.h, loaded by name at run time. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

struct library {
    int (*reserve)(size_t size, void **base);
    int (*ensure)(void *base, size_t from, size_t to);
    int (*release)(void *base, size_t size);
};

/* The names of its functions, in the order of the struct. */
#define LIBRARY_FUNCTIONS                                                                          \
    {                                                                                              \
        "vmcommit_reserve", "vmcommit_ensure", "vmcommit_release"                                  \
    }
enum { LIBRARY_FUNCTION_COUNT = 3 };

/* Loads the library at `path` for the rest of the process. False with why not in `message`. */
bool library_load(const char *path, struct library *library, char *message, size_t size);

#endif
