/* A crew: threads, or processes, that do the same at the same time and meet in between. */
#ifndef CREW_H
#define CREW_H

#include <stdbool.h>
#include <stddef.h>

enum { CREW_MAX = 256 };

struct crew;

/* `count` of them, 1 to CREW_MAX, each with `member_bytes` of zeros that all of them see. NULL
 * without memory. */
struct crew *crew_make(unsigned count, bool processes, size_t member_bytes);
void crew_free(struct crew *crew);

unsigned crew_count(const struct crew *crew);
void *crew_member(struct crew *crew, unsigned index);

/* Runs body(context, index) in all of them; the calling thread is the one of index 0. Each stays on
 * a processor of its own as far as there are any. Returns when all have ended: 0 or the system's
 * error code, if not all could be started. */
int crew_run(struct crew *crew, void (*body)(void *context, unsigned index), void *context);

/* Waits until all are here. False, at once and for the rest of the run, where one has given up. */
bool crew_meet(struct crew *crew, unsigned index);
void crew_give_up(struct crew *crew);

#endif
