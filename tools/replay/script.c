/* Reads a log of record, as docs/record.md describes it: once for what was mapped at any time and
 * what happened, then to place that in one region. */
#define _GNU_SOURCE
#include "script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "record/runs.h"
#include "system/vm.h"

#define HEAD "recording 1\n"
#define LARGE ((uint64_t)2 << 20) /* what an entry of a page table above the lowest maps */

enum {
    MOST_SPACES = 1 << 16,
    MOST_SLOW = 16,
    BETWEEN = 4, /* places between an event and the next */
    MOVE_KEEPS = 4,
    ADVICE_DISCARD_LOCKED = 24, /* Linux 5.18 */
    ADVICE_GUARD = 102,         /* MADV_GUARD_INSTALL and _REMOVE, Linux 6.13 */
    ADVICE_UNGUARD = 103,
};

/* What was no longer writable from an event on. */
struct closing {
    struct run run;
    uint64_t place;
};

struct reader {
    struct script *script;
    uint64_t page;
    unsigned space;
    size_t room;
    struct runs ever; /* mapped at any time */
    struct runs writable, reserving, touched, given;
    struct run stack; /* of the first thread */
    struct closing *closings;
    size_t closing_count, closing_room;
    uint64_t brk, resident;
    int slow[MOST_SLOW]; /* threads whose munmap was carried out before its end */
    size_t slow_count;
    bool begun, failed; /* without memory */
};

/* Words of a line. */

static char *cut(char **rest)
{
    char *word = *rest;
    char *blank = strchr(word, ' ');
    *rest = blank != NULL ? blank + 1 : word + strlen(word);
    if (blank != NULL)
        *blank = '\0';
    return word;
}

static uint64_t cut_decimal(char **rest)
{
    return strtoull(cut(rest), NULL, 10);
}

static uint64_t cut_hexadecimal(char **rest)
{
    return strtoull(cut(rest), NULL, 16);
}

static struct run cut_run(char **rest)
{
    char *end;
    uint64_t start = strtoull(cut(rest), &end, 16);
    return (struct run){start, *end == '-' ? strtoull(end + 1, NULL, 16) : start};
}

/* GAP+PAGES, behind the end of the one before. */
static struct run cut_pages(char **rest, uint64_t before, uint64_t page)
{
    char *end;
    uint64_t start = before + strtoull(cut(rest), &end, 16) * page;
    return (struct run){start, start + (*end == '+' ? strtoull(end + 1, NULL, 16) : 0) * page};
}

/* Sets of addresses. */

static void add(struct reader *reader, struct runs *runs, struct run run)
{
    struct runs one = {0}, more = {0};
    if (run.start < run.end &&
        !(runs_append(&one, run.start, run.end) &&
          runs_minus(&one, run.start, run.end, runs, &more) && runs_add(runs, &more)))
        reader->failed = true;
    runs_free(&one);
    runs_free(&more);
}

static void take_away(struct reader *reader, struct runs *runs, struct run run)
{
    if (run.start < run.end && !runs_remove(runs, run.start, run.end))
        reader->failed = true;
}

static uint64_t size_within(const struct runs *runs, struct run run)
{
    uint64_t size = 0;
    for (size_t i = runs_first(runs, run.start); i < runs->count && runs->items[i].start < run.end;
         i++) {
        uint64_t start = runs->items[i].start > run.start ? runs->items[i].start : run.start;
        uint64_t end = runs->items[i].end < run.end ? runs->items[i].end : run.end;
        size += end - start;
    }
    return size;
}

static bool covers(const struct runs *runs, struct run run)
{
    return size_within(runs, run) == run.end - run.start;
}

static void forget(struct reader *reader, struct run run)
{
    reader->resident -= size_within(&reader->touched, run);
    take_away(reader, &reader->touched, run);
}

/* Events. */

static uint64_t place_now(const struct reader *reader)
{
    return (reader->script->count + 1) * BETWEEN;
}

static void emit(struct reader *reader, struct script_event event)
{
    struct script *script = reader->script;
    if (script->count == reader->room) {
        size_t room = reader->room == 0 ? 1024 : 2 * reader->room;
        struct script_event *events = realloc(script->events, room * sizeof *events);
        if (events == NULL) {
            reader->failed = true;
            return;
        }
        script->events = events;
        reader->room = room;
    }
    if (event.place == 0)
        event.place = place_now(reader);
    script->events[script->count++] = event;
}

static struct script_event on(enum script_kind kind, struct run run)
{
    return (struct script_event){.kind = kind, .start = run.start, .size = run.end - run.start};
}

/* What was given back is used, protected or moved: from here on it must be usable again. */
static void restore(struct reader *reader, struct run run)
{
    while (runs_meet(&reader->given, run.start, run.end) && !reader->failed) {
        struct run given = reader->given.items[runs_first(&reader->given, run.start)];
        emit(reader, on(SCRIPT_RESTORE, given));
        take_away(reader, &reader->given, given);
    }
}

/* Access is lost to what was writable: a page found touched later was touched before. */
static void close_writing(struct reader *reader, struct run run)
{
    if (runs_meet(&reader->writable, run.start, run.end)) {
        if (reader->closing_count == reader->closing_room) {
            size_t room = reader->closing_room == 0 ? 64 : 2 * reader->closing_room;
            struct closing *closings = realloc(reader->closings, room * sizeof *closings);
            if (closings == NULL) {
                reader->failed = true;
                return;
            }
            reader->closings = closings;
            reader->closing_room = room;
        }
        reader->closings[reader->closing_count++] = (struct closing){run, place_now(reader)};
    }
    take_away(reader, &reader->writable, run);
}

static void unmap(struct reader *reader, struct run run)
{
    forget(reader, run);
    take_away(reader, &reader->writable, run);
    take_away(reader, &reader->reserving, run);
    take_away(reader, &reader->given, run);
}

static void map(struct reader *reader, struct run run, int protection, bool reserves)
{
    struct script_event event = on(SCRIPT_MAP, run);
    if (run.start >= run.end)
        return;
    unmap(reader, run);
    add(reader, &reader->ever, run);
    event.protection = protection & (PROT_READ | PROT_WRITE | PROT_EXEC);
    event.reserves = reserves;
    event.commits = reader->begun && (protection & PROT_WRITE) != 0;
    event.empty = true;
    emit(reader, event);
    if ((protection & PROT_WRITE) != 0)
        add(reader, &reader->writable, run);
    if (reserves)
        add(reader, &reader->reserving, run);
}

static void protect(struct reader *reader, struct run run, int protection)
{
    struct script_event event = on(SCRIPT_PROTECT, run);
    bool writable = (protection & PROT_WRITE) != 0;
    restore(reader, run);
    event.protection = protection & (PROT_READ | PROT_WRITE | PROT_EXEC);
    event.commits = writable && !covers(&reader->writable, run);
    event.empty = event.protection == (PROT_READ | PROT_WRITE) &&
                  !runs_meet(&reader->touched, run.start, run.end) &&
                  covers(&reader->reserving, run);
    if (writable)
        add(reader, &reader->writable, run);
    else
        close_writing(reader, run);
    emit(reader, event);
}

static void advise(struct reader *reader, struct run run, int advice)
{
    struct script_event event = on(SCRIPT_ADVISE, run);
    bool discards = advice == MADV_DONTNEED || advice == ADVICE_DISCARD_LOCKED ||
                    advice == MADV_REMOVE || advice == ADVICE_GUARD;
    if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
        return; /* what it touches is touched by itself */
    event.advice = discards && advice != ADVICE_GUARD ? MADV_DONTNEED : advice;
    event.gives_back = (event.advice == MADV_DONTNEED || advice == MADV_FREE) &&
                       covers(&reader->writable, run) &&
                       !runs_meet(&reader->given, run.start, run.end);
    restore(reader, run);
    emit(reader, event);
    if (discards)
        forget(reader, run);
    if (event.gives_back)
        add(reader, &reader->given, run);
}

static void move_runs(struct reader *reader, struct runs *runs, struct run from, struct run to,
                      bool copies)
{
    struct runs moved = {0}, none = {0};
    uint64_t end = from.start + (to.end - to.start);
    if (!runs_minus(runs, from.start, from.end < end ? from.end : end, &none, &moved))
        reader->failed = true;
    if (!copies)
        take_away(reader, runs, from);
    take_away(reader, runs, to);
    for (size_t i = 0; i < moved.count; i++)
        add(reader, runs,
            (struct run){moved.items[i].start - from.start + to.start,
                         moved.items[i].end - from.start + to.start});
    if (moved.count > 0 && to.end - to.start > from.end - from.start)
        add(reader, runs, (struct run){to.start + (from.end - from.start), to.end});
    runs_free(&moved);
}

static void move_touched(struct reader *reader, struct run from, struct run to)
{
    struct run kept = from;
    uint64_t length = to.end - to.start;
    kept.end = from.end - from.start > length ? from.start + length : from.end;
    forget(reader, (struct run){kept.end, from.end});
    if (from.start == to.start)
        return;
    forget(reader, to);
    if (!runs_move(&reader->touched, from.start, to.start, kept.end - kept.start))
        reader->failed = true;
}

static void move(struct reader *reader, const uint64_t *arguments, uint64_t result)
{
    uint64_t size = (arguments[1] + reader->page - 1) / reader->page * reader->page;
    uint64_t more = (arguments[2] + reader->page - 1) / reader->page * reader->page;
    struct run from = {arguments[0], arguments[0] + size}, to = {result, result + more};
    struct script_event event = on(SCRIPT_MOVE, from);
    if (size == 0) { /* a second mapping of what is shared */
        map(reader, to, PROT_READ | PROT_WRITE, false);
        return;
    }
    restore(reader, from);
    if (from.start != to.start)
        take_away(reader, &reader->given, to);
    event.to = to.start;
    event.to_size = more;
    event.flags = from.start == to.start
                      ? 0
                      : MREMAP_MAYMOVE | MREMAP_FIXED | (int)(arguments[3] & MOVE_KEEPS);
    event.commits = more > size && runs_meet(&reader->writable, from.start, from.end);
    emit(reader, event);
    add(reader, &reader->ever, to);
    move_runs(reader, &reader->writable, from, to, (event.flags & MOVE_KEEPS) != 0);
    move_runs(reader, &reader->reserving, from, to, (event.flags & MOVE_KEEPS) != 0);
    move_touched(reader, from, to);
}

static void move_end_of_heap(struct reader *reader, uint64_t result)
{
    struct run run = {(reader->brk + reader->page - 1) / reader->page * reader->page,
                      (result + reader->page - 1) / reader->page * reader->page};
    reader->brk = result;
    if (run.end > run.start) {
        map(reader, run, PROT_READ | PROT_WRITE, true);
    } else if (run.end < run.start) {
        run = (struct run){run.end, run.start};
        emit(reader, on(SCRIPT_UNMAP, run));
        unmap(reader, run);
    }
}

/* Touches. */

/* It grows without a call, down to what is touched. */
static void grow_stack(struct reader *reader, uint64_t start)
{
    const uint64_t most = (uint64_t)1 << 32;
    struct run run = {start, reader->stack.start};
    if (start >= run.end || run.end - start > most || runs_meet(&reader->ever, start, start + 1))
        return;
    map(reader, run, PROT_READ | PROT_WRITE, true);
    reader->script->events[reader->script->count - 1].commits = false;
    reader->stack.start = start;
}

static void emit_touches(struct reader *reader, struct run run, uint64_t place)
{
    struct script_event event = on(SCRIPT_TOUCH, run);
    if (place == 0)
        restore(reader, run);
    event.place = place;
    emit(reader, event);
    reader->script->touches += event.size / reader->page;
}

/* Pages that are not writable now: touched before they ceased to be, or left out. */
static void touch_late(struct reader *reader, struct run run)
{
    for (uint64_t at = run.start; at < run.end; at += reader->page) {
        size_t i = reader->closing_count;
        while (i > 0 &&
               !(reader->closings[i - 1].run.start <= at && at < reader->closings[i - 1].run.end))
            i--;
        if (i == 0)
            reader->script->left_out++;
        else
            emit_touches(reader, (struct run){at, at + reader->page},
                         reader->closings[i - 1].place - 1);
    }
}

static void touch(struct reader *reader, struct run run)
{
    uint64_t at = run.start;
    grow_stack(reader, run.start);
    add(reader, &reader->touched, run);
    reader->resident += run.end - run.start;
    if (reader->resident > reader->script->resident)
        reader->script->resident = reader->resident;
    for (size_t i = runs_first(&reader->writable, run.start);
         i < reader->writable.count && reader->writable.items[i].start < run.end; i++) {
        struct run writable = reader->writable.items[i];
        writable.start = writable.start > run.start ? writable.start : run.start;
        writable.end = writable.end < run.end ? writable.end : run.end;
        touch_late(reader, (struct run){at, writable.start});
        emit_touches(reader, writable, 0);
        at = writable.end;
    }
    touch_late(reader, (struct run){at, run.end});
}

/* Records. */

static struct run pages_from(const struct reader *reader, uint64_t start, uint64_t size)
{
    return (struct run){start, start + (size + reader->page - 1) / reader->page * reader->page};
}

/* What is shared, or of the hugetlb pool, is charged to no mapping: as MAP_NORESERVE is. */
static void read_mmap(struct reader *reader, const uint64_t *arguments, uint64_t result)
{
    bool private = (arguments[3] & MAP_TYPE) == MAP_PRIVATE;
    map(reader, pages_from(reader, result, arguments[1]), (int)arguments[2],
        private && (arguments[3] & (MAP_NORESERVE | MAP_HUGETLB)) == 0);
}

static bool was_slow(struct reader *reader, int thread)
{
    for (size_t i = 0; i < reader->slow_count; i++)
        if (reader->slow[i] == thread) {
            reader->slow[i] = reader->slow[--reader->slow_count];
            return true;
        }
    return false;
}

static void read_unmapping(struct reader *reader, const uint64_t *arguments)
{
    struct run run = pages_from(reader, arguments[0], arguments[1]);
    emit(reader, on(SCRIPT_UNMAP, run));
    unmap(reader, run);
}

static void read_call(struct reader *reader, char *rest)
{
    uint64_t arguments[6] = {0};
    int thread = (int)cut_decimal(&rest);
    char *name = cut(&rest);
    char *result = cut(&rest);
    uint64_t value = strtoull(result, NULL, 16);
    cut(&rest);
    for (int i = 0; i < 6 && *rest != '\0'; i++)
        arguments[i] = cut_hexadecimal(&rest);
    if (*result == '-')
        return;
    struct run run = pages_from(reader, arguments[0], arguments[1]);
    if (strcmp(name, "mmap") == 0)
        read_mmap(reader, arguments, value);
    else if (strcmp(name, "munmap") == 0 && !was_slow(reader, thread))
        read_unmapping(reader, arguments);
    else if (strcmp(name, "mprotect") == 0 || strcmp(name, "pkey_mprotect") == 0)
        protect(reader, run, (int)arguments[2]);
    else if (strcmp(name, "madvise") == 0)
        advise(reader, run, (int)arguments[2]);
    else if (strcmp(name, "mremap") == 0)
        move(reader, arguments, value);
    else if (strcmp(name, "brk") == 0)
        move_end_of_heap(reader, value);
}

static void read_slow_call(struct reader *reader, char *rest)
{
    uint64_t arguments[2];
    int thread = (int)cut_decimal(&rest);
    if (strcmp(cut(&rest), "munmap") != 0 || reader->slow_count == MOST_SLOW)
        return;
    arguments[0] = cut_hexadecimal(&rest);
    arguments[1] = cut_hexadecimal(&rest);
    read_unmapping(reader, arguments);
    reader->slow[reader->slow_count++] = thread;
}

static int protection_of(const char *flags)
{
    return (strchr(flags, 'r') != NULL ? PROT_READ : 0) |
           (strchr(flags, 'w') != NULL ? PROT_WRITE : 0) |
           (strchr(flags, 'x') != NULL ? PROT_EXEC : 0);
}

/* What it begins with. The kernel's own pages ([vdso] and such) are everybody's. */
static void read_mapping(struct reader *reader, char *rest)
{
    struct run run = cut_run(&rest);
    char *flags = cut(&rest);
    if (strncmp(rest, "[v", 2) == 0)
        return;
    map(reader, run, protection_of(flags),
        strchr(flags, 's') == NULL && strchr(flags, 'n') == NULL && strchr(flags, 't') == NULL);
    if (strcmp(rest, "[stack]") == 0)
        reader->stack = run;
}

static void read_touches(struct reader *reader, char *rest, bool lost)
{
    struct run run = {0, 0};
    while (*rest != '\0') {
        run = cut_pages(&rest, run.end, reader->page);
        if (lost)
            forget(reader, run);
        else
            touch(reader, run);
    }
}

static void read_attached(struct reader *reader, char *rest)
{
    cut(&rest);
    struct run run = cut_run(&rest);
    map(reader, run, PROT_READ | PROT_WRITE, false);
}

/* A record of our space, behind its number. */
static void read_record(struct reader *reader, char kind, char *rest)
{
    if (kind != 'm' && !reader->begun) {
        reader->begun = true;
        reader->script->begun = reader->script->count;
    }
    switch (kind) {
    case 'm': read_mapping(reader, rest); break;
    case 'c': read_call(reader, rest); break;
    case 'b': read_slow_call(reader, rest); break;
    case 't': read_touches(reader, rest, false); break;
    case 'l': read_touches(reader, rest, true); break;
    case 'g': grow_stack(reader, cut_run(&rest).start); break;
    case 'a': read_attached(reader, rest); break;
    default: break;
    }
}

/* The log, line by line. */

static bool has_time(char kind)
{
    return strchr("EFTtlgcbsCxX", kind) != NULL;
}

static void read_line(struct reader *reader, char *line)
{
    char *rest = line, kind = *line;
    cut(&rest);
    if (kind == '#' || *rest == '\0')
        return;
    if (has_time(kind))
        cut(&rest);
    if ((unsigned)cut_decimal(&rest) != reader->space)
        return;
    if (kind == 'E') {
        cut(&rest);
        reader->brk = cut_hexadecimal(&rest);
    } else {
        read_record(reader, kind, rest);
    }
}

/* Pages touched by each program: what began as a copy of another is left out. */
struct census {
    uint64_t pages[MOST_SPACES];
    bool began[MOST_SPACES];
    bool blind; /* recorded without a look at what is touched */
};

static void count_line(struct census *census, char *line)
{
    char *rest = line, kind = *line;
    if (strcmp(line, "# touch no") == 0)
        census->blind = true;
    cut(&rest);
    if (kind != 'E' && kind != 't')
        return;
    cut(&rest);
    uint64_t space = cut_decimal(&rest);
    if (space >= MOST_SPACES)
        return;
    census->began[space] = census->began[space] || kind == 'E';
    for (struct run run; kind == 't' && *rest != '\0';) {
        run = cut_pages(&rest, 0, 1);
        census->pages[space] += run.end - run.start;
    }
}

static bool choose_space(const struct census *census, unsigned *space)
{
    *space = 0;
    for (unsigned i = 0; i < MOST_SPACES; i++)
        if (census->began[i] &&
            (!census->began[*space] || census->pages[i] > census->pages[*space]))
            *space = i;
    return census->pages[*space] > 0;
}

/* Calls each(context, line) for every whole line behind the first. False if that is another one. */
static bool for_each_line(FILE *file, void (*each)(void *context, char *line), void *context)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length = getline(&line, &size, file);
    bool ours = length > 0 && strcmp(line, HEAD) == 0;
    while (ours && (length = getline(&line, &size, file)) > 0 && line[length - 1] == '\n') {
        line[length - 1] = '\0';
        each(context, line);
    }
    free(line);
    return ours;
}

static void count_each(void *context, char *line)
{
    count_line(context, line);
}

static void read_each(void *context, char *line)
{
    struct reader *reader = context;
    if (!reader->failed)
        read_line(reader, line);
}

/* Placing. */

static int by_place(const void *a, const void *b)
{
    const struct script_event *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

/* `offsets[i]` is where the run i of what was ever mapped comes to lie: as far from a multiple of
 * LARGE as it was, and behind the one before: at once if it was so, else apart from it. */
static bool place_runs(struct reader *reader, uint64_t **offsets)
{
    const struct runs *ever = &reader->ever;
    uint64_t end = 0;
    *offsets = calloc(ever->count + 1, sizeof **offsets);
    if (*offsets == NULL)
        return false;
    for (size_t i = 0; i < ever->count; i++) {
        uint64_t start = end + (ever->items[i].start % LARGE - end % LARGE + LARGE) % LARGE;
        if (i > 0 && ever->items[i].start > ever->items[i - 1].end && start == end)
            start += LARGE;
        (*offsets)[i] = start;
        end = start + ever->items[i].end - ever->items[i].start;
    }
    reader->script->size = (size_t)((end + reader->page - 1) / reader->page * reader->page);
    reader->script->alignment = (size_t)LARGE;
    return true;
}

/* The first byte at or above `address`, or with `end` the last end at or below it. */
static uint64_t offset_of(const struct runs *ever, const uint64_t *offsets, uint64_t address,
                          bool end)
{
    size_t i = runs_first(ever, end ? address - 1 : address);
    if (i < ever->count && ever->items[i].start <= (end ? address - 1 : address))
        return offsets[i] + address - ever->items[i].start;
    if (!end)
        return i < ever->count ? offsets[i] : offsets[ever->count];
    return i == 0 ? 0 : offsets[i - 1] + ever->items[i - 1].end - ever->items[i - 1].start;
}

static void place_event(struct script_event *event, const struct runs *ever,
                        const uint64_t *offsets)
{
    uint64_t start = offset_of(ever, offsets, event->start, false);
    uint64_t end = offset_of(ever, offsets, event->start + event->size, true);
    event->start = start;
    event->size = end > start ? end - start : 0;
    if (event->kind == SCRIPT_MOVE)
        event->to = offset_of(ever, offsets, event->to, false);
}

static bool place_events(struct reader *reader)
{
    uint64_t *offsets;
    struct script *script = reader->script;
    if (!place_runs(reader, &offsets))
        return false;
    qsort(script->events, script->count, sizeof *script->events, by_place);
    for (size_t i = 0; i < script->count; i++)
        place_event(&script->events[i], &reader->ever, offsets);
    free(offsets);
    return true;
}

static bool refuse(char *message, size_t size, const char *why)
{
    snprintf(message, size, "%s", why);
    return false;
}

static bool read_file(FILE *file, struct reader *reader, char *message, size_t size)
{
    static struct census census;
    memset(&census, 0, sizeof census);
    if (!for_each_line(file, count_each, &census))
        return refuse(message, size, "memory.log in it is no recording of this version");
    if (census.blind || !choose_space(&census, &reader->space))
        return refuse(message, size,
                      census.blind ? "it was recorded with --no-touch, without what is touched"
                                   : "no program in it was seen to touch memory");
    rewind(file);
    for_each_line(file, read_each, reader);
    if (reader->failed || !place_events(reader))
        return refuse(message, size, "no memory for it");
    return true;
}

bool script_read(const char *folder, struct script *script, char *message, size_t size)
{
    char path[4200];
    struct reader reader = {.script = script, .page = vm_page_bytes()};
    *script = (struct script){.events = NULL};
    snprintf(path, sizeof path, "%s/memory.log", folder);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(message, size, "no memory.log to read in it: %s", strerror(errno));
        return false;
    }
    bool read = read_file(file, &reader, message, size);
    fclose(file);
    runs_free(&reader.ever);
    runs_free(&reader.writable);
    runs_free(&reader.reserving);
    runs_free(&reader.touched);
    runs_free(&reader.given);
    free(reader.closings);
    return read;
}
