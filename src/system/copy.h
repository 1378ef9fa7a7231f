/* A copy of this process, as fork makes one: what making it takes, and what it adds; where there is
 * none, copies_unsupported says why. Functions that return int return 0 or the system's error code.
 */
#ifndef COPY_H
#define COPY_H

#include <stddef.h>
#include <stdint.h>

#include "system/kind.h"
#include "system/maps.h"

/* COPY_SHARED: pages are shared until one of the two writes. COPY_LEFT_OUT: the copy lacks the
 * range, MADV_DONTFORK. COPY_EMPTY: it has the range, empty, MADV_WIPEONFORK (Linux 4.14). */
enum copy_kind { COPY_SHARED, COPY_LEFT_OUT, COPY_EMPTY };

/* What the system has; of one that makes no copies, the name of COPY_SHARED alone. */
extern const struct kind copy_kinds[];

/* Says what a copy is to have of a range. */
int copy_advise(enum copy_kind kind, void *base, size_t size);

struct copy {
    uint64_t ns;               /* of CPU, that making it took */
    struct maps_memory memory; /* the range as the copy has it */
    intptr_t process, waiting; /* the system's own */
};

/* Makes one, which reads [base, base + size) of its own and then waits. */
int copy_make(const void *base, size_t size, struct copy *copy);

/* Lets it end, and waits for that. */
int copy_end(struct copy *copy);

#endif
