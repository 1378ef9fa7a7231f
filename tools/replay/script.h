/* What a recorded program did with memory, as events in their order, at offsets into one region:
 * what it had mapped at any time lies there as far apart as matters to page tables. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum script_kind {
    SCRIPT_MAP,     /* `protection`, `reserves` */
    SCRIPT_UNMAP,   /* */
    SCRIPT_PROTECT, /* `protection` */
    SCRIPT_MOVE,    /* mremap to `to`, as long as `to_size`, by `flags` */
    SCRIPT_ADVISE,  /* `advice` */
    SCRIPT_RESTORE, /* is going to be used again after it was given back */
    SCRIPT_TOUCH,   /* each page in its order */
};

/* Sizes and offsets are whole pages. */
struct script_event {
    enum script_kind kind;
    uint64_t place; /* events are in its rising order */
    uint64_t start, size, to, to_size;
    int protection, advice, flags;
    bool reserves;   /* charged when it becomes writable; else MAP_NORESERVE */
    bool commits;    /* makes memory usable that was not */
    bool empty;      /* of which nothing was touched, so that it could be committed another way */
    bool gives_back; /* all of it usable memory */

    /* Bytes that may be charged and resident before it, at most, where it may lower either; else 0.
     * By most_mark. */
    uint64_t may_commit, may_hold;
};

struct script {
    struct script_event *events;
    size_t count;
    size_t begun;           /* the first so many map what the program began with */
    size_t size, alignment; /* bytes of the region, and what its start must be a multiple of */
    uint64_t touches;       /* pages, each as often as it was touched anew */
    uint64_t resident;      /* bytes: the most that were touched at once */
};

/* Reads the recording in a folder: of the program in it that touched most. False with a line in
 * `message` if there is none, or no memory for it. */
bool script_read(const char *folder, struct script *script, char *message, size_t size);

#endif
