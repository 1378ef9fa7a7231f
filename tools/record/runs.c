#include "runs.h"

#include <stdlib.h>
#include <string.h>

static const struct runs nothing;

void runs_free(struct runs *runs)
{
    free(runs->items);
    *runs = nothing;
}

size_t runs_first(const struct runs *runs, uint64_t address)
{
    size_t low = 0, high = runs->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (runs->items[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool runs_meet(const struct runs *runs, uint64_t start, uint64_t end)
{
    size_t at = runs_first(runs, start);
    return at < runs->count && runs->items[at].start < end;
}

static bool make_room(struct runs *runs, size_t more)
{
    if (runs->room - runs->count >= more)
        return true;
    size_t room = (runs->count + more) * 2;
    struct run *items = realloc(runs->items, room * sizeof *items);
    if (items == NULL)
        return false;
    runs->items = items;
    runs->room = room;
    return true;
}

bool runs_append(struct runs *runs, uint64_t start, uint64_t end)
{
    if (runs->count > 0 && runs->items[runs->count - 1].end == start) {
        runs->items[runs->count - 1].end = end;
        return true;
    }
    if (!make_room(runs, 1))
        return false;
    runs->items[runs->count++] = (struct run){start, end};
    return true;
}

/* Puts `count` runs where `gone` runs from `at` on stand now. */
static bool replace(struct runs *runs, size_t at, size_t gone, const struct run *items,
                    size_t count)
{
    if (!make_room(runs, count))
        return false;
    struct run *place = runs->items + at;
    memmove(place + count, place + gone, (runs->count - at - gone) * sizeof *place);
    memcpy(place, items, count * sizeof *place);
    runs->count += count - gone;
    return true;
}

bool runs_remove(struct runs *runs, uint64_t start, uint64_t end)
{
    struct run left[2];
    size_t count = 0, first = runs_first(runs, start), last = first;
    while (last < runs->count && runs->items[last].start < end) {
        struct run run = runs->items[last++];
        if (run.start < start)
            left[count++] = (struct run){run.start, start};
        if (run.end > end)
            left[count++] = (struct run){end, run.end};
    }
    return first == last || replace(runs, first, last - first, left, count);
}

bool runs_add(struct runs *runs, const struct runs *more)
{
    for (size_t from = 0, to; from < more->count; from = to) {
        size_t at = runs_first(runs, more->items[from].start);
        uint64_t next = at < runs->count ? runs->items[at].start : UINT64_MAX;
        for (to = from + 1; to < more->count && more->items[to].start < next;)
            to++;
        if (!replace(runs, at, 0, more->items + from, to - from))
            return false;
    }
    return true;
}

bool runs_include(struct runs *runs, uint64_t start, uint64_t end)
{
    struct run run = {start, end};
    const struct runs one = {&run, 1, 1};
    return start >= end || (runs_remove(runs, start, end) && runs_add(runs, &one));
}

uint64_t runs_size(const struct runs *runs, uint64_t start, uint64_t end)
{
    uint64_t size = 0;
    for (size_t i = runs_first(runs, start); i < runs->count && runs->items[i].start < end; i++) {
        uint64_t from = runs->items[i].start > start ? runs->items[i].start : start;
        uint64_t to = runs->items[i].end < end ? runs->items[i].end : end;
        size += to - from;
    }
    return size;
}

bool runs_minus(const struct runs *runs, uint64_t start, uint64_t end, const struct runs *others,
                struct runs *rest)
{
    size_t other = runs_first(others, start);
    bool done = true;
    for (size_t i = runs_first(runs, start); i < runs->count && runs->items[i].start < end; i++) {
        uint64_t from = runs->items[i].start > start ? runs->items[i].start : start;
        uint64_t to = runs->items[i].end < end ? runs->items[i].end : end;
        while (other < others->count && others->items[other].start < to) {
            if (others->items[other].start > from)
                done = done && runs_append(rest, from, others->items[other].start);
            if (others->items[other].end > from)
                from = others->items[other].end;
            if (from >= to)
                break;
            other++;
        }
        if (from < to)
            done = done && runs_append(rest, from, to);
    }
    return done;
}

bool runs_copy(struct runs *to, const struct runs *from)
{
    to->count = 0;
    return from->count == 0 || replace(to, 0, 0, from->items, from->count);
}

bool runs_move(struct runs *runs, uint64_t from, uint64_t to, uint64_t size)
{
    struct runs moved = {0};
    bool done = runs_minus(runs, from, from + size, &nothing, &moved) &&
                runs_remove(runs, from, from + size) && runs_remove(runs, to, to + size);
    for (size_t i = 0; i < moved.count; i++) {
        moved.items[i].start = moved.items[i].start - from + to;
        moved.items[i].end = moved.items[i].end - from + to;
    }
    done = done && runs_add(runs, &moved);
    runs_free(&moved);
    return done;
}
