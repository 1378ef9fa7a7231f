/* calls: what single calls on memory cost by the size and the state of what they are given, with
 * and without many other reservations beside it, as CSV on standard output.
 *
 * An episode brings a range into a state and times calls on it. All episodes take turns, in a new
 * random order each repeat; a short one is made several times in its turn, whose rows have the
 * mean of the middle half. Counts are read once, in a repeat of their own that is not timed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "cycle.h"
#include "region.h"
#include "system/calls.h"
#include "system/maps.h"
#include "tool.h"
#include "values.h"
#include "workload.h"

enum call {
    RESERVE,
    RESERVE_TOP_DOWN,
    RESERVE_BOTTOM_UP,
    COMMIT,
    DECOMMIT,
    PROTECT_NONE,
    PROTECT_READ,
    PROTECT_WRITE,
    LOCK,
    UNLOCK,
    RELEASE,
    QUERY /* the first of calls_queries, behind which the others follow */
};

static const char *const call_names[] = {
    "reserve",  "reserve_top_down", "reserve_bottom_up", "commit",
    "decommit", "protect_none",     "protect_read",      "protect_write",
    "lock",     "unlock",           "release",
};

/* Of what a call is given, as the call finds it. */
enum state {
    FRESH,
    RESERVED,
    COMMITTED,
    COMMITTED_READ_ONLY,
    COMMITTED_INACCESSIBLE,
    COMMITTED_LOCKED,
    TOUCHED,
    TOUCHED_READ_ONLY,
    TOUCHED_INACCESSIBLE,
    TOUCHED_LOCKED,
    SCATTERED,
    MIDDLE,
    MIDDLE_READ_ONLY,
    WITHIN_A_PAGE,
    WITHIN_A_PAGE_LOCKED,
    ACROSS_PAGES,
    ACROSS_PAGES_LOCKED,
    BESIDE_UNTOUCHED,
    BESIDE_TOUCHED,
};

static const char *const state_names[] = {
    "fresh",
    "reserved",
    "committed",
    "committed read-only",
    "committed inaccessible",
    "committed locked",
    "touched",
    "touched read-only",
    "touched inaccessible",
    "touched locked",
    "scattered",         /* every second page committed */
    "middle of touched", /* a page with touched ones on both sides */
    "middle read-only",  /* the same, not writable as the others are */
    "byte of touched",   /* one byte in the middle of a page */
    "byte of touched locked",
    "two bytes across pages", /* the last of a page and the first of the next */
    "two bytes across locked",
    "beside untouched", /* a reserved page with committed ones before it */
    "beside touched",
};

/* What one call on one state of one size came to. */
struct figures {
    enum call call;
    enum state state;
    size_t size;

    uint64_t *windows; /* of this turn, in ns */
    size_t window_count, window_room;
    uint64_t batch;     /* calls in all of them */
    const char *status; /* NULL where this turn made no such call */
    char error[160];

    /* Of the range that the call's bytes lie in, after it; and the faults in it. */
    struct meter_count commit_bytes, region_count, resident_bytes, locked_bytes;
    struct meter_count answered_bytes;
    struct meter_count minor_faults;
};

struct options {
    struct sizes sizes;
    size_t populate; /* the largest size that is touched or locked */
    struct tool_numbers mappings;
    uint64_t repeat, seed;
};

enum { MOST_FIGURES = VALUES_MAX * 48 }; /* of each size there are some 30 */

/* `range` is the region that is being worked on. */
struct calls {
    const struct tool *tool;
    struct options options;
    struct figures figures[MOST_FIGURES];
    size_t count;
    unsigned char *range;
    size_t size;
    bool counting; /* instead of timing */
    bool discarding;
    uint64_t window_ns; /* of a window with nothing in it */
    uint64_t mappings;  /* beside the range */
    uint64_t repeat;
    uint64_t random; /* state of the orders to come */

    struct figures *open;
    uint64_t start_ns;
    struct meter_faults faults;
};

static const char *call_name(enum call call)
{
    return call < QUERY ? call_names[call] : calls_queries[call - QUERY].name;
}

static struct figures *figures_of(struct calls *calls, enum call call, enum state state,
                                  size_t size)
{
    for (size_t i = 0; i < calls->count; i++) {
        struct figures *figures = &calls->figures[i];
        if (figures->call == call && figures->state == state && figures->size == size)
            return figures;
    }
    calls->figures[calls->count] = (struct figures){.call = call, .state = state, .size = size};
    return &calls->figures[calls->count++];
}

static void make_room(const struct calls *calls, struct figures *figures)
{
    if (figures->window_count < figures->window_room)
        return;
    figures->window_room = figures->window_room > 0 ? 2 * figures->window_room : 64;
    figures->windows = realloc(figures->windows, figures->window_room * sizeof figures->windows[0]);
    if (figures->windows != NULL)
        return;
    exit(tool_complain(calls->tool, TOOL_BROKE, "out of memory"));
}

/* What stands between begin and end is timed; end is given its result and passes it on. */
static void begin(struct calls *calls, enum call call, enum state state, size_t size)
{
    calls->open = figures_of(calls, call, state, size);
    make_room(calls, calls->open);
    if (calls->counting)
        meter_read_faults(&calls->faults);
    calls->start_ns = meter_clock_ns();
}

static int count(struct calls *calls)
{
    struct figures *figures = calls->open;
    struct meter_faults faults;
    struct maps_memory maps;
    struct calls_memory memory;
    int error = meter_read_faults(&faults);
    if (error == 0)
        error = maps_read(calls->range, calls->size, &maps);
    if (error == 0)
        error = calls_read_memory(calls->range, calls->size, &memory);
    if (error != 0)
        return error;
    figures->minor_faults =
        (struct meter_count){faults.minor.value - calls->faults.minor.value, faults.minor.known};
    figures->commit_bytes = (struct meter_count){maps.region_commit_bytes, true};
    figures->region_count = (struct meter_count){maps.region_count, true};
    figures->resident_bytes = memory.resident_bytes;
    figures->locked_bytes = memory.locked_bytes;
    return 0;
}

static void keep_failure(struct figures *figures, const char *status, int error, const char *cause)
{
    struct text text = text_in(figures->error, sizeof figures->error);
    char said[96];
    vm_error_text(error, said, sizeof said);
    text_add(&text, "%s", said);
    if (cause != NULL)
        text_add(&text, ": %s", cause);
    figures->status = status;
}

static bool is_refusal(enum call call, int error)
{
    return vm_is_refusal(error) || (call == LOCK && calls_is_lock_refusal(error));
}

static const char *cause_of(const struct calls *calls, const struct figures *figures, int error)
{
    return figures->call == LOCK ? calls_lock_limit(figures->size)
                                 : vm_refusal_cause(error, calls->mappings);
}

static int end_batch(struct calls *calls, int error, uint64_t batch)
{
    uint64_t ns = meter_clock_ns() - calls->start_ns;
    struct figures *figures = calls->open;
    if (error != 0) {
        if (is_refusal(figures->call, error))
            keep_failure(figures, "refused", error, cause_of(calls, figures, error));
        return error;
    }
    if (calls->counting)
        return count(calls);
    if (calls->discarding)
        return 0;
    figures->status = "ok";
    figures->windows[figures->window_count++] = ns > calls->window_ns ? ns - calls->window_ns : 0;
    figures->batch += batch;
    return 0;
}

static int end(struct calls *calls, int error)
{
    return end_batch(calls, error, 1);
}

/* --- Ranges --- */

/* Makes the range that a call with this result has reserved the one that is worked on. */
static int hold(struct calls *calls, void *base, size_t size, int error)
{
    calls->range = error == 0 ? base : NULL;
    calls->size = size;
    return error;
}

static int reserve(struct calls *calls, size_t size)
{
    void *base;
    int error = calls_reserve(CALLS_APART, size, &base);
    return hold(calls, base, size, error);
}

static void touch(struct calls *calls)
{
    for (size_t at = 0; at < calls->size; at += vm_page_bytes())
        *(volatile unsigned char *)(calls->range + at) = 1;
}

/* As strategies do by default. */
static int commit(void *address, size_t size)
{
    return commit_pages((enum commit_kind)commit_kinds[0].value, VM_PAGES_SMALL, address, size);
}

static int reserve_committed(struct calls *calls, size_t size)
{
    int error = reserve(calls, size);
    return error == 0 ? commit(calls->range, size) : error;
}

static int reserve_touched(struct calls *calls, size_t size)
{
    int error = reserve_committed(calls, size);
    if (error == 0)
        touch(calls);
    return error;
}

static int release(struct calls *calls)
{
    int error = calls->range != NULL ? vm_release(calls->range, calls->size) : 0;
    calls->range = NULL;
    return error;
}

/* Keeps the address for the count behind it. */
static int timed_release(struct calls *calls, enum state state)
{
    begin(calls, RELEASE, state, calls->size);
    int error = end(calls, vm_release(calls->range, calls->size));
    calls->range = NULL;
    return error;
}

/* --- Calls on the whole range --- */

static int timed_commit(struct calls *calls, enum state state)
{
    begin(calls, COMMIT, state, calls->size);
    return end(calls, commit(calls->range, calls->size));
}

static int timed_decommit(struct calls *calls, enum state state)
{
    begin(calls, DECOMMIT, state, calls->size);
    return end(calls, calls_decommit(calls->range, calls->size));
}

static int timed_protect(struct calls *calls, enum call call, enum state state)
{
    static const enum calls_access accesses[] = {
        [PROTECT_NONE] = CALLS_NONE, [PROTECT_READ] = CALLS_READ, [PROTECT_WRITE] = CALLS_WRITE};
    begin(calls, call, state, calls->size);
    return end(calls, calls_protect(calls->range, calls->size, accesses[call]));
}

/* There and back, twice. */
static int protect_each_way(struct calls *calls, enum state state, enum state read_only,
                            enum state inaccessible)
{
    int error = timed_protect(calls, PROTECT_READ, state);
    if (error == 0)
        error = timed_protect(calls, PROTECT_WRITE, read_only);
    if (error == 0)
        error = timed_protect(calls, PROTECT_NONE, state);
    return error == 0 ? timed_protect(calls, PROTECT_WRITE, inaccessible) : error;
}

/* A refusal to lock leaves the range as it was. */
static int lock_and_unlock(struct calls *calls, unsigned char *address, size_t size,
                           enum state state, enum state locked)
{
    begin(calls, LOCK, state, size);
    int error = end(calls, calls_lock(address, size));
    if (error != 0)
        return is_refusal(LOCK, error) ? 0 : error;
    begin(calls, UNLOCK, locked, size);
    return end(calls, calls_unlock(address, size));
}

static int ask(struct calls *calls, const struct calls_query *query,
               struct calls_question *question, enum state state)
{
    enum { LONGEST = 64, PAGES = 4096 };
    uint64_t pages = question->size / vm_page_bytes();
    uint64_t fitting = PAGES / pages, times = LONGEST;
    if (query->by_page && fitting < LONGEST)
        times = fitting > 0 ? fitting : 1;
    int error = query->ask(question, 1); /* the buffer comes into memory */
    if (error != 0)
        return error;
    begin(calls, (enum call)(QUERY + (query - calls_queries)), state, calls->size);
    error = end_batch(calls, query->ask(question, times), times);
    calls->open->answered_bytes = (struct meter_count){query->read(question), true};
    return error;
}

/* A question that this system does not know is a row. */
static int timed_query(struct calls *calls, const struct calls_query *query, enum state state)
{
    size_t bytes = calls->size / vm_page_bytes() * query->bytes_a_page;
    struct calls_question question = {.base = calls->range, .size = calls->size};
    question.buffer = calloc(1, bytes > CALLS_BUFFER_BYTES ? bytes : CALLS_BUFFER_BYTES);
    if (question.buffer == NULL)
        return vm_out_of_memory();
    int error = query->prepare != NULL ? query->prepare(&question) : 0;
    if (error == 0) {
        error = ask(calls, query, &question, state);
        if (query->finish != NULL)
            query->finish(&question);
    }
    free(question.buffer);
    if (error != 0)
        keep_failure(
            figures_of(calls, (enum call)(QUERY + (query - calls_queries)), state, calls->size),
            "unsupported", error, query->needs);
    return 0;
}

static int ask_each_way(struct calls *calls, enum state state)
{
    int error = 0;
    for (const struct calls_query *query = calls_queries; query->name != NULL && error == 0;
         query++)
        error = timed_query(calls, query, state);
    return error;
}

/* --- Episodes: each returns with an error, or with nothing held --- */

static int whole(struct calls *calls, size_t size)
{
    void *base;
    begin(calls, RESERVE, FRESH, size);
    int error = vm_reserve(size, VM_PAGES_SMALL, &base);
    error = end(calls, hold(calls, base, size, error));
    if (error == 0)
        error = release(calls);
    if (error == 0)
        error = reserve(calls, size);
    if (error == 0)
        error = timed_commit(calls, FRESH);
    return error == 0 ? timed_release(calls, COMMITTED) : error;
}

static int place(struct calls *calls, enum call call, enum calls_place where, size_t size)
{
    void *base;
    begin(calls, call, FRESH, size);
    int error = calls_reserve(where, size, &base);
    error = end(calls, hold(calls, base, size, error));
    return error == 0 ? release(calls) : error;
}

static int place_top_down(struct calls *calls, size_t size)
{
    return place(calls, RESERVE_TOP_DOWN, CALLS_TOP_DOWN, size);
}

static int place_bottom_up(struct calls *calls, size_t size)
{
    return place(calls, RESERVE_BOTTOM_UP, CALLS_BOTTOM_UP, size);
}

static int untouched(struct calls *calls, size_t size)
{
    int error = reserve_committed(calls, size);
    if (error == 0)
        error = protect_each_way(calls, COMMITTED, COMMITTED_READ_ONLY, COMMITTED_INACCESSIBLE);
    if (error == 0)
        error = ask_each_way(calls, COMMITTED);
    if (error == 0)
        error = timed_decommit(calls, COMMITTED);
    if (error == 0)
        error = timed_decommit(calls, RESERVED);
    return error == 0 ? timed_release(calls, RESERVED) : error;
}

static int touched(struct calls *calls, size_t size)
{
    int error = reserve_touched(calls, size);
    if (error == 0)
        error = protect_each_way(calls, TOUCHED, TOUCHED_READ_ONLY, TOUCHED_INACCESSIBLE);
    if (error == 0)
        error = ask_each_way(calls, TOUCHED);
    if (error == 0)
        error = lock_and_unlock(calls, calls->range, size, TOUCHED, TOUCHED_LOCKED);
    return error == 0 ? timed_decommit(calls, TOUCHED) : error;
}

static int touched_released(struct calls *calls, size_t size)
{
    int error = reserve_touched(calls, size);
    return error == 0 ? timed_release(calls, TOUCHED) : error;
}

/* Locking what is not there brings it there. */
static int untouched_locked(struct calls *calls, size_t size)
{
    vm_warm(size, VM_PAGES_SMALL);
    int error = reserve_committed(calls, size);
    if (error == 0)
        error = lock_and_unlock(calls, calls->range, size, COMMITTED, COMMITTED_LOCKED);
    return error;
}

static int released_read_only(struct calls *calls, size_t size)
{
    int error = reserve_touched(calls, size);
    if (error == 0)
        error = calls_protect(calls->range, size, CALLS_READ);
    return error == 0 ? timed_release(calls, TOUCHED_READ_ONLY) : error;
}

static int released_inaccessible(struct calls *calls, size_t size)
{
    int error = reserve_touched(calls, size);
    if (error == 0)
        error = calls_protect(calls->range, size, CALLS_NONE);
    return error == 0 ? timed_release(calls, TOUCHED_INACCESSIBLE) : error;
}

/* Locked as far as the system lets it: else the row is left out. */
static int released_locked(struct calls *calls, size_t size)
{
    int error = reserve_touched(calls, size);
    if (error != 0)
        return error;
    error = calls_lock(calls->range, size);
    if (error != 0)
        return is_refusal(LOCK, error) ? 0 : error;
    return timed_release(calls, TOUCHED_LOCKED);
}

/* Every second page: as many regions as pages. */
static int reserve_scattered(struct calls *calls, size_t size)
{
    size_t page = vm_page_bytes();
    int error = reserve(calls, size);
    for (size_t at = 0; at < size && error == 0; at += 2 * page)
        error = commit(calls->range + at, page);
    return error;
}

static int scattered_released(struct calls *calls, size_t size)
{
    int error = reserve_scattered(calls, size);
    return error == 0 ? timed_release(calls, SCATTERED) : error;
}

static int scattered_decommitted(struct calls *calls, size_t size)
{
    int error = reserve_scattered(calls, size);
    return error == 0 ? timed_decommit(calls, SCATTERED) : error;
}

static int part_protected(struct calls *calls, size_t size)
{
    size_t page = vm_page_bytes();
    int error = reserve_touched(calls, size);
    if (error != 0)
        return error;
    unsigned char *middle = calls->range + size / 2;
    begin(calls, PROTECT_READ, MIDDLE, page);
    error = end(calls, calls_protect(middle, page, CALLS_READ));
    if (error != 0)
        return error;
    begin(calls, PROTECT_WRITE, MIDDLE_READ_ONLY, page);
    return end(calls, calls_protect(middle, page, CALLS_WRITE));
}

static int part_locked(struct calls *calls, size_t size)
{
    size_t page = vm_page_bytes();
    int error = reserve_touched(calls, size);
    if (error == 0)
        error = lock_and_unlock(calls, calls->range + size / 2 + page / 2, 1, WITHIN_A_PAGE,
                                WITHIN_A_PAGE_LOCKED);
    if (error == 0)
        error = lock_and_unlock(calls, calls->range + size / 2 - 1, 2, ACROSS_PAGES,
                                ACROSS_PAGES_LOCKED);
    return error;
}

/* A page after the other, next to pages whose page table exists, or does not. */
static int single_pages(struct calls *calls, size_t size, bool touch_each, enum state state)
{
    size_t page = vm_page_bytes();
    int error = reserve(calls, size);
    for (size_t at = 0; at < size && error == 0; at += page) {
        begin(calls, COMMIT, state, page);
        error = end(calls, commit(calls->range + at, page));
        if (touch_each && error == 0)
            *(volatile unsigned char *)(calls->range + at) = 1;
    }
    return error;
}

static int beside_untouched(struct calls *calls, size_t size)
{
    return single_pages(calls, size, false, BESIDE_UNTOUCHED);
}

static int beside_touched(struct calls *calls, size_t size)
{
    return single_pages(calls, size, true, BESIDE_TOUCHED);
}

struct episode {
    int (*make)(struct calls *calls, size_t size);
    size_t pages;   /* of the range; 0: each of the sizes */
    size_t most;    /* times that it is made in a turn */
    bool populates; /* brings pages into memory */
    bool in_crowds; /* also made with other reservations beside */
};

static const struct episode episodes[] = {
    {whole, 0, 64, false, true},
    {place_top_down, 0, 64, false, true},
    {place_bottom_up, 0, 64, false, true},
    {untouched, 0, 16, false, true},
    {touched, 0, 16, true, true},
    {touched_released, 0, 16, true, true},
    {untouched_locked, 0, 16, true, true},
    {released_read_only, 4096, 1, true, false},
    {released_inaccessible, 4096, 1, true, false},
    {released_locked, 1024, 1, true, false},
    {scattered_released, 4096, 1, false, false},
    {scattered_decommitted, 4096, 1, false, false},
    {part_protected, 16, 16, true, false},
    {part_locked, 16, 16, true, false},
    {beside_untouched, 256, 4, false, false},
    {beside_touched, 256, 4, true, false},
};

/* --- Rows --- */

struct row {
    const struct calls *calls;
    struct figures *figures;
};

static void add_call(struct text *text, const void *row, size_t at)
{
    (void)at;
    columns_add_text(text, call_name(((const struct row *)row)->figures->call));
}

static void add_state(struct text *text, const void *row, size_t at)
{
    (void)at;
    columns_add_text(text, state_names[((const struct row *)row)->figures->state]);
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* An interruption of some microseconds would move the mean of all, and a coarse clock the median.
 */
static double middle_mean(struct figures *figures)
{
    size_t count = figures->window_count, first = count / 4, last = count - first;
    double sum = 0;
    qsort(figures->windows, count, sizeof figures->windows[0], ascending);
    for (size_t i = first; i < last; i++)
        sum += (double)figures->windows[i];
    return sum / (double)(last - first);
}

/* What is shorter than a tick of the clock is not known better than that. */
static void add_ns(struct text *text, const void *row, size_t at)
{
    struct figures *figures = ((const struct row *)row)->figures;
    (void)at;
    if (strcmp(figures->status, "ok") != 0)
        return;
    double ns = middle_mean(figures), tick = (double)meter_clock_tick_ns();
    double calls_a_window = (double)figures->batch / (double)figures->window_count;
    text_add(text, "%.1f", (ns > tick ? ns : tick) / calls_a_window);
}

static void add_of_calls(struct text *text, const void *row, size_t at)
{
    columns_add_number_at(text, ((const struct row *)row)->calls, at);
}

static void add_size(struct text *text, const void *row, size_t at)
{
    columns_add_size_at(text, ((const struct row *)row)->figures, at);
}

static void add_number(struct text *text, const void *row, size_t at)
{
    columns_add_number_at(text, ((const struct row *)row)->figures, at);
}

static void add_status(struct text *text, const void *row, size_t at)
{
    columns_add_text_at(text, ((const struct row *)row)->figures, at);
}

static void add_error(struct text *text, const void *row, size_t at)
{
    (void)at;
    columns_add_text(text, ((const struct row *)row)->figures->error);
}

/* Beside other reservations nothing is counted. */
static void add_count(struct text *text, const void *row, size_t at)
{
    const struct row *of = row;
    if (of->calls->mappings == 0 && strcmp(of->figures->status, "ok") == 0)
        columns_add_bytes_at(text, of->figures, at);
}

static const struct column columns[] = {
    {"call", add_call, 0},
    {"state", add_state, 0},
    {"size_bytes", add_size, offsetof(struct figures, size)},
    {"repeat", add_of_calls, offsetof(struct calls, repeat)},
    {"ns", add_ns, 0},
    {"mappings", add_of_calls, offsetof(struct calls, mappings)},
    {"batch", add_number, offsetof(struct figures, batch)},
    {"status", add_status, offsetof(struct figures, status)},
    {"error", add_error, 0},
    {"commit_bytes", add_count, offsetof(struct figures, commit_bytes)},
    {"region_count", add_count, offsetof(struct figures, region_count)},
    {"resident_bytes", add_count, offsetof(struct figures, resident_bytes)},
    {"locked_bytes", add_count, offsetof(struct figures, locked_bytes)},
    {"answered_bytes", add_count, offsetof(struct figures, answered_bytes)},
    {"minor_faults", add_count, offsetof(struct figures, minor_faults)},
};
/* And forgets this turn's. */
static int print_rows(struct calls *calls)
{
    int status = TOOL_TAKEN;
    for (size_t i = 0; i < calls->count; i++) {
        struct figures *figures = &calls->figures[i];
        if (figures->status != NULL && !calls->counting && status == TOOL_TAKEN)
            status = tool_print_row(calls->tool, &(struct row){calls, figures});
        figures->status = NULL;
        figures->error[0] = '\0';
        figures->window_count = 0;
        figures->batch = 0;
    }
    return status;
}

/* --- Turns --- */

static int complain_of(const struct calls *calls, size_t size, int error)
{
    char what[128];
    const struct figures *open = calls->open;
    if (open == NULL)
        snprintf(what, sizeof what, "preparing %zu bytes", size);
    else
        snprintf(what, sizeof what, "at or after %s of %zu bytes, %s", call_name(open->call),
                 open->size, state_names[open->state]);
    return tool_broke(calls->tool, what, error);
}

/* Gives back what an episode held. A refusal ends it, and is a row where the call was a timed one:
 * what is refused to an episode's preparation is refused to `whole` as well. */
static int make_once(struct calls *calls, const struct episode *episode, size_t size)
{
    calls->open = NULL;
    int error = episode->make(calls, size);
    int held = release(calls);
    if (error == 0 || vm_is_refusal(error))
        error = held;
    return error == 0 ? TOOL_TAKEN : complain_of(calls, size, error);
}

/* Fewer where more pages are touched. */
static size_t times_in_a_turn(const struct episode *episode, size_t size)
{
    enum { PAGES = 1024 };
    size_t fitting = PAGES / (size / vm_page_bytes());
    return !episode->populates || fitting > episode->most ? episode->most : fitting;
}

/* An episode that is made several times is made once before that does not count, so that no size
 * finds colder caches than another. */
static int make(struct calls *calls, const struct episode *episode, size_t size)
{
    size_t times = calls->counting ? 0 : times_in_a_turn(episode, size);
    int status = TOOL_TAKEN;
    if (times > 0) {
        calls->discarding = true;
        status = make_once(calls, episode, size);
        calls->discarding = false;
    }
    for (size_t i = 0; i < (times > 0 ? times : 1) && status == TOOL_TAKEN; i++)
        status = make_once(calls, episode, size);
    int printed = print_rows(calls);
    return status == TOOL_TAKEN ? printed : status;
}

struct turn {
    const struct episode *episode;
    size_t size;
};

enum { EPISODES = sizeof episodes / sizeof episodes[0] };

struct turns {
    struct turn list[EPISODES * VALUES_MAX];
    size_t count;
};

static void add_turn(struct turns *turns, const struct calls *calls, const struct episode *episode,
                     size_t size)
{
    enum { LARGEST_BESIDE = 2 << 20 }; /* what others beside cost does not grow with the pages */
    bool beside = calls->mappings > 0;
    if ((episode->populates && size > calls->options.populate) ||
        (beside && (!episode->in_crowds || size > LARGEST_BESIDE)))
        return;
    turns->list[turns->count++] = (struct turn){episode, size};
}

static void list_turns(struct turns *turns, const struct calls *calls)
{
    turns->count = 0;
    for (size_t i = 0; i < EPISODES; i++)
        if (episodes[i].pages > 0)
            add_turn(turns, calls, &episodes[i], episodes[i].pages * vm_page_bytes());
        else
            for (size_t j = 0; j < calls->options.sizes.count; j++)
                add_turn(turns, calls, &episodes[i], calls->options.sizes.values[j]);
}

static int take_turns(struct calls *calls)
{
    static struct turns turns;
    int status = TOOL_TAKEN;
    list_turns(&turns, calls);
    for (size_t left = turns.count; left > 0 && status == TOOL_TAKEN; left--) {
        size_t drawn = (size_t)(workload_random(&calls->random) % left);
        struct turn turn = turns.list[drawn];
        turns.list[drawn] = turns.list[left - 1];
        status = make(calls, turn.episode, turn.size);
    }
    return status;
}

/* --- Other reservations beside: every second of a row of them stays, so that there are as many
 * holes, of the size of one --- */

enum { BESIDE_BYTES = 64 << 10 }; /* what reservations on Windows are a multiple of */

struct crowd {
    void **members;
    uint64_t count;
};

static int crowd_leave(struct crowd *crowd)
{
    int error = 0;
    for (uint64_t i = 0; i < crowd->count; i++) {
        int held = crowd->members[i] != NULL ? vm_release(crowd->members[i], BESIDE_BYTES) : 0;
        error = error != 0 ? error : held;
    }
    free(crowd->members);
    *crowd = (struct crowd){0};
    return error;
}

static int crowd_gather(struct crowd *crowd, uint64_t mappings)
{
    int error = 0;
    crowd->members = calloc((size_t)(2 * mappings), sizeof *crowd->members);
    if (crowd->members == NULL)
        return vm_out_of_memory();
    for (; crowd->count < 2 * mappings && error == 0; crowd->count++)
        error = vm_reserve(BESIDE_BYTES, VM_PAGES_SMALL, &crowd->members[crowd->count]);
    if (error != 0)
        crowd->members[--crowd->count] = NULL;
    for (uint64_t i = 1; i < crowd->count && error == 0; i += 2) {
        error = vm_release(crowd->members[i], BESIDE_BYTES);
        crowd->members[i] = error == 0 ? NULL : crowd->members[i];
    }
    return error;
}

/* So many others refused are one row, of the reservation or of the hole that there was none for. */
static int take_turns_beside(struct calls *calls, uint64_t mappings)
{
    struct crowd crowd = {0};
    calls->mappings = mappings;
    if (mappings == 0)
        return take_turns(calls);
    int error = crowd_gather(&crowd, mappings), status = TOOL_TAKEN;
    if (error == 0) {
        status = take_turns(calls);
    } else if (vm_is_refusal(error)) {
        begin(calls, RESERVE, FRESH, BESIDE_BYTES);
        end(calls, error);
        status = print_rows(calls);
        error = 0;
    }
    int left = crowd_leave(&crowd);
    error = error != 0 ? error : left;
    return error == 0 ? status : tool_broke(calls->tool, "other reservations beside", error);
}

static int take_repeat(struct calls *calls)
{
    struct tool_numbers beside = calls->options.mappings;
    int status = TOOL_TAKEN;
    for (size_t left = beside.count; left > 0 && status == TOOL_TAKEN; left--) {
        size_t drawn = (size_t)(workload_random(&calls->random) % left);
        status = take_turns_beside(calls, beside.values[drawn]);
        beside.values[drawn] = beside.values[left - 1];
    }
    return status;
}

static int count_calls(struct calls *calls)
{
    calls->counting = true;
    int status = take_turns_beside(calls, 0);
    calls->counting = false;
    return status;
}

static int run(struct calls *calls)
{
    uint64_t available;
    int error = vm_use_pages(VM_PAGES_SMALL);
    if (error == 0)
        error = meter_read_available(&available);
    if (error != 0)
        return tool_broke(calls->tool, "reading what memory there is", error);
    if (calls->options.populate > available / 2)
        calls->options.populate = (size_t)(available / 2);
    calls->window_ns = cycle_empty_window_ns();
    calls->random = calls->options.seed;
    int status = tool_print_header(calls->tool);
    if (status == TOOL_TAKEN)
        status = count_calls(calls);
    for (calls->repeat = 1; calls->repeat <= calls->options.repeat && status == TOOL_TAKEN;
         calls->repeat++)
        status = take_repeat(calls);
    return status;
}

/* --- The command line --- */

static bool parse_size(const struct parser *parser, const char *text, void *options)
{
    return values_parse_sizes(parser, text, &((struct options *)options)->sizes);
}

static bool parse_populate(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_bytes(parser, text, 1, 1, SIZE_MAX, &((struct options *)options)->populate);
}

static bool parse_repeat(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_repeat(parser, text, &((struct options *)options)->repeat);
}

static bool parse_seed(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_number(parser, text, 1, UINT64_MAX, &((struct options *)options)->seed);
}

static bool parse_mappings(const struct parser *parser, const char *text, void *options)
{
    enum { MOST = 10000000 };
    return tool_parse_numbers(parser, text, 0, MOST, &((struct options *)options)->mappings);
}

static const struct tool_option option_table[] = {
    {"--size", "LIST", "sizes of the range: 4K,64K,1M or 4K..1G*8   [4K..1G*8]", parse_size},
    {"--populate", "SIZE",
     "the largest size that is touched or locked, and never more than half of\n"
     "what is available   [1G]",
     parse_populate},
    {"--mappings", "LIST", "other reservations beside the range   [0,1000,10000]", parse_mappings},
    {"--repeat", "N", "samples of each call   [15]", parse_repeat},
    {"--seed", "N", "of the random orders   [1]", parse_seed},
    {NULL, NULL, NULL, NULL},
};

static const struct tool tool = {"calls",
                                 "Times single calls on memory by size and state; CSV on standard "
                                 "output.",
                                 option_table, columns, sizeof columns / sizeof columns[0]};

int main(int argc, char **argv)
{
    static struct calls calls = {.tool = &tool,
                                 .options = {.populate = (size_t)1 << 30,
                                             .mappings = {{0, 1000, 10000}, 3},
                                             .repeat = 15,
                                             .seed = 1}};
    const struct parser defaults = {.option = "--size"};
    int status;
    char sizes[64]; /* from a page on */
    snprintf(sizes, sizeof sizes, "%zu..1G*8", vm_page_bytes());
    values_parse_sizes(&defaults, sizes, &calls.options.sizes);
    return tool_parse(&tool, argc, argv, &calls.options, &status) ? run(&calls) : status;
}
