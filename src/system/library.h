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

/* Loads the library at `path` for the rest of the process. False with why not in `message`. */
bool library_load(const char *path, struct library *library, char *message, size_t size);

/* What the operating system does of that: a handle, or NULL with why not in `message`; and the
 * address of the function of that name, into the pointer to a function at `function`. */
void *library_open(const char *path, char *message, size_t size);
bool library_find(void *handle, const char *name, void *function);

#endif
