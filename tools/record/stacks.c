#define _GNU_SOURCE
#include "stacks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "calls.h"
#include "frames.h"

enum { MOST_STACKS = 1 << 16, BUCKETS = sizeof((struct stacks *)NULL)->buckets / sizeof(void *) };

struct known_stack {
    struct known_stack *next; /* in its bucket */
    unsigned number;
    size_t count;
    uint64_t addresses[];
};

static size_t bucket_of(const uint64_t *addresses, size_t count)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ addresses[i]) * 0x9e3779b97f4a7c15u;
    return (size_t)(hash >> 32) % BUCKETS;
}

/* NULL without memory for it, or room. *added: it was not known. */
static const struct known_stack *find(struct stacks *stacks, const uint64_t *addresses,
                                      size_t count, bool *added)
{
    size_t size = count * sizeof *addresses;
    struct known_stack **place = &stacks->buckets[bucket_of(addresses, count)];
    *added = false;
    for (const struct known_stack *known = *place; known != NULL; known = known->next)
        if (known->count == count && memcmp(known->addresses, addresses, size) == 0)
            return known;
    struct known_stack *made = stacks->count < MOST_STACKS ? malloc(sizeof *made + size) : NULL;
    if (made == NULL)
        return NULL;
    *made = (struct known_stack){*place, stacks->count++, count};
    memcpy(made->addresses, addresses, size);
    *place = made;
    *added = true;
    return made;
}

/* Logs which file the code at an address is of, unless that is known. */
static void describe(struct log *log, struct space *space, uint64_t address)
{
    static struct memory_code code;
    if (runs_meet(&space->described, address, address + 1) ||
        memory_find_code(&space->memory, address, &code) != 0 || code.mapping.start > address)
        return;
    struct run run = {code.mapping.start, code.mapping.end};
    const struct runs one = {&run, 1, 0};
    runs_remove(&space->described, run.start, run.end);
    runs_add(&space->described, &one);
    log_add(log, "o %u %" PRIx64 "-%" PRIx64 " %" PRIx64 " %s %s", space->number, run.start,
            run.end, code.mapping.offset, *code.build_id != '\0' ? code.build_id : "-",
            *code.path != '\0' ? code.path : "-");
    log_end(log);
}

void stacks_log(struct stacks *stacks, struct log *log, const struct task *task)
{
    uint64_t addresses[FRAMES_MOST];
    bool added;
    size_t count = frames_walk(task->tid, task->space, addresses);
    const struct known_stack *stack = count > 0 ? find(stacks, addresses, count, &added) : NULL;
    if (stack == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        describe(log, task->space, addresses[i]);
    log_add(log, "w %u %d %u", task->space->number, (int)task->tid, stack->number);
    for (size_t i = 0; added && i < count; i++)
        log_add(log, " %" PRIx64, addresses[i]);
    log_end(log);
}

static void change_code(struct space *space, struct run run, bool code)
{
    const struct runs one = {&run, 1, 0};
    if (runs_meet(&space->code, run.start, run.end)) {
        runs_remove(&space->code, run.start, run.end);
        runs_remove(&space->described, run.start, run.end);
        frames_forget();
    }
    if (code && run.start < run.end)
        runs_add(&space->code, &one);
}

void stacks_follow(const struct task *task, uint64_t result)
{
    const uint64_t *a = task->arguments;
    switch (task->call->kind) {
    case CALL_MMAP:
        change_code(task->space, call_range(result, a[1]), (a[2] & PROT_EXEC) != 0);
        break;
    case CALL_MUNMAP: change_code(task->space, call_range(a[0], a[1]), false); break;
    case CALL_MPROTECT:
        change_code(task->space, call_range(a[0], a[1]), (a[2] & PROT_EXEC) != 0);
        break;
    case CALL_MREMAP:
        change_code(task->space, call_range(a[0], a[1]), false);
        change_code(task->space, call_range(result, a[2]), false);
        break;
    default: break;
    }
}
