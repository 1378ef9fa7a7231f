/* How much memory could be touched now: what the machine has, and what the control groups that the
 * process is in leave of it. */
#include "system/linux/proc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void available_line(char *line, void *context)
{
    uint64_t *bytes = context;
    uint64_t kib;
    if (proc_field(line, "MemAvailable:", &kib))
        *bytes = kib * 1024;
}

/* The memory files of a control group, in the two layouts that are in use
 * (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst). */
struct group_layout {
    const char *folder, *limit, *usage, *cache;
};
static const struct group_layout layouts[] = {
    {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "},
    {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
     "total_inactive_file "},
};

struct cache_field {
    const char *name;
    uint64_t bytes;
};

static void cache_line(char *line, void *context)
{
    struct cache_field *cache = context;
    uint64_t bytes;
    if (proc_field(line, cache->name, &bytes))
        cache->bytes = bytes;
}

static int read_group_file(const char *root, const struct group_layout *layout, const char *group,
                           const char *name, void (*line)(char *, void *), void *context)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s%s/%s", layout->folder, group, name) >= (int)sizeof path)
        return ENAMETOOLONG;
    return proc_for_each_line(root, path, line, context);
}

/* What one group's limit leaves, with the file cache that would give way first; UINT64_MAX where
 * nothing is limited. */
static uint64_t room_in_group(const char *root, const struct group_layout *layout,
                              const char *group)
{
    uint64_t limit = UINT64_MAX, usage = 0;
    struct cache_field cache = {layout->cache, 0};
    if (read_group_file(root, layout, group, layout->limit, proc_number_line, &limit) != 0 ||
        limit == UINT64_MAX ||
        read_group_file(root, layout, group, layout->usage, proc_number_line, &usage) != 0)
        return UINT64_MAX;
    read_group_file(root, layout, group, "memory.stat", cache_line, &cache);
    uint64_t held = usage > cache.bytes ? usage - cache.bytes : 0;
    return limit > held ? limit - held : 0;
}

/* The least room in a group and in those above it. Shortens `group` to "". */
static uint64_t room_upwards(const char *root, const struct group_layout *layout, char *group)
{
    uint64_t least = UINT64_MAX;
    for (;;) {
        uint64_t room = room_in_group(root, layout, group);
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

int proc_read_available(const char *root, uint64_t *bytes)
{
    static struct own_groups groups;
    memset(&groups, 0, sizeof groups);
    *bytes = 0;
    int error = proc_for_each_line(root, "/proc/meminfo", available_line, bytes);
    if (error != 0)
        return error;
    if (proc_for_each_line(root, "/proc/self/cgroup", own_group_line, &groups) != 0)
        return 0; /* a kernel without control groups limits nothing */
    for (int i = 0; i < LAYOUT_COUNT; i++) {
        uint64_t room = room_upwards(root, &layouts[i], groups.path[i]);
        *bytes = room < *bytes ? room : *bytes;
    }
    return 0;
}
