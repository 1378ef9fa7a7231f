/* System calls in which the kernel itself reads or writes a program's memory: no access of the
 * program's own, and so none that a fault handler is asked about.
 *
 * Each goes through a channel of its own within the process. Functions that return int return 0 or
 * the system's error code. */
#ifndef ACCESS_H
#define ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access {
    intptr_t here, there; /* the channel's ends, the system's own; the call is made `here` */
    void *own;            /* what else it needs */
};

enum { ACCESS_MOST_BYTES = 4096 }; /* that go through a channel at once */

struct access_call {
    const char *name;
    bool stores; /* writes into memory what comes through the channel; the others read memory */

    /* Refused where this machine does not have the call. */
    int (*open)(struct access *access);
    void (*close)(struct access *access);

    /* Puts bytes in `there`; NULL for those that read memory. */
    int (*fill)(const struct access *access, const void *bytes, size_t size);

    /* The call, once: of `size` bytes at `address`, of which it carried *done; 0 on an error. */
    int (*make)(struct access *access, void *address, size_t size, size_t *done);

    /* What is in the channel now: what a call that stores left there, or what one that reads memory
     * sent. The last use of a channel. */
    int (*drain)(const struct access *access, size_t *bytes);
};

/* Ended by a name of NULL. */
extern const struct access_call access_calls[];

/* The call is then made at the other end. */
static inline void access_turn_round(struct access *access)
{
    intptr_t here = access->here;
    access->here = access->there;
    access->there = here;
}

#endif
