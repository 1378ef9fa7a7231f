/* crew_run returns when every body has run to its end, those of other threads and of other
 * processes too, however late they are. Nobody waits at a meeting for a process that has ended. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "check.h"
#include "crew.h"
#include "system/copies.h"
#include "system/thread.h"

enum { COUNT = 3, YIELDS = 20000 };

static void be_late(void *context, unsigned index)
{
    struct crew *crew = context;
    CHECK(crew_meet(crew, index));
    for (unsigned i = 0; i < YIELDS * (index > 0); i++)
        thread_yield();
    *(volatile unsigned *)crew_member(crew, index) = index + 1;
}

static void check_all_are_waited_for(bool processes, unsigned count)
{
    struct crew *crew = crew_make(count, processes, sizeof(unsigned));
    CHECK(crew != NULL);
    if (crew == NULL)
        return;
    CHECK_EQUAL(crew_run(crew, be_late, crew), 0);
    for (unsigned i = 0; i < count; i++)
        CHECK_EQUAL(*(unsigned *)crew_member(crew, i), i + 1);
    crew_free(crew);
}

/* Others may have ended by the time that the first one sees that all have met. */
static void meet(void *context, unsigned index)
{
    CHECK(crew_meet(context, index));
}

static void check_a_meeting_is_over_before_its_members(void)
{
    enum { TRIES = 300 };
    struct crew *crew = crew_make(COUNT, true, 1);
    CHECK(crew != NULL);
    for (int i = 0; crew != NULL && i < TRIES; i++)
        CHECK_EQUAL(crew_run(crew, meet, crew), 0);
    crew_free(crew);
}

struct loss {
    struct crew *crew;
    unsigned index; /* of who ends before the meeting */
};

static void lose(void *context, unsigned index)
{
    struct loss *loss = context;
    if (index == loss->index)
        _Exit(0);
    CHECK(!crew_meet(loss->crew, index));
}

static void check_a_process_that_ends(unsigned count, unsigned index)
{
    struct loss loss = {crew_make(count, true, 1), index};
    CHECK(loss.crew != NULL);
    if (loss.crew == NULL)
        return;
    CHECK_EQUAL(crew_run(loss.crew, lose, &loss), 0);
    crew_free(loss.crew);
}

int main(void)
{
    for (unsigned count = 1; count <= COUNT; count++) {
        check_all_are_waited_for(false, count);
        if (copies_unsupported() == NULL)
            check_all_are_waited_for(true, count);
        for (unsigned index = 1; index < count && copies_unsupported() == NULL; index++)
            check_a_process_that_ends(count, index);
    }
    if (copies_unsupported() == NULL)
        check_a_meeting_is_over_before_its_members();
    return check_result();
}
