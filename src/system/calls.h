/* What programs ask of memory beside committing it: to place a reservation, to take a commit back,
 * to protect, to lock, and to say what a range is. No strategy needs these: tools/calls.c times
 * them.
 *
 * Functions that return int return 0 or the system's error code. Addresses and sizes are whole
 * pages where nothing else is said. */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/meter.h"

/* The highest address that is free; the lowest; or anywhere, with no neighbour that the range could
 * become one region with. */
enum calls_place { CALLS_TOP_DOWN, CALLS_BOTTOM_UP, CALLS_APART };

/* Address space only, as vm_reserve, and given back by vm_release. */
int calls_reserve(enum calls_place place, size_t size, void **base);

/* Makes pages a reservation again, without access and without charge, whatever they were. */
int calls_decommit(void *address, size_t size);

enum calls_access { CALLS_NONE, CALLS_READ, CALLS_WRITE };

/* Lets committed pages be read, read and written, or neither. */
int calls_protect(void *address, size_t size, enum calls_access access);

/* Keeps every page that holds a byte of [address, address + size) in physical memory, or lets them
 * go again; any address and size. */
int calls_lock(void *address, size_t size);
int calls_unlock(void *address, size_t size);

/* True for the codes by which the system says that it will lock no more; and the limit that `size`
 * bytes are beyond, in words, or NULL. */
bool calls_is_lock_refusal(int error);
const char *calls_lock_limit(size_t size);

/* Bytes of a range, as the system tells them of its pages. */
struct calls_memory {
    struct meter_count resident_bytes;
    struct meter_count locked_bytes;
};
int calls_read_memory(const void *base, size_t size, struct calls_memory *memory);

/* One range asked about, and where the answer goes. */
struct calls_question {
    const unsigned char *base;
    size_t size;
    void *buffer; /* bytes_a_page for each page, at least CALLS_BUFFER_BYTES */
    int file;     /* what is asked, where that is a file */
    uint64_t answered;
};
enum { CALLS_BUFFER_BYTES = 16384 };

/* A way to ask what a range is. */
struct calls_query {
    const char *name;    /* "mincore" */
    const char *needs;   /* the system that has it, as in "Linux 6.11"; NULL where all do */
    bool by_page;        /* answers for each page, or for the range as one */
    size_t bytes_a_page; /* of the buffer */
    int (*prepare)(struct calls_question *question); /* NULL where nothing is to be prepared */
    /* Asks so many times, and nothing else. */
    int (*ask)(struct calls_question *question, uint64_t times);
    /* Bytes of the range that the answer calls resident; that it holds as one, if not by_page. */
    uint64_t (*read)(const struct calls_question *question);
    void (*finish)(struct calls_question *question); /* or NULL */
};

/* Ended by a name of NULL. */
extern const struct calls_query calls_queries[];

#endif
