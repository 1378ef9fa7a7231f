/* Counters on Linux: clock_gettime, getrusage, and /proc read into a fixed buffer. */
#define _GNU_SOURCE
#include "system/meter.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

const char *meter_platform(void)
{
    return "linux";
}

uint64_t meter_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t meter_clock_tick_ns(void)
{
    struct timespec tick;
    clock_getres(CLOCK_MONOTONIC, &tick);
    return (uint64_t)tick.tv_sec * 1000000000u + (uint64_t)tick.tv_nsec;
}

int meter_read_faults(struct meter_faults *faults)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return errno;
    faults->minor = (struct meter_count){(uint64_t)usage.ru_minflt, true};
    faults->major = (struct meter_count){(uint64_t)usage.ru_majflt, true};
    return 0;
}

/* Calls `line` for each line of a file. /proc files have no size to be asked for, and
 * /proc/self/smaps may hold tens of thousands of mappings. */
static int for_each_line(const char *path, void (*line)(char *text, void *context), void *context)
{
    static char buffer[16384];
    size_t held = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    /* All of it, so that a longer text than last time's touches no new page of ours. */
    memset(buffer, 0, sizeof buffer);
    for (;;) {
        ssize_t got = read(file, buffer + held, sizeof buffer - 1 - held);
        if (got <= 0) {
            int error = got < 0 ? errno : 0;
            close(file);
            return error;
        }
        held += (size_t)got;
        buffer[held] = '\0';
        char *start = buffer;
        for (char *end; (end = strchr(start, '\n')) != NULL; start = end + 1) {
            *end = '\0';
            line(start, context);
        }
        held -= (size_t)(start - buffer);
        memmove(buffer, start, held);
        if (held == sizeof buffer - 1)
            held = 0; /* no line that is read here is so long */
    }
}

/* The number behind `name` at the start of a line; true if the line is that one. */
static bool field(const char *line, const char *name, uint64_t *value)
{
    size_t length = strlen(name);
    if (strncmp(line, name, length) != 0)
        return false;
    *value = strtoull(line + length, NULL, 10);
    return true;
}

struct smaps_walk {
    uint64_t from, to;   /* the range asked for */
    uint64_t start, end; /* the mapping being read */
    struct meter_memory *memory;
};

/* A mapping may reach past the range where the kernel merged it with a neighbour: only the part
 * inside counts. */
static uint64_t overlap(const struct smaps_walk *walk)
{
    uint64_t start = walk->start > walk->from ? walk->start : walk->from;
    uint64_t end = walk->end < walk->to ? walk->end : walk->to;
    return start < end ? end - start : 0;
}

/* A mapping's first line starts with its addresses, "start-end " in hexadecimal. */
static bool mapping_line(const char *line, struct smaps_walk *walk)
{
    char *rest;
    uint64_t start = strtoull(line, &rest, 16);
    if (*rest != '-')
        return false;
    walk->start = start;
    walk->end = strtoull(rest + 1, NULL, 16);
    return true;
}

/* A mapping is charged exactly when its VmFlags hold `ac`, VM_ACCOUNT
 * (Documentation/filesystems/proc.rst). */
static void smaps_line(char *line, void *context)
{
    struct smaps_walk *walk = context;
    struct meter_memory *memory = walk->memory;
    uint64_t kib;
    if (field(line, "Anonymous:", &kib)) {
        memory->process_resident_bytes.value += kib * 1024;
    } else if (strncmp(line, "VmFlags:", 8) == 0) {
        if (strstr(line, " ac") == NULL)
            return;
        memory->process_commit_bytes.value += walk->end - walk->start;
        memory->region_commit_bytes += overlap(walk);
    } else if (mapping_line(line, walk)) {
        memory->region_count += overlap(walk) > 0;
    }
}

static void committed_as_line(char *line, void *context)
{
    struct meter_count *count = context;
    uint64_t kib;
    if (field(line, "Committed_AS:", &kib))
        *count = (struct meter_count){kib * 1024, true};
}

int meter_read_memory(const void *base, size_t size, struct meter_memory *memory)
{
    struct smaps_walk walk = {
        .from = (uintptr_t)base, .to = (uintptr_t)base + size, .memory = memory};
    *memory = (struct meter_memory){.process_commit_bytes.known = true,
                                    .process_resident_bytes.known = true};
    int error = for_each_line("/proc/self/smaps", smaps_line, &walk);
    if (error != 0)
        return error;
    return for_each_line("/proc/meminfo", committed_as_line, &memory->system_commit_bytes);
}

static void available_line(char *line, void *context)
{
    uint64_t *bytes = context;
    uint64_t kib;
    if (field(line, "MemAvailable:", &kib))
        *bytes = kib * 1024;
}

/* The memory files of a control group, in the two layouts that are in use
 * (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst). */
struct group_layout {
    const char *root, *limit, *usage, *cache;
};
static const struct group_layout layouts[] = {
    {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "},
    {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
     "total_inactive_file "},
};

static void number_line(char *line, void *context)
{
    uint64_t *value = context;
    if (isdigit((unsigned char)line[0]))
        *value = strtoull(line, NULL, 10);
}

struct cache_field {
    const char *name;
    uint64_t bytes;
};

static void cache_line(char *line, void *context)
{
    struct cache_field *cache = context;
    uint64_t bytes;
    if (field(line, cache->name, &bytes))
        cache->bytes = bytes;
}

static int read_group_file(const struct group_layout *layout, const char *group, const char *name,
                           void (*line)(char *, void *), void *context)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s%s/%s", layout->root, group, name) >= (int)sizeof path)
        return ENAMETOOLONG;
    return for_each_line(path, line, context);
}

/* What one group's limit leaves, with the file cache that would give way first; UINT64_MAX where
 * nothing is limited. */
static uint64_t room_in_group(const struct group_layout *layout, const char *group)
{
    uint64_t limit = UINT64_MAX, usage = 0;
    struct cache_field cache = {layout->cache, 0};
    if (read_group_file(layout, group, layout->limit, number_line, &limit) != 0 ||
        limit == UINT64_MAX ||
        read_group_file(layout, group, layout->usage, number_line, &usage) != 0)
        return UINT64_MAX;
    read_group_file(layout, group, "memory.stat", cache_line, &cache);
    uint64_t held = usage > cache.bytes ? usage - cache.bytes : 0;
    return limit > held ? limit - held : 0;
}

/* The least room in a group and in those above it. Shortens `group` to "". */
static uint64_t room_upwards(const struct group_layout *layout, char *group)
{
    uint64_t least = UINT64_MAX;
    for (;;) {
        uint64_t room = room_in_group(layout, group);
        least = room < least ? room : least;
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

enum { LAYOUT_COUNT = sizeof layouts / sizeof layouts[0] };

struct own_groups {
    char path[LAYOUT_COUNT][2048];
};

/* "0::/path" names the group in the unified layout, "N:memory:/path" that in the older one. */
static void own_group_line(char *line, void *context)
{
    struct own_groups *groups = context;
    char *controllers = strchr(line, ':');
    char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL)
        return;
    *path++ = '\0';
    if (strcmp(controllers, ":") == 0)
        snprintf(groups->path[0], sizeof groups->path[0], "%s", path);
    else if (strcmp(controllers, ":memory") == 0)
        snprintf(groups->path[1], sizeof groups->path[1], "%s", path);
}

int meter_read_available(uint64_t *bytes)
{
    static struct own_groups groups;
    *bytes = 0;
    int error = for_each_line("/proc/meminfo", available_line, bytes);
    if (error != 0)
        return error;
    if (for_each_line("/proc/self/cgroup", own_group_line, &groups) != 0)
        return 0; /* a kernel without control groups limits nothing */
    for (int i = 0; i < LAYOUT_COUNT; i++) {
        uint64_t room = room_upwards(&layouts[i], groups.path[i]);
        *bytes = room < *bytes ? room : *bytes;
    }
    return 0;
}
