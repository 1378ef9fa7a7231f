/* A made-up /proc and /sys for the fuzz targets: files that stay open, so that an input costs few
 * system calls. */
#ifndef TREE_H
#define TREE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* The folder, made on the first call, in memory where the system has such a place, and removed when
 * the program ends. */
const char *tree_root(void);

/* The file holds these bytes and nothing else; it and its folders are made where they lack. Paths
 * are string constants that start with a slash. */
void tree_put(const char *path, const void *bytes, size_t size);

/* A text that grows, for tree_put. */
struct growing {
    char *bytes; /* to be freed */
    size_t length, room;
};
void growing_add(struct growing *text, const char *format, ...);

#endif
