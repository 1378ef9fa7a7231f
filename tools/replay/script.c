/* Reads a log of record, as docs/record.md describes it: once for the program that touched most,
 * once for what it did; then places all that was mapped at any time in one region. */
#define _GNU_SOURCE
#include "script.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
    size_t line;  /* that is read, from 1 */
    bool damaged; /* is what it says */
};

/* Words of a line. */

struct words {
    char *rest;   /* behind those that were cut off */
    bool damaged; /* a word was missing, or was no number */
};

static char *cut(struct words *words)
{
    char *word = words->rest;
    char *blank = strchr(word, ' ');
    words->damaged = words->damaged || *word == '\0';
    words->rest = blank != NULL ? blank + 1 : word + strlen(word);
    if (blank != NULL)
        *blank = '\0';
    return word;
}

/* A number, which begins with a digit, and `end` behind it. Goes on behind that. */
static uint64_t parse(struct words *words, char **at, int base, char end)
{
    char *first = *at;
    bool digit = base == 16 ? isxdigit((unsigned char)*first) : isdigit((unsigned char)*first);
    errno = 0;
    uint64_t number = strtoull(first, at, base);
    if (!digit || **at != end || errno != 0)
        words->damaged = true;
    *at += **at != '\0';
    return number;
}

static uint64_t cut_decimal(struct words *words)
{
    char *word = cut(words);
    return parse(words, &word, 10, '\0');
}

static uint64_t cut_hexadecimal(struct words *words)
{
    char *word = cut(words);
    return parse(words, &word, 16, '\0');
}

/* START-END, with `end` behind it. */
static struct run cut_run(struct words *words, char end)
{
    char *word = cut(words);
    struct run run;
    run.start = parse(words, &word, 16, '-');
    run.end = parse(words, &word, 16, end);
    return run;
}

/* GAP+PAGES, behind the end of the one before. */
static struct run cut_pages(struct words *words, uint64_t before, uint64_t page)
{
    char *word = cut(words);
    uint64_t start = before + parse(words, &word, 16, '+') * page;
    return (struct run){start, start + parse(words, &word, 16, '\0') * page};
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

/* What a call is given at least. */
static size_t arguments_of(const char *name)
{
    static const struct {
        const char *name;
        size_t count;
    } calls[] = {{"mmap", 6},          {"munmap", 2},  {"mprotect", 3},
                 {"pkey_mprotect", 3}, {"madvise", 3}, {"mremap", 4}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].name, name) == 0)
            return calls[i].count;
    return 0;
}

static void read_call(struct reader *reader, struct words *words)
{
    uint64_t arguments[6] = {0};
    size_t count = 0;
    int thread = (int)cut_decimal(words);
    const char *name = cut(words);
    char *result = cut(words);
    bool failed = *result == '-';
    result += failed;
    uint64_t value = parse(words, &result, failed ? 10 : 16, '\0');
    cut_decimal(words);
    for (; count < 6 && *words->rest != '\0'; count++)
        arguments[count] = cut_hexadecimal(words);
    bool maps = strcmp(name, "mmap") == 0;
    if (count < arguments_of(name) || (maps && !failed && value % reader->player.page != 0))
        words->damaged = true;
    if (failed || words->damaged)
        return;
    struct run run = pages_from(reader, arguments[0], arguments[1]);
    if (maps)
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

static void read_slow_call(struct reader *reader, struct words *words)
{
    uint64_t arguments[2];
    int thread = (int)cut_decimal(words);
    if (strcmp(cut(words), "munmap") != 0 || reader->slow_count == MOST_SLOW)
        return;
    arguments[0] = cut_hexadecimal(words);
    arguments[1] = cut_hexadecimal(words);
    if (words->damaged)
        return;
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
static void read_mapping(struct reader *reader, struct words *words)
{
    struct run run = cut_run(words, '\0');
    const char *flags = cut(words), *name = words->rest;
    if (words->damaged || strncmp(name, "[v", 2) == 0)
        return;
    player_map(&reader->player, run, protection_of(flags),
               strchr(flags, 's') == NULL && strchr(flags, 'n') == NULL &&
                   strchr(flags, 't') == NULL);
    if (strcmp(name, "[stack]") == 0)
        reader->player.stack = run;
}

static void read_touches(struct reader *reader, struct words *words, bool lost)
{
    struct run run = {0, 0};
    while (*words->rest != '\0') {
        run = cut_pages(words, run.end, reader->player.page);
        if (words->damaged)
            return;
        if (lost)
            player_forget(&reader->player, run);
        else
            player_touch(&reader->player, run);
    }
}

static void read_grown(struct reader *reader, struct words *words)
{
    struct run run = cut_run(words, '\0');
    if (!words->damaged)
        player_grow_stack(&reader->player, run.start);
}

static void read_attached(struct reader *reader, struct words *words)
{
    cut_decimal(words);
    struct run run = cut_run(words, ':');
    if (!words->damaged)
        player_map(&reader->player, run, PROT_READ | PROT_WRITE, false);
}

/* A record of our space, behind its number. */
static void read_record(struct reader *reader, char kind, struct words *words)
{
    if (kind != 'm' && !reader->player.begun) {
        reader->player.begun = true;
        reader->player.script->begun = reader->player.script->count;
    }
    switch (kind) {
    case 'm': read_mapping(reader, words); break;
    case 'c': read_call(reader, words); break;
    case 'b': read_slow_call(reader, words); break;
    case 't': read_touches(reader, words, false); break;
    case 'l': read_touches(reader, words, true); break;
    case 'g': read_grown(reader, words); break;
    case 'a': read_attached(reader, words); break;
    default: break;
    }
}

/* The log, line by line. */

static const char WITH_TIME[] = "EFTtlgcbsSCxX", WITHOUT_TIME[] = "mvahokw";

static bool has_time(char kind)
{
    return kind != '\0' && strchr(WITH_TIME, kind) != NULL;
}

/* A letter and a blank; letters that are not known are passed over, and so are facts. */
static bool is_record(const char *line)
{
    return isalpha((unsigned char)*line) && line[1] == ' ';
}

static void read_line(struct reader *reader, char *line)
{
    struct words words = {.rest = line};
    char kind = *line;
    if (kind == '#')
        return;
    words.damaged = !is_record(line);
    if (!words.damaged && !has_time(kind) && strchr(WITHOUT_TIME, kind) == NULL)
        return;
    cut(&words);
    if (has_time(kind))
        cut_decimal(&words);
    if ((unsigned)cut_decimal(&words) == reader->space && !words.damaged) {
        if (kind == 'E') {
            cut_decimal(&words);
            reader->player.brk = cut_hexadecimal(&words);
        } else {
            read_record(reader, kind, &words);
        }
    }
    reader->damaged = words.damaged;
}

/* Pages touched by each program: what began as a copy of another is left out. */
struct census {
    uint64_t pages[MOST_SPACES];
    bool began[MOST_SPACES];
    const char *unfit; /* why it can't be replayed; NULL: it can */
};

/* What is damaged in a line is told when the line is read. */
static void count_line(struct census *census, char *line)
{
    struct words words = {.rest = line};
    char kind = *line;
    if (strncmp(line, "# sampled ", 10) == 0)
        census->unfit = "it was sampled, without the calls; record the program without --sample";
    else if (strcmp(line, "# touch no") == 0 && census->unfit == NULL)
        census->unfit = "it was recorded with --no-touch, without what is touched";
    cut(&words);
    if (kind != 'E' && kind != 't')
        return;
    cut(&words);
    uint64_t space = cut_decimal(&words);
    if (space >= MOST_SPACES)
        return;
    census->began[space] = census->began[space] || kind == 'E';
    for (struct run run; kind == 't' && *words.rest != '\0';) {
        run = cut_pages(&words, 0, 1);
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

/* Calls each(context, line) for every whole line behind the first. False if that is another one.
 * A line with a zero byte in it is handed on as an empty one. */
static bool for_each_line(FILE *file, void (*each)(void *context, char *line), void *context)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length = getline(&line, &size, file);
    bool ours = length > 0 && strcmp(line, HEAD) == 0;
    while (ours && (length = getline(&line, &size, file)) > 0 && line[length - 1] == '\n') {
        line[length - 1] = '\0';
        if (strlen(line) < (size_t)length - 1)
            *line = '\0';
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
    if (reader->player.failed || reader->damaged)
        return;
    reader->line++;
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
    reader->line = 1; /* the head */
    for_each_line(file, read_each, reader);
    if (reader->damaged) {
        snprintf(message, size, "line %zu of memory.log in it is damaged", reader->line);
        return false;
    }
    if (reader->player.failed || !place_events(reader))
        return refuse(message, size, "no memory for it");
    return true;
}

/* NULL, and errno, where there is none, or where it is no file, as a pipe that nobody writes to. */
static FILE *open_file(const char *path)
{
    struct stat about;
    FILE *file = NULL;
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return NULL;
    errno = ENOTSUP;
    if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode))
        file = fdopen(descriptor, "r");
    if (file == NULL) {
        int error = errno;
        close(descriptor);
        errno = error;
    }
    return file;
}

bool script_read(const char *folder, struct script *script, char *message, size_t size)
{
    char path[4200];
    struct reader reader = {.player = {.script = script, .page = vm_page_bytes()}};
    *script = (struct script){.events = NULL};
    snprintf(path, sizeof path, "%s/memory.log", folder);
    FILE *file = open_file(path);
    if (file == NULL) {
        snprintf(message, size, "no memory.log to read in it: %s", strerror(errno));
        return false;
    }
    bool read = read_file(file, &reader, message, size);
    fclose(file);
    player_free(&reader.player);
    return read;
}
