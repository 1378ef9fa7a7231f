/* Mappings that grow, which Linux alone has. Functions return 0 or errno; sizes are whole pages. */
#ifndef GROW_H
#define GROW_H

#include <stddef.h>

/* Maps `first` bytes, readable and writable, at *base, where `size` bytes are free. */
int grow_map(size_t first, size_t size, void **base);

/* Makes a mapping larger where it is, from `size` to `larger` bytes: mremap(2). */
int grow_in_place(void *base, size_t size, size_t larger);

/* The same, and moves it, with its pages, to `target`. */
int grow_and_move(void *base, size_t size, size_t larger, void *target);

/* Maps the last page of `size` bytes that are free, at *base: an access below it makes the kernel
 * map all from there on (MAP_GROWSDOWN, mmap(2)), as far as RLIMIT_STACK allows. What lies below
 * *base is as far away as the kernel wants it, so that a stack may grow to its end. */
int grow_map_stack(size_t size, void **base);

#endif
