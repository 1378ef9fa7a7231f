/* Keeps of a space what the order of its events depends on: what is writable, touched and given
 * back. */
#define _GNU_SOURCE
#include "player.h"

#include <stdlib.h>

#include "system/linux/uapi.h"

enum {
    BETWEEN = 4, /* places between an event and the next */
    MOVE_KEEPS = 4,
};

/* What was no longer writable from an event on. */
struct closing {
    struct run run;
    uint64_t place;
};

/* Sets of addresses. */

static void add(struct player *player, struct runs *runs, struct run run)
{
    if (!runs_include(runs, run.start, run.end))
        player->failed = true;
}

static void take_away(struct player *player, struct runs *runs, struct run run)
{
    if (run.start < run.end && !runs_remove(runs, run.start, run.end))
        player->failed = true;
}

static bool covers(const struct runs *runs, struct run run)
{
    return runs_size(runs, run.start, run.end) == run.end - run.start;
}

void player_forget(struct player *player, struct run run)
{
    player->resident -= runs_size(&player->touched, run.start, run.end);
    take_away(player, &player->touched, run);
}

/* Events. */

static uint64_t place_now(const struct player *player)
{
    return (player->script->count + 1) * BETWEEN;
}

static void emit(struct player *player, struct script_event event)
{
    struct script *script = player->script;
    if (script->count == player->room) {
        size_t room = player->room == 0 ? 1024 : 2 * player->room;
        struct script_event *events = realloc(script->events, room * sizeof *events);
        if (events == NULL) {
            player->failed = true;
            return;
        }
        script->events = events;
        player->room = room;
    }
    if (event.place == 0)
        event.place = place_now(player);
    script->events[script->count++] = event;
}

static struct script_event on(enum script_kind kind, struct run run)
{
    return (struct script_event){.kind = kind, .start = run.start, .size = run.end - run.start};
}

/* What was given back is used, protected or moved: from here on it must be usable again. */
static void restore(struct player *player, struct run run)
{
    while (runs_meet(&player->given, run.start, run.end) && !player->failed) {
        struct run given = player->given.items[runs_first(&player->given, run.start)];
        emit(player, on(SCRIPT_RESTORE, given));
        take_away(player, &player->given, given);
    }
}

/* Access is lost to what was writable: a page found touched later was touched before. */
static void close_writing(struct player *player, struct run run)
{
    if (runs_meet(&player->writable, run.start, run.end)) {
        if (player->closing_count == player->closing_room) {
            size_t room = player->closing_room == 0 ? 64 : 2 * player->closing_room;
            struct closing *closings = realloc(player->closings, room * sizeof *closings);
            if (closings == NULL) {
                player->failed = true;
                return;
            }
            player->closings = closings;
            player->closing_room = room;
        }
        player->closings[player->closing_count++] = (struct closing){run, place_now(player)};
    }
    take_away(player, &player->writable, run);
}

static void unmap(struct player *player, struct run run)
{
    player_forget(player, run);
    take_away(player, &player->writable, run);
    take_away(player, &player->reserving, run);
    take_away(player, &player->given, run);
}

void player_unmap(struct player *player, struct run run)
{
    emit(player, on(SCRIPT_UNMAP, run));
    unmap(player, run);
}

void player_map(struct player *player, struct run run, int protection, bool reserves)
{
    struct script_event event = on(SCRIPT_MAP, run);
    if (run.start >= run.end)
        return;
    unmap(player, run);
    add(player, &player->ever, run);
    event.protection = protection & (PROT_READ | PROT_WRITE | PROT_EXEC);
    event.reserves = reserves;
    event.commits = player->begun && (protection & PROT_WRITE) != 0;
    event.empty = true;
    emit(player, event);
    if ((protection & PROT_WRITE) != 0)
        add(player, &player->writable, run);
    if (reserves)
        add(player, &player->reserving, run);
}

void player_protect(struct player *player, struct run run, int protection)
{
    struct script_event event = on(SCRIPT_PROTECT, run);
    bool writable = (protection & PROT_WRITE) != 0;
    restore(player, run);
    event.protection = protection & (PROT_READ | PROT_WRITE | PROT_EXEC);
    event.commits = writable && !covers(&player->writable, run);
    event.empty = event.protection == (PROT_READ | PROT_WRITE) &&
                  !runs_meet(&player->touched, run.start, run.end) &&
                  covers(&player->reserving, run);
    if (writable)
        add(player, &player->writable, run);
    else
        close_writing(player, run);
    emit(player, event);
}

void player_advise(struct player *player, struct run run, int advice)
{
    struct script_event event = on(SCRIPT_ADVISE, run);
    bool discards = advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED ||
                    advice == MADV_REMOVE || advice == MADV_GUARD_INSTALL;
    if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
        return; /* what it touches is touched by itself */
    event.advice = discards && advice != MADV_GUARD_INSTALL ? MADV_DONTNEED : advice;
    event.gives_back = (event.advice == MADV_DONTNEED || advice == MADV_FREE) &&
                       covers(&player->writable, run) &&
                       !runs_meet(&player->given, run.start, run.end);
    restore(player, run);
    emit(player, event);
    if (discards)
        player_forget(player, run);
    if (event.gives_back)
        add(player, &player->given, run);
}

static void move_runs(struct player *player, struct runs *runs, struct run from, struct run to,
                      bool copies)
{
    struct runs moved = {0}, none = {0};
    uint64_t end = from.start + (to.end - to.start);
    if (!runs_minus(runs, from.start, from.end < end ? from.end : end, &none, &moved))
        player->failed = true;
    if (!copies)
        take_away(player, runs, from);
    take_away(player, runs, to);
    for (size_t i = 0; i < moved.count; i++)
        add(player, runs,
            (struct run){moved.items[i].start - from.start + to.start,
                         moved.items[i].end - from.start + to.start});
    if (moved.count > 0 && to.end - to.start > from.end - from.start)
        add(player, runs, (struct run){to.start + (from.end - from.start), to.end});
    runs_free(&moved);
}

static void move_touched(struct player *player, struct run from, struct run to)
{
    struct run kept = from;
    uint64_t length = to.end - to.start;
    kept.end = from.end - from.start > length ? from.start + length : from.end;
    player_forget(player, (struct run){kept.end, from.end});
    if (from.start == to.start)
        return;
    player_forget(player, to);
    if (!runs_move(&player->touched, from.start, to.start, kept.end - kept.start))
        player->failed = true;
}

void player_move(struct player *player, const uint64_t *arguments, uint64_t result)
{
    uint64_t size = (arguments[1] + player->page - 1) / player->page * player->page;
    uint64_t more = (arguments[2] + player->page - 1) / player->page * player->page;
    struct run from = {arguments[0], arguments[0] + size}, to = {result, result + more};
    struct script_event event = on(SCRIPT_MOVE, from);
    if (size == 0) { /* a second mapping of what is shared */
        player_map(player, to, PROT_READ | PROT_WRITE, false);
        return;
    }
    restore(player, from);
    if (from.start != to.start)
        take_away(player, &player->given, to);
    event.to = to.start;
    event.to_size = more;
    event.flags = from.start == to.start
                      ? 0
                      : MREMAP_MAYMOVE | MREMAP_FIXED | (int)(arguments[3] & MOVE_KEEPS);
    event.commits = more > size && runs_meet(&player->writable, from.start, from.end);
    emit(player, event);
    add(player, &player->ever, to);
    move_runs(player, &player->writable, from, to, (event.flags & MOVE_KEEPS) != 0);
    move_runs(player, &player->reserving, from, to, (event.flags & MOVE_KEEPS) != 0);
    move_touched(player, from, to);
}

void player_move_heap(struct player *player, uint64_t result)
{
    struct run run = {(player->brk + player->page - 1) / player->page * player->page,
                      (result + player->page - 1) / player->page * player->page};
    player->brk = result;
    if (run.end > run.start) {
        player_map(player, run, PROT_READ | PROT_WRITE, true);
    } else if (run.end < run.start) {
        run = (struct run){run.end, run.start};
        player_unmap(player, run);
    }
}

/* Touches. */

/* It grows without a call, down to what is touched. */
void player_grow_stack(struct player *player, uint64_t start)
{
    const uint64_t most = (uint64_t)1 << 32;
    struct run run = {start, player->stack.start};
    if (start >= run.end || run.end - start > most || runs_meet(&player->ever, start, start + 1))
        return;
    player_map(player, run, PROT_READ | PROT_WRITE, true);
    player->script->events[player->script->count - 1].commits = false;
    player->stack.start = start;
}

static void emit_touches(struct player *player, struct run run, uint64_t place)
{
    struct script_event event = on(SCRIPT_TOUCH, run);
    if (place == 0)
        restore(player, run);
    event.place = place;
    emit(player, event);
    player->script->touches += event.size / player->page;
}

/* The last closing that holds an address, NULL if none does, and up to where that is so. */
static const struct closing *last_closing(const struct player *player, struct run *run)
{
    const struct closing *last = NULL;
    for (size_t i = 0; i < player->closing_count; i++) {
        const struct closing *closing = &player->closings[i];
        bool holds = closing->run.start <= run->start && run->start < closing->run.end;
        uint64_t bound = holds ? closing->run.end : closing->run.start;
        last = holds ? closing : last;
        run->end = run->start < bound && bound < run->end ? bound : run->end;
    }
    return last;
}

/* Pages that are not writable now: touched before they ceased to be; left out if they never were,
 * such as those that a debugger wrote to. */
static void touch_late(struct player *player, struct run run)
{
    for (struct run part = run; part.start < run.end; part = (struct run){part.end, run.end}) {
        const struct closing *closing = last_closing(player, &part);
        if (closing != NULL)
            emit_touches(player, part, closing->place - 1);
    }
}

void player_touch(struct player *player, struct run run)
{
    uint64_t at = run.start;
    player_grow_stack(player, run.start);
    add(player, &player->touched, run);
    player->resident += run.end - run.start;
    if (player->resident > player->script->resident)
        player->script->resident = player->resident;
    for (size_t i = runs_first(&player->writable, run.start);
         i < player->writable.count && player->writable.items[i].start < run.end; i++) {
        struct run writable = player->writable.items[i];
        writable.start = writable.start > run.start ? writable.start : run.start;
        writable.end = writable.end < run.end ? writable.end : run.end;
        touch_late(player, (struct run){at, writable.start});
        emit_touches(player, writable, 0);
        at = writable.end;
    }
    touch_late(player, (struct run){at, run.end});
}

void player_free(struct player *player)
{
    runs_free(&player->ever);
    runs_free(&player->writable);
    runs_free(&player->reserving);
    runs_free(&player->touched);
    runs_free(&player->given);
    free(player->closings);
}
