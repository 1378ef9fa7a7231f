/* The address space of a process, this one or another, region by region from its bottom to its top,
 * as the system tells it. Nothing is stopped, and nothing of the process is written to. */
#ifndef SPACE_H
#define SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/kind.h"
#include "system/meter.h"

enum space_state {
    SPACE_FREE,      /* no region is there */
    SPACE_RESERVED,  /* address space only: inaccessible, not charged */
    SPACE_COMMITTED, /* private, accessible and charged */
    SPACE_GUARD,     /* the next access raises a fault, by a guard that the system knows as one */
    SPACE_INACCESSIBLE, /* charged, and yet inaccessible */
    SPACE_UNCHARGED,    /* private and accessible, and no charge stands behind it */
    SPACE_SHARED,       /* others may see what is written */
    SPACE_FILE,         /* pages of a file, private or read-only, not charged */
};
extern const struct kind space_states[];

enum space_kind {
    SPACE_KIND_NONE, /* of free space */
    SPACE_KIND_ANONYMOUS,
    SPACE_KIND_HEAP,
    SPACE_KIND_STACK,
    SPACE_KIND_IMAGE,  /* a file of which a part is executable: a program or a library */
    SPACE_KIND_FILE,   /* any other file */
    SPACE_KIND_SHARED, /* shared memory that is no file */
    SPACE_KIND_HUGE,   /* of the pool of huge pages, which is an account of its own */
    SPACE_KIND_SYSTEM, /* what the system puts into every process */
};
extern const struct kind space_kinds[];

/* [start, end). Bytes are unknown where they were not asked for, or where the system does not tell.
 * Touched is what the process has of its own, neither shared nor a file's: on Linux in memory or in
 * swap, on Windows in its working set, from which it may be taken. `name` is a path, or what the
 * system or the program calls the region; never NULL, and valid until the call that got it returns.
 */
struct space_region {
    uint64_t start;
    uint64_t end;
    enum space_state state;
    enum space_kind kind;
    char protection[8]; /* "rwxp" with - for what isn't allowed, s for p where shared; "" if free */
    struct meter_count commit_bytes;
    struct meter_count resident_bytes;
    struct meter_count touched_bytes;
    const char *name;
};

/* How many mappings the system keeps for the process, and how many it would keep; both unknown
 * where there is no such limit. */
struct space_mappings {
    struct meter_count used;
    struct meter_count limit;
};

/* EXACT counts charge, residency and guards, for which the system goes through the page tables:
 * 25 to 100 ns a resident page on Linux, with the process's own faults waiting for no more than a
 * moment. QUICK reads what there is without: no figures, and what is writable is taken for charged,
 * what is inaccessible for reserved. */
enum space_detail { SPACE_EXACT, SPACE_QUICK };

/* Calls `region` for every region of process `process`, free space between them included: without a
 * gap or an overlap. Returns false with one line in `why`, without line end, if the process can't
 * be read, or not to its end: what was handed on by then is true. */
bool space_walk(uint64_t process, enum space_detail detail,
                void (*region)(const struct space_region *region, void *context), void *context,
                struct space_mappings *mappings, char *why, size_t size);

/* This process, by its number. */
uint64_t space_self(void);

/* False once the process has ended. */
bool space_alive(uint64_t process);

#endif
