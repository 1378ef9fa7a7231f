/* replay: what a recorded program did with its memory, call by call and touch by touch, without the
 * program. Files and shared memory are played by memory of its own, uncharged where they were. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "harness.h"
#include "most.h"
#include "script.h"
#include "system/maps.h"

/* Where nothing comes to lie that asks for no place: the parts of the region that are unmapped in
 * between stay free. */
#define FAR ((uintptr_t)1 << 45)

static const struct kind ways[] = {{"recorded", COMMIT_RECORDED},   {"mprotect", COMMIT_MPROTECT},
                                   {"remap", COMMIT_REMAP},         {"populate", COMMIT_POPULATE},
                                   {"noreserve", COMMIT_NORESERVE}, {NULL, 0}};

static const struct kind purges[] = {
    {"recorded", PURGE_NONE},   {"dontneed", PURGE_DONTNEED},
    {"free", PURGE_FREE},       {"cold", PURGE_COLD},
    {"pageout", PURGE_PAGEOUT}, {"protect", PURGE_PROTECT},
    {"remap", PURGE_REMAP},     {"remap_noreserve", PURGE_REMAP_NORESERVE},
    {"guard", PURGE_GUARD},     {NULL, 0}};

static struct script script;

/* How far the one region of the process has come. */
static struct {
    size_t event;
    uint64_t touched; /* bytes of the event, if it is one of touches */
} reached;

static bool replay_load(const char *path, char *message, size_t size)
{
    return script_read(path, &script, message, size);
}

static void replay_shape(struct configuration *configuration)
{
    configuration->size = configuration->step = script.size;
    configuration->touched = (size_t)script.touches * vm_page_bytes();
    configuration->resident = (size_t)script.resident;
}

/* What the program began with stays charged. */
static bool is_charged(const struct region *region, const struct script_event *event)
{
    bool began_with = event < script.events + script.begun;
    return event->reserves && (region->commit != COMMIT_NORESERVE || began_with);
}

static int map(const struct region *region, const struct script_event *event, unsigned char *at,
               int protection)
{
    int flags =
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | (is_charged(region, event) ? 0 : MAP_NORESERVE);
    return mmap(at, event->size, protection, flags, -1, 0) != MAP_FAILED ? 0 : errno;
}

static int commit(const struct region *region, const struct script_event *event, unsigned char *at)
{
    return commit_pages(region->commit, region->pages, at, event->size);
}

static bool as_recorded(const struct region *region, const struct script_event *event)
{
    return region->commit == COMMIT_RECORDED || !event->commits || !event->empty;
}

static int play_map(const struct region *region, const struct script_event *event,
                    unsigned char *at)
{
    if (as_recorded(region, event) || !event->reserves ||
        event->protection != (PROT_READ | PROT_WRITE))
        return map(region, event, at, event->protection);
    int error = map(region, event, at, PROT_NONE);
    return error == 0 ? commit(region, event, at) : error;
}

static int play_protect(const struct region *region, const struct script_event *event,
                        unsigned char *at)
{
    if (!as_recorded(region, event))
        return commit(region, event, at);
    return mprotect(at, event->size, event->protection) == 0 ? 0 : errno;
}

static int play_move(const struct region *region, const struct script_event *event,
                     unsigned char *at)
{
    void *to = event->flags == 0 ? mremap(at, event->size, event->to_size, 0)
                                 : mremap(at, event->size, event->to_size, event->flags,
                                          region->base + event->to);
    return to != MAP_FAILED ? 0 : errno;
}

/* Other advice may mean nothing to memory that plays a file. */
static int play_advice(struct region *region, const struct script_event *event, unsigned char *at)
{
    region->purge_calls += event->gives_back;
    if (event->gives_back && region->purge != PURGE_NONE)
        return purge_pages(region->purge, region->pages, at, event->size);
    return madvise(at, event->size, event->advice) == 0 || !event->gives_back ? 0 : errno;
}

static int play_call(struct region *region, const struct script_event *event)
{
    unsigned char *at = region->base + event->start;
    region->commit_calls += event->commits;
    switch (event->kind) {
    case SCRIPT_MAP: return play_map(region, event, at);
    case SCRIPT_UNMAP: return munmap(at, event->size) == 0 ? 0 : errno;
    case SCRIPT_PROTECT: return play_protect(region, event, at);
    case SCRIPT_MOVE: return play_move(region, event, at);
    case SCRIPT_ADVISE: return play_advice(region, event, at);
    case SCRIPT_RESTORE: return purge_restore(region->purge, at, event->size);
    case SCRIPT_TOUCH: break;
    }
    return 0;
}

static int play(struct region *region, const struct script_event *event)
{
    static const char *const names[] = {"mmap",    "munmap",         "mprotect", "mremap",
                                        "madvise", "make it usable", "touch"};
    int error = event->size > 0 ? play_call(region, event) : 0;
    return region_keep_failure(region, names[event->kind], (size_t)event->start,
                               (size_t)event->size, error);
}

/* The next pages of an event, `pages` at most. Returns how many. */
static size_t touch_pages(struct region *region, const struct script_event *event, size_t pages)
{
    size_t left = (size_t)(event->size - reached.touched) / region->page;
    size_t count = left < pages ? left : pages;
    unsigned char *at = region->base + event->start + reached.touched;
    for (size_t i = 0; i < count; i++)
        *(volatile unsigned char *)(at + i * region->page) = 1;
    reached.touched += count * region->page;
    return count;
}

static int replay_reserve(struct region *region)
{
    size_t room = script.size + script.alignment;
    void *base =
        mmap((void *)FAR, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED || munmap(base, room) != 0)
        return region_keep_failure(region, "reserve", 0, room, errno);
    uintptr_t at = ((uintptr_t)base + script.alignment - 1) / script.alignment * script.alignment;
    region->base = (unsigned char *)at;
    int error = 0;
    for (reached.event = 0; reached.event < script.begun && error == 0; reached.event++)
        error = play(region, &script.events[reached.event]);
    reached.touched = 0;
    return error;
}

/* Up to the last touch that the workload asks for; behind the last of all, to the end. */
static int replay_touch(struct region *region, const struct workload *workload)
{
    size_t left = workload->last - workload->first;
    bool whole = workload->last == script.touches;
    for (; reached.event < script.count && (left > 0 || whole); reached.event++) {
        const struct script_event *event = &script.events[reached.event];
        int error = play(region, event);
        if (error != 0)
            return error;
        if (event->kind != SCRIPT_TOUCH)
            continue;
        left -= touch_pages(region, event, left);
        if (reached.touched < event->size)
            return 0;
        reached.touched = 0;
    }
    return 0;
}

static int look(const struct region *region, const struct maps_memory *before,
                struct maps_memory *most)
{
    struct maps_memory now;
    int error = maps_read(region->base, script.size, &now);
    uint64_t resident = now.process_resident_bytes.value - before->process_resident_bytes.value;
    if (now.region_commit_bytes > most->region_commit_bytes)
        most->region_commit_bytes = now.region_commit_bytes;
    if (resident > most->process_resident_bytes.value)
        most->process_resident_bytes.value = resident;
    return error;
}

static bool may_be_more(const struct script_event *event, const struct maps_memory *most)
{
    return event->may_commit > most->region_commit_bytes ||
           event->may_hold > most->process_resident_bytes.value;
}

/* Looks where more may be there than was ever seen, before it becomes less, and at the end. */
static int replay_most(struct region *region, struct maps_memory *most)
{
    struct maps_memory before;
    int error = most_mark(&script, region->commit) ? maps_read(NULL, 0, &before) : ENOMEM;
    *most = (struct maps_memory){.process_resident_bytes = {0, true}};
    if (error == 0)
        error = replay_reserve(region);
    for (; reached.event < script.count && error == 0; reached.event++) {
        const struct script_event *event = &script.events[reached.event];
        if (may_be_more(event, most))
            error = look(region, &before, most);
        if (error == 0)
            error = play(region, event);
        if (error == 0 && event->kind == SCRIPT_TOUCH)
            touch_pages(region, event, SIZE_MAX);
        reached.touched = 0;
    }
    return error == 0 ? look(region, &before, most) : error;
}

static int replay_release(struct region *region)
{
    int error = region->base != NULL ? vm_release(region->base, script.size) : 0;
    region->base = NULL;
    return region_keep_failure(region, "release", 0, region->size, error);
}

const struct strategy harness_strategy = {
    .name = "replay",
    .summary = "what a recorded program did with its memory, without the program",
    .step = STEP_SIZE,
    .commits = ways,
    .gives_back = purges,
    .pages = vm_small_pages_kinds,
    .load = replay_load,
    .shape = replay_shape,
    .reserve = replay_reserve,
    .touch = replay_touch,
    .most = replay_most,
    .release = replay_release,
};
