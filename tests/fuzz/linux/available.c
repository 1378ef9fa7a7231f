/* The memory that control groups leave: made-up limits, usages and caches of nested groups, whose
 * least room is worked out as they are made up; and any bytes at all in one file's place. */
#include <inttypes.h>
#include <stdbool.h>

#include "fuzz.h"
#include "system/linux/proc.h"
#include "tree.h"

enum { LEVELS = 4 };

struct level {
    const char *limit, *usage, *cache; /* paths */
};

/* A group and those above it, in both layouts. */
static const struct layout {
    const char *cache_field;
    struct level levels[LEVELS];
} layouts[] = {
    {"inactive_file",
     {{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"},
      {"/sys/fs/cgroup/a/memory.max", "/sys/fs/cgroup/a/memory.current",
       "/sys/fs/cgroup/a/memory.stat"},
      {"/sys/fs/cgroup/a/b/memory.max", "/sys/fs/cgroup/a/b/memory.current",
       "/sys/fs/cgroup/a/b/memory.stat"},
      {"/sys/fs/cgroup/a/b/c d/memory.max", "/sys/fs/cgroup/a/b/c d/memory.current",
       "/sys/fs/cgroup/a/b/c d/memory.stat"}}},
    {"total_inactive_file",
     {{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
       "/sys/fs/cgroup/memory/memory.stat"},
      {"/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
       "/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "/sys/fs/cgroup/memory/a/memory.stat"},
      {"/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
       "/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "/sys/fs/cgroup/memory/a/b/memory.stat"},
      {"/sys/fs/cgroup/memory/a/b/c d/memory.limit_in_bytes",
       "/sys/fs/cgroup/memory/a/b/c d/memory.usage_in_bytes",
       "/sys/fs/cgroup/memory/a/b/c d/memory.stat"}}},
};
enum { LAYOUTS = sizeof layouts / sizeof layouts[0] };
static const char *const groups[LEVELS] = {"/", "/a", "/a/b", "/a/b/c d"};

static void put(const char *path, const char *format, const char *name, uint64_t number)
{
    char text[128];
    int length = snprintf(text, sizeof text, format, name, number);
    tree_put(path, text, (size_t)length);
}

/* Writes one level; returns what it leaves, UINT64_MAX if it limits nothing. */
static uint64_t make_level(struct input *input, const struct layout *layout,
                           const struct level *level)
{
    uint8_t kind = input_byte(input);
    uint64_t limit = input_number(input, 4), usage = input_number(input, 4);
    uint64_t cache = input_number(input, 4);
    put(level->usage, "%s%" PRIu64 "\n", "", usage);
    put(level->cache, "anon 7\n%s %" PRIu64 "\n", layout->cache_field, cache);
    if (kind % 4 == 0)
        put(level->limit, "%s\n", "max", 0);
    else
        put(level->limit, "%s%" PRIu64 "\n", "", limit);
    uint64_t held = cache < usage ? usage - cache : 0;
    return kind % 4 == 0 ? UINT64_MAX : held < limit ? limit - held : 0;
}

/* Writes all levels of a layout; returns the least room in the group at `depth` and above. */
static uint64_t make_layout(struct input *input, const struct layout *layout, int depth)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < LEVELS; i++) {
        uint64_t room = make_level(input, layout, &layout->levels[i]);
        if (i <= depth && room < least)
            least = room;
    }
    return least;
}

static uint64_t read_available(void)
{
    uint64_t bytes;
    FUZZ_CHECK(proc_read_available(tree_root(), &bytes) == 0);
    return bytes;
}

static void put_any_bytes(struct input *input, uint8_t which)
{
    const char *const paths[] = {"/proc/self/cgroup",        layouts[0].levels[1].limit,
                                 layouts[0].levels[1].usage, layouts[0].levels[1].cache,
                                 layouts[1].levels[0].cache, "/proc/meminfo"};
    size_t path = which % (sizeof paths / sizeof paths[0]);
    tree_put(paths[path], input->data, input->left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint8_t mode = input_byte(&input);
    int depths[LAYOUTS] = {input_byte(&input) % LEVELS, input_byte(&input) % LEVELS};
    uint64_t available_kib = input_number(&input, 3), least = available_kib * 1024;
    put("/proc/meminfo", "%s 8 kB\nMemAvailable:  %8" PRIu64 " kB\n", "MemFree:", available_kib);
    char text[128];
    snprintf(text, sizeof text, "12:cpu,cpuacct:/x\n3:memory:%s\n0::%s\n", groups[depths[1]],
             groups[depths[0]]);
    tree_put("/proc/self/cgroup", text, strlen(text));
    for (int i = 0; i < LAYOUTS; i++) {
        uint64_t room = make_layout(&input, &layouts[i], depths[i]);
        least = room < least ? room : least;
    }
    FUZZ_CHECK(read_available() == least);
    if (mode % 2 == 1) {
        put_any_bytes(&input, mode / 2);
        uint64_t bytes = read_available();
        FUZZ_CHECK(mode / 2 % 6 == 5 || bytes <= available_kib * 1024);
    }
    return 0;
}
