/* Stacks as threads and coroutines have them, each a range of its own with a guard at its lower
 * end: as many as are asked for, or as the system gives. Where they would end follows from what one
 * of them takes of each limit. */
#include <stdlib.h>

#include "parts.h"
#include "row.h"
#include "system/limits.h"
#include "system/maps.h"
#include "system/vm.h"

struct stacks {
    size_t size;
    enum guard_kind guard;
    uint64_t count;
    void **bases;
};

/* A guard that must be committed is a page of the stack; else the stack begins behind it. */
static int commit_stack(const struct stacks *stacks, unsigned char *base)
{
    size_t below = vm_page_bytes() - guard_committed_bytes(stacks->guard);
    enum commit_kind kind = (enum commit_kind)commit_kinds->value;
    int error = commit_pages(kind, VM_PAGES_SMALL, base + below, stacks->size - below);
    return error == 0 ? guard_set(stacks->guard, base) : error;
}

static int make_stack(struct stacks *stacks)
{
    void *base;
    int error = vm_reserve(stacks->size, VM_PAGES_SMALL, &base);
    if (error != 0)
        return error;
    stacks->bases[stacks->count++] = base;
    error = commit_stack(stacks, base);
    if (error == 0)
        return 0;
    stacks->count--;
    int left = vm_release(base, stacks->size);
    return left != 0 ? left : error;
}

/* Stops at the first refusal, which is no error. */
static int make_stacks(struct stacks *stacks, uint64_t most, int *refused)
{
    int error = 0;
    while (stacks->count < most && error == 0)
        error = make_stack(stacks);
    *refused = vm_is_refusal(error) ? error : 0;
    return *refused != 0 ? 0 : error;
}

static int free_stacks(struct stacks *stacks)
{
    int error = 0;
    while (stacks->count > 0) {
        int failed = vm_release(stacks->bases[--stacks->count], stacks->size);
        error = error != 0 ? error : failed;
    }
    return error;
}

/* --- Where they end --- */

struct reading {
    uint64_t count;
    struct limits limits;
    uint64_t available; /* bytes, for the page tables */
    struct maps_memory memory;
};

/* Of the whole process: stacks lie wherever there is room. */
static int read_process(const struct stacks *stacks, struct reading *reading)
{
    reading->count = stacks->count;
    int error = limits_read(&reading->limits);
    if (error == 0)
        error = meter_read_available(&reading->available);
    return error == 0 ? maps_read(NULL, SIZE_MAX, &reading->memory) : error;
}

static void consider(struct row *row, const struct reading *reading, struct meter_count room,
                     uint64_t each, const char *limit)
{
    if (!room.known || each == 0)
        return;
    uint64_t most = reading->count + room.value / each;
    if (row->most.known && row->most.value <= most)
        return;
    row->most = row_known(most);
    row->limit = limit;
}

static void predict(struct row *row, const struct reading *from, size_t size)
{
    const struct limits *limits = &from->limits;
    consider(row, from, limits->mappings, row->region_count.value, "mappings");
    consider(row, from, limits->commit_bytes, row->commit_bytes.value, "commit charge");
    consider(row, from, limits->address_bytes, size, "address space");
    consider(row, from, row_known(from->available), row->table_bytes.value,
             "memory for page tables");
}

/* To the nearest: a mapping more or less may be a neighbour's. */
static struct meter_count each(uint64_t from, uint64_t to, uint64_t count, bool known)
{
    return (struct meter_count){(to - from + count / 2) / count, known};
}

/* What one stack takes, by all between the two readings; fewer mappings than one each are none. */
static void keep(struct row *row, const struct reading *from, const struct reading *to)
{
    const struct maps_memory *before = &from->memory, *after = &to->memory;
    uint64_t count = to->count - from->count;
    bool any = count > 0;
    count = any ? count : 1;
    row->commit_bytes = each(before->region_commit_bytes, after->region_commit_bytes, count, any);
    row->region_count = each(before->region_count, after->region_count, count, any);
    row->table_bytes =
        each(before->process_table_bytes.value, after->process_table_bytes.value, count,
             any && before->process_table_bytes.known && after->process_table_bytes.known);
}

/* --- Rows --- */

/* The first of them fill holes between other mappings, and may become one with these. */
static int measure(struct stacks *stacks, uint64_t most, struct row *row, int *refused)
{
    enum { UNREAD = 10 }; /* a tenth */
    struct reading from, to;
    int error = make_stacks(stacks, most / UNREAD, refused);
    if (error == 0)
        error = read_process(stacks, &from);
    if (error == 0 && *refused == 0)
        error = make_stacks(stacks, most, refused);
    if (error == 0)
        error = read_process(stacks, &to);
    if (error != 0)
        return error;
    row->count = row_known(stacks->count);
    keep(row, &from, &to);
    predict(row, &from, stacks->size);
    return 0;
}

static int take(struct stacks *stacks, const char *guard, uint64_t most)
{
    struct row row = row_make("stacks", NULL);
    int refused = 0;
    row.guard = guard;
    row.size_bytes = row_known(stacks->size);
    int error = measure(stacks, most, &row, &refused);
    int freed = free_stacks(stacks);
    error = error != 0 ? error : freed;
    if (error != 0)
        return row_broke("stacks", error);
    return refused != 0 ? row_print_error(&row, "refused", refused) : row_print(&row);
}

/* The list is made before anything is read, so that it moves no figure. */
static int take_size(size_t size, const struct kind *guard, uint64_t most)
{
    struct stacks stacks = {.size = size, .guard = (enum guard_kind)guard->value};
    if (stacks.guard == GUARD_AUTO || guard_unsupported(stacks.guard) != NULL)
        return TOOL_TAKEN;
    stacks.bases = calloc((size_t)most, sizeof *stacks.bases);
    if (stacks.bases == NULL)
        return row_broke("a list of stacks", vm_out_of_memory());
    int status = take(&stacks, guard->name, most);
    free(stacks.bases);
    return status;
}

int stacks_run(const struct surroundings *surroundings)
{
    int status = TOOL_TAKEN;
    for (size_t i = 0; i < surroundings->stack_bytes.count; i++)
        for (const struct kind *guard = guard_kinds; guard->name != NULL && status == TOOL_TAKEN;
             guard++)
            status = take_size(surroundings->stack_bytes.values[i], guard, surroundings->stacks);
    return status;
}
