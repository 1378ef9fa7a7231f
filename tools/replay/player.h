/* Turns what a program does with its memory, at its own addresses, into the events of a script. */
#ifndef PLAYER_H
#define PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/runs.h"
#include "script.h"

struct closing;

struct player {
    struct script *script;
    uint64_t page;
    size_t room;      /* for events */
    bool begun;       /* all is mapped that the program begins with */
    bool failed;      /* there was no memory for an event */
    struct runs ever; /* mapped at any time */
    struct runs writable;
    struct runs reserving; /* charged when it becomes writable */
    struct runs touched;
    struct runs given; /* back, in a way that may be another one */
    struct run stack;  /* of the first thread */
    uint64_t brk, resident;
    struct closing *closings;
    size_t closing_count, closing_room;
};

/* Each is to be called when a call has succeeded. `reserves`: charged where it is writable. */
void player_map(struct player *player, struct run run, int protection, bool reserves);
void player_unmap(struct player *player, struct run run);
void player_protect(struct player *player, struct run run, int protection);
void player_advise(struct player *player, struct run run, int advice);

/* mremap with its five arguments, and brk. */
void player_move(struct player *player, const uint64_t *arguments, uint64_t result);
void player_move_heap(struct player *player, uint64_t result);

/* The first thread's stack grows by itself, down to `start`. */
void player_grow_stack(struct player *player, uint64_t start);

/* Pages are found touched, or no longer there. One that is not writable by then was touched while
 * it was. */
void player_touch(struct player *player, struct run run);
void player_forget(struct player *player, struct run run);

/* What is kept beside the script. */
void player_free(struct player *player);

#endif
