/* Where walk writes: whole pieces of text, kept until there are many. */
#ifndef WALK_SINK_H
#define WALK_SINK_H

#include "system/output.h"
#include "text.h"

/* The longest piece: a path of 4096 bytes, each of which may take six characters in JSON, and the
 * cells around it. */
enum { SINK_PIECE_BYTES = 6 * 4096 + 1024, SINK_BYTES = 4 * SINK_PIECE_BYTES };

struct sink {
    struct output output;
    int error; /* of the first write that failed; nothing is written after it */
    struct text text;
    char bytes[SINK_BYTES];
};

void sink_start(struct sink *sink, struct output output);

/* Text to add a piece of up to SINK_PIECE_BYTES to. */
struct text *sink_piece(struct sink *sink);

/* Forgets what is kept. */
void sink_discard(struct sink *sink);

/* Writes what is kept. Returns 0 or the error of the first write that failed. */
int sink_flush(struct sink *sink);

#endif
