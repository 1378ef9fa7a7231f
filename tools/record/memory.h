/* What the kernel says of another process's memory: its mappings, one by one or all with what is
 * charged, and which of its pages were touched. Functions that return int return 0 or errno. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "runs.h"

enum {
    MAPPING_READ = 1, /* the bits of PROCMAP_QUERY */
    MAPPING_WRITE = 2,
    MAPPING_EXECUTE = 4,
    MAPPING_SHARED = 8,
};

struct mapping {
    uint64_t start, end;
    unsigned access;        /* of the bits above */
    uint64_t device, inode; /* 0 where there is no file */
    uint64_t offset;
};

/* One address space; the process may be gone when it is asked, or be in another one: what is open
 * is of the one that it was opened in. */
struct memory {
    int maps, pages, listed; /* /proc/TID/maps, pagemap and smaps; -1: none */
};

extern const struct memory memory_none;

int memory_open(struct memory *memory, pid_t tid);
void memory_close(struct memory *memory);

/* Beyond what any process maps of its own; known after memory_probe. */
extern uint64_t memory_end;

/* Finds out how the running kernel answers the two below: by query (PROCMAP_QUERY, Linux 6.11;
 * PAGEMAP_SCAN, 6.7), or, where it has none or `queries` is unset, by what listing.h reads.
 * *queried: by query both. */
int memory_probe(bool queries, bool *queried);

/* The mapping that holds `address`, or the next one above it. ENOENT if there is none. */
int memory_find(const struct memory *memory, uint64_t address, struct mapping *mapping);

/* The code at an address: its mapping, and the file that it is of. */
struct memory_code {
    struct mapping mapping;
    char build_id[41]; /* hexadecimal; "" where it has none or the kernel doesn't say */
    char path[4096];   /* on one line; "" if there is no file */
};
int memory_find_code(const struct memory *memory, uint64_t address, struct memory_code *code);

/* Appends to `runs` the pages in [start, end) that hold memory of the process's own, in memory or
 * in swap: neither the zero page nor a file's page nor one that is shared. Ends after `most` pages;
 * 0: never. */
int memory_touched(const struct memory *memory, uint64_t start, uint64_t end, uint64_t most,
                   struct runs *runs);

/* A mapping as smaps describes it. `flags` holds a letter each: r w x (access), s (MAP_SHARED),
 * a (charged: VmFlags ac), n (MAP_NORESERVE: nr), t (hugetlb: ht), g (MAP_GROWSDOWN: gd), d
 * (MADV_DONTFORK: dc), k (MADV_WIPEONFORK: wf). Sizes are in bytes. */
struct memory_mapping {
    uint64_t start, end, resident, anonymous;
    char flags[12];
    const char *name; /* "" if it has none */
};

/* Calls `each` for all mappings in rising order. Takes some 1.4 µs a mapping and 0.1 µs a touched
 * page. */
int memory_list(const struct memory *memory,
                void (*each)(const struct memory_mapping *mapping, void *context), void *context);

/* What the kernel counted for a process, all its threads together. */
struct memory_counts {
    uint64_t cpu_ns, minor_faults, major_faults, resident_bytes;
    uint64_t heap; /* where its brk heap starts */
};

/* `tid` is a thread of the process that is still there: the first may have ended before others. */
int memory_count(pid_t pid, pid_t tid, struct memory_counts *counts);

#endif
