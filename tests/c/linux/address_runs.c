/* Sets of addresses: against a table of 64 flags, over random changes. */
#include "record/runs.h"

#include <stdlib.h>

#include "check.h"

enum { SIZE = 64 };

static bool flags_of(const struct runs *runs, bool *flags)
{
    memset(flags, 0, SIZE);
    for (size_t i = 0; i < runs->count; i++) {
        if (runs->items[i].start >= runs->items[i].end ||
            (i > 0 && runs->items[i].start < runs->items[i - 1].end))
            return false;
        memset(flags + runs->items[i].start, 1, runs->items[i].end - runs->items[i].start);
    }
    return true;
}

static void check_flags(const struct runs *runs, const bool *expected)
{
    bool flags[SIZE];
    CHECK(flags_of(runs, flags));
    CHECK(memcmp(flags, expected, SIZE) == 0);
    for (size_t start = 0; start < SIZE; start += 7) {
        size_t within = 0;
        for (size_t i = start; i < SIZE - start / 2; i++)
            within += expected[i];
        CHECK_EQUAL(runs_size(runs, start, SIZE - start / 2), within);
    }
}

/* Adds what is not there yet of a range, as record does with what it sees touched. */
static void add(struct runs *runs, bool *flags, uint64_t start, uint64_t end)
{
    struct runs now = {0}, more = {0};
    runs_append(&now, start, end);
    CHECK(runs_minus(&now, 0, SIZE, runs, &more));
    for (uint64_t i = start; i < end; i++)
        CHECK_EQUAL(runs_meet(&more, i, i + 1), !flags[i]);
    CHECK(runs_add(runs, &more));
    memset(flags + start, 1, end - start);
    runs_free(&now);
    runs_free(&more);
}

static void check_changes(void)
{
    struct runs runs = {0}, copy = {0};
    bool flags[SIZE] = {0};
    uint64_t state = 1;
    for (int i = 0; i < 3000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint64_t start = state >> 40 & 31, length = 1 + (state >> 50 & 7);
        if ((state >> 60) < 4) {
            add(&runs, flags, start, start + length);
        } else if ((state >> 60) < 8) {
            CHECK(runs_include(&runs, start, start + length));
            memset(flags + start, 1, length);
        } else if ((state >> 60) < 14) {
            CHECK(runs_remove(&runs, start, start + length));
            memset(flags + start, 0, length);
        } else {
            CHECK(runs_move(&runs, start, start + 20, length));
            memcpy(flags + start + 20, flags + start, length);
            memset(flags + start, 0, length);
        }
        check_flags(&runs, flags);
        CHECK(runs_copy(&copy, &runs));
        check_flags(&copy, flags);
    }
    runs_free(&runs);
    runs_free(&copy);
}

int main(void)
{
    check_changes();
    struct runs runs = {0}, none = {0}, rest = {0};
    runs_append(&runs, 2, 4);
    runs_append(&runs, 4, 6);
    runs_append(&runs, 8, 9);
    CHECK_EQUAL(runs.count, 2);
    CHECK_EQUAL(runs_first(&runs, 5), 0);
    CHECK_EQUAL(runs_first(&runs, 6), 1);
    CHECK_EQUAL(runs_first(&runs, 9), 2);
    CHECK(!runs_meet(&runs, 6, 8));
    CHECK(runs_minus(&runs, 3, 9, &none, &rest));
    CHECK_EQUAL(rest.items[0].start, 3);
    CHECK_EQUAL(rest.count, 2);
    runs_free(&runs);
    runs_free(&rest);
    return check_result();
}
