/* What is alike for threads on every system. */
#include "system/thread.h"

static bool has(const struct thread_places *places, unsigned place)
{
    return (places->bits[place / 64] >> place % 64 & 1) != 0;
}

static unsigned count_places(const struct thread_places *places)
{
    unsigned count = 0;
    for (unsigned place = 0; place < THREAD_PLACES; place++)
        count += has(places, place);
    return count;
}

void thread_pin(const struct thread_places *places, unsigned index)
{
    struct thread_places one = {{0}};
    unsigned count = count_places(places);
    unsigned place = 0;
    if (count == 0)
        return;
    for (unsigned left = index % count; !has(places, place) || left-- > 0;)
        place++;
    one.bits[place / 64] = (uint64_t)1 << place % 64;
    thread_allow(&one);
}

/* By recursion, so that a sanitizer's bookkeeping of the stack is touched as well. */
static void touch_stack(int depth)
{
    volatile unsigned char frame[1024];
    frame[0] = 0;
    if (depth > 0)
        touch_stack(depth - 1);
    frame[sizeof frame - 1] = 0;
}

void thread_touch_stack(void)
{
    touch_stack(64);
}
