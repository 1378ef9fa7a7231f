/* The processors that a thread may run on, as sched_setaffinity(2) has them. */
#define _GNU_SOURCE
#include <sched.h>

#include "check.h"
#include "system/thread.h"

static int count(const struct thread_places *places)
{
    int set = 0;
    for (unsigned place = 0; place < THREAD_PLACES; place++)
        set += (places->bits[place / 64] >> place % 64 & 1) != 0;
    return set;
}

static int allowed(void)
{
    cpu_set_t set;
    CHECK_EQUAL(sched_getaffinity(0, sizeof set, &set), 0);
    return CPU_COUNT(&set);
}

int main(void)
{
    struct thread_places all, now;
    int most = allowed();
    thread_read_places(&all);
    CHECK_EQUAL(count(&all), most);
    for (unsigned index = 0; index < 2 * (unsigned)most; index++) {
        thread_pin(&all, index);
        CHECK_EQUAL(allowed(), 1);
        thread_read_places(&now);
        CHECK_EQUAL(count(&now), 1);
    }
    thread_allow(&all);
    thread_read_places(&now);
    CHECK_EQUAL(memcmp(&now, &all, sizeof all), 0);
    return check_result();
}
