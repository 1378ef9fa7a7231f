/* Reads a log of record, as docs/record.md describes it: once for the program that touched most,
 * once for what it did; then places all that was mapped at any time in one region. */
#define _GNU_SOURCE
#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "player.h"
#include "system/vm.h"

#define HEAD "recording 1\n"
#define LARGE ((uint64_t)2 << 20) /* what an entry of a page table above the lowest maps */

enum { MOST_SPACES = 1 << 16, MOST_SLOW = 16 };

struct reader {
    struct player player;
    unsigned space;
    int slow[MOST_SLOW]; /* threads whose munmap was carried out before its end */
    size_t slow_count;
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

/* Records. */

static struct run pages_from(const struct reader *reader, uint64_t start, uint64_t size)
{
    return (struct run){start, start + (size + reader->player.page - 1) / reader->player.page *
                                           reader->player.page};
}

/* What is shared, or of the hugetlb pool, is charged to no mapping: as MAP_NORESERVE is. */
static void read_mmap(struct reader *reader, const uint64_t *arguments, uint64_t result)
{
    bool private = (arguments[3] & MAP_TYPE) == MAP_PRIVATE;
    player_map(&reader->player, pages_from(reader, result, arguments[1]), (int)arguments[2],
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
    player_unmap(&reader->player, run);
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
        player_protect(&reader->player, run, (int)arguments[2]);
    else if (strcmp(name, "madvise") == 0)
        player_advise(&reader->player, run, (int)arguments[2]);
    else if (strcmp(name, "mremap") == 0)
        player_move(&reader->player, arguments, value);
    else if (strcmp(name, "brk") == 0)
        player_move_heap(&reader->player, value);
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
    player_map(&reader->player, run, protection_of(flags),
               strchr(flags, 's') == NULL && strchr(flags, 'n') == NULL &&
                   strchr(flags, 't') == NULL);
    if (strcmp(rest, "[stack]") == 0)
        reader->player.stack = run;
}

static void read_touches(struct reader *reader, char *rest, bool lost)
{
    struct run run = {0, 0};
    while (*rest != '\0') {
        run = cut_pages(&rest, run.end, reader->player.page);
        if (lost)
            player_forget(&reader->player, run);
        else
            player_touch(&reader->player, run);
    }
}

static void read_attached(struct reader *reader, char *rest)
{
    cut(&rest);
    struct run run = cut_run(&rest);
    player_map(&reader->player, run, PROT_READ | PROT_WRITE, false);
}

/* A record of our space, behind its number. */
static void read_record(struct reader *reader, char kind, char *rest)
{
    if (kind != 'm' && !reader->player.begun) {
        reader->player.begun = true;
        reader->player.script->begun = reader->player.script->count;
    }
    switch (kind) {
    case 'm': read_mapping(reader, rest); break;
    case 'c': read_call(reader, rest); break;
    case 'b': read_slow_call(reader, rest); break;
    case 't': read_touches(reader, rest, false); break;
    case 'l': read_touches(reader, rest, true); break;
    case 'g': player_grow_stack(&reader->player, cut_run(&rest).start); break;
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
        reader->player.brk = cut_hexadecimal(&rest);
    } else {
        read_record(reader, kind, rest);
    }
}

/* Pages touched by each program: what began as a copy of another is left out. */
struct census {
    uint64_t pages[MOST_SPACES];
    bool began[MOST_SPACES];
    const char *unfit; /* why it can't be replayed; NULL: it can */
};

static void count_line(struct census *census, char *line)
{
    char *rest = line, kind = *line;
    if (strncmp(line, "# sampled ", 10) == 0)
        census->unfit = "it was sampled, without the calls; record the program without --sample";
    else if (strcmp(line, "# touch no") == 0 && census->unfit == NULL)
        census->unfit = "it was recorded with --no-touch, without what is touched";
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
    if (!reader->player.failed)
        read_line(reader, line);
}

/* Placing. */

static int by_place(const void *a, const void *b)
{
    const struct script_event *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

/* `offsets[i]` is where the run i of what was ever mapped comes to lie: as far from a multiple of
 * LARGE as it was, and behind the one before: at once if it was so, else apart from it. The last
 * one is the end of all. */
static bool place_runs(struct reader *reader, uint64_t **offsets)
{
    const struct runs *ever = &reader->player.ever;
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
    (*offsets)[ever->count] = end;
    reader->player.script->size =
        (size_t)((end + reader->player.page - 1) / reader->player.page * reader->player.page);
    reader->player.script->alignment = (size_t)LARGE;
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
    struct script *script = reader->player.script;
    if (!place_runs(reader, &offsets))
        return false;
    qsort(script->events, script->count, sizeof *script->events, by_place);
    for (size_t i = 0; i < script->count; i++)
        place_event(&script->events[i], &reader->player.ever, offsets);
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
    if (census.unfit != NULL || !choose_space(&census, &reader->space))
        return refuse(message, size,
                      census.unfit != NULL ? census.unfit
                                           : "no program in it was seen to touch memory");
    rewind(file);
    for_each_line(file, read_each, reader);
    if (reader->player.failed || !place_events(reader))
        return refuse(message, size, "no memory for it");
    return true;
}

bool script_read(const char *folder, struct script *script, char *message, size_t size)
{
    char path[4200];
    struct reader reader = {.player = {.script = script, .page = vm_page_bytes()}};
    *script = (struct script){.events = NULL};
    snprintf(path, sizeof path, "%s/memory.log", folder);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(message, size, "no memory.log to read in it: %s", strerror(errno));
        return false;
    }
    bool read = read_file(file, &reader, message, size);
    fclose(file);
    player_free(&reader.player);
    return read;
}
