/* Who meets spins, so that all start within a moment of each other, and lets others run where there
 * are fewer processors than threads. */
#include "crew.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "system/copies.h"
#include "system/thread.h"

enum { SPINS = 1000 }; /* before the processor is let go, each time */

struct hand {
    struct crew *crew;
    unsigned index;
    struct thread thread;
    intptr_t copy;
};

struct crew {
    unsigned count;
    bool processes;
    size_t bytes; /* of all this */
    size_t member_bytes;
    unsigned char *members;
    void (*body)(void *context, unsigned index);
    void *context;
    struct thread_places places;
    unsigned started; /* of the hands, the caller among them */
    atomic_uint here; /* of those that wait for the next meeting */
    atomic_uint meetings;
    atomic_bool given_up;
    struct hand hands[];
};

static void *allocate(size_t size, bool shared)
{
    return shared ? copies_share(size) : calloc(1, size);
}

struct crew *crew_make(unsigned count, bool processes, size_t member_bytes)
{
    size_t head = sizeof(struct crew) + count * sizeof(struct hand);
    size_t room = (member_bytes + 63) / 64 * 64; /* no cache line of two members */
    size_t bytes = head + 64 + count * room;
    struct crew *crew = allocate(bytes, processes);
    if (crew == NULL)
        return NULL;
    crew->count = count;
    crew->processes = processes;
    crew->bytes = bytes;
    crew->member_bytes = room;
    crew->members = (unsigned char *)(((uintptr_t)crew + head + 63) / 64 * 64);
    for (unsigned i = 0; i < count; i++)
        crew->hands[i] = (struct hand){.crew = crew, .index = i};
    return crew;
}

void crew_free(struct crew *crew)
{
    if (crew != NULL && crew->processes)
        copies_unshare(crew, crew->bytes);
    else
        free(crew);
}

unsigned crew_count(const struct crew *crew)
{
    return crew->count;
}

void *crew_member(struct crew *crew, unsigned index)
{
    return crew->members + index * crew->member_bytes;
}

/* A copy of the process has memory that it shares, but no page tables of it yet. */
static void touch_member(struct crew *crew, unsigned index)
{
    volatile unsigned char *bytes = crew_member(crew, index);
    for (size_t at = 0; at < crew->member_bytes; at += 64)
        bytes[at] = bytes[at];
}

static void work(void *context)
{
    struct hand *hand = context;
    struct crew *crew = hand->crew;
    thread_pin(&crew->places, hand->index);
    thread_touch_stack();
    touch_member(crew, hand->index);
    crew->body(crew->context, hand->index);
}

static int start(struct hand *hand)
{
    return hand->crew->processes ? copies_start(&hand->copy, work, hand)
                                 : thread_start(&hand->thread, work, hand);
}

static int join(struct hand *hand)
{
    return hand->crew->processes ? copies_join(hand->copy) : thread_join(&hand->thread);
}

int crew_run(struct crew *crew, void (*body)(void *context, unsigned index), void *context)
{
    int error = 0;
    crew->body = body;
    crew->context = context;
    atomic_store(&crew->here, 0);
    atomic_store(&crew->given_up, false);
    thread_read_places(&crew->places);
    for (crew->started = 1; crew->started < crew->count && error == 0; crew->started++)
        error = start(&crew->hands[crew->started]);
    if (error != 0) {
        crew->started--;
        crew_give_up(crew);
    }
    work(&crew->hands[0]);
    thread_allow(&crew->places);
    for (unsigned i = 1; i < crew->started; i++) {
        int left = join(&crew->hands[i]);
        error = error != 0 ? error : left;
    }
    return error;
}

void crew_give_up(struct crew *crew)
{
    atomic_store(&crew->given_up, true);
}

static bool any_ended(const struct crew *crew)
{
    bool any = false;
    for (unsigned i = 1; i < crew->started; i++)
        any = copies_ended(crew->hands[i].copy) || any;
    return any;
}

/* A process that was ended comes to no meeting. One that came may have ended since, and then the
 * meeting is over. */
static void look_after(struct crew *crew, unsigned number)
{
    if (any_ended(crew) && atomic_load(&crew->meetings) == number)
        crew_give_up(crew);
}

static void wait_for_meeting(struct crew *crew, unsigned index, unsigned number)
{
    for (unsigned spins = 1; atomic_load(&crew->meetings) == number; spins++) {
        if (atomic_load(&crew->given_up))
            return;
        if (spins % SPINS != 0)
            continue;
        thread_yield();
        if (crew->processes && index == 0)
            look_after(crew, number);
    }
}

bool crew_meet(struct crew *crew, unsigned index)
{
    unsigned number = atomic_load(&crew->meetings);
    if (atomic_fetch_add(&crew->here, 1) + 1 == crew->count) {
        atomic_store(&crew->here, 0);
        atomic_fetch_add(&crew->meetings, 1);
    } else {
        wait_for_meeting(crew, index, number);
    }
    return !atomic_load(&crew->given_up);
}
