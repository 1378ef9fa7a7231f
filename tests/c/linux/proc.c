/* Linux: what is read of /proc and /sys, from made-up trees whose figures are worked out here. */
#define _GNU_SOURCE
#include "system/linux/proc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "check.h"

enum { MIB = 1 << 20 };

static char root[] = "/tmp/vmcommit-proc-XXXXXX";

static void make_folders(char *path)
{
    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
}

static void put(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    make_folders(full);
    FILE *file = fopen(full, "we");
    CHECK(file != NULL);
    if (file == NULL)
        return;
    fputs(text, file);
    fclose(file);
}

static void put_number(const char *path, uint64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64 "\n", number);
    put(path, text);
}

static void start_afresh(void)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'/*", root);
    CHECK_EQUAL(system(command), 0); /* NOLINT(cert-env33-c): a folder that we made */
    put("/proc/meminfo", "MemTotal:       8000000 kB\n"
                         "MemFree:         100000 kB\n"
                         "MemAvailable:   1048576 kB\n"
                         "Committed_AS:      5000 kB\n");
}

static uint64_t available(void)
{
    uint64_t bytes = 1;
    CHECK_EQUAL(proc_read_available(root, &bytes), 0);
    return bytes;
}

static void without_groups_the_machine_alone_limits(void)
{
    uint64_t bytes;
    start_afresh();
    CHECK_EQUAL(available(), (uint64_t)1024 * MIB);
    CHECK_EQUAL(proc_read_available("/nowhere", &bytes), ENOENT);
}

/* Limit less usage, with the inactive file cache given back first; the least of all levels. */
static void the_unified_layout(void)
{
    start_afresh();
    put("/proc/self/cgroup", "0::/user/job\n");
    put("/sys/fs/cgroup/user/job/memory.max", "max\n");
    CHECK_EQUAL(available(), (uint64_t)1024 * MIB);
    put_number("/sys/fs/cgroup/user/job/memory.max", 300 * MIB);
    put_number("/sys/fs/cgroup/user/job/memory.current", 200 * MIB);
    CHECK_EQUAL(available(), (uint64_t)100 * MIB);
    put("/sys/fs/cgroup/user/job/memory.stat", "anon 7\nactive_file 9\ninactive_file 1048576\n");
    CHECK_EQUAL(available(), (uint64_t)101 * MIB);
    put_number("/sys/fs/cgroup/user/memory.max", 250 * MIB);
    put_number("/sys/fs/cgroup/user/memory.current", 240 * MIB);
    CHECK_EQUAL(available(), (uint64_t)10 * MIB);
    put_number("/sys/fs/cgroup/memory.max", 90 * MIB);
    put_number("/sys/fs/cgroup/memory.current", 85 * MIB);
    CHECK_EQUAL(available(), (uint64_t)5 * MIB);
    put_number("/sys/fs/cgroup/memory.current", 95 * MIB);
    CHECK_EQUAL(available(), 0);
}

static void the_older_layout(void)
{
    start_afresh();
    put("/proc/self/cgroup", "5:cpu:/elsewhere\n4:memory:/box\n0::/\n");
    put_number("/sys/fs/cgroup/memory/elsewhere/memory.limit_in_bytes", 1 * MIB);
    put_number("/sys/fs/cgroup/memory/elsewhere/memory.usage_in_bytes", 0);
    put_number("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", 64 * MIB);
    put_number("/sys/fs/cgroup/memory/box/memory.usage_in_bytes", 60 * MIB);
    put("/sys/fs/cgroup/memory/box/memory.stat", "inactive_file 5\ntotal_inactive_file 2097152\n");
    CHECK_EQUAL(available(), (uint64_t)6 * MIB);
    put_number("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", 9223372036854771712u);
    CHECK_EQUAL(available(), (uint64_t)1024 * MIB);
}

static const char smaps[] = "10000-20000 rw-p 00000000 00:00 0 \n"
                            "Size:                 64 kB\n"
                            "Rss:                  60 kB\n"
                            "Anonymous:            56 kB\n"
                            "VmFlags: rd wr mr mw me ac sd \n"
                            "20000-30000 ---p 00000000 00:00 0 \n"
                            "Anonymous:             0 kB\n"
                            "VmFlags: mr mw me sd \n"
                            "30000-34000 rw-p 00000000 00:00 0          [heap]\n"
                            "Anonymous:             4 kB\n"
                            "VmFlags: rd wr mr mw me ac \n"
                            "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n"
                            "Anonymous:             0 kB\n"
                            "VmFlags: ex ac\n";

static struct maps_memory read_memory(uintptr_t base, size_t size)
{
    struct maps_memory memory;
    CHECK_EQUAL(proc_read_memory(root, (const void *)base, size, &memory), 0);
    return memory;
}

static void a_range_is_charged_where_its_mappings_are(void)
{
    start_afresh();
    put("/proc/self/smaps", smaps);
    put("/proc/self/status", "Name:\tguard\nVmPTE:\t     132 kB\nVmSwap:\t       0 kB\n");
    struct maps_memory memory = read_memory(0x18000, 0x1a000);
    CHECK_EQUAL(memory.process_table_bytes.value, 132 * 1024);
    CHECK(memory.process_table_bytes.known);
    CHECK_EQUAL(memory.region_commit_bytes, 0x8000 + 0x2000);
    CHECK_EQUAL(memory.region_count, 3);
    CHECK_EQUAL(memory.process_commit_bytes.value, 0x10000 + 0x4000 + 0x1000);
    CHECK_EQUAL(memory.process_resident_bytes.value, 60 * 1024);
    CHECK_EQUAL(memory.system_commit_bytes.value, 5000 * 1024);
    CHECK(memory.process_commit_bytes.known && memory.process_resident_bytes.known &&
          memory.system_commit_bytes.known);
    memory = read_memory(0x20000, 0x10000);
    CHECK_EQUAL(memory.region_commit_bytes, 0);
    CHECK_EQUAL(memory.region_count, 1);
    memory = read_memory(0, 0);
    CHECK_EQUAL(memory.region_commit_bytes, 0);
    CHECK_EQUAL(memory.region_count, 0);
}

static void what_is_missing_is_unknown_or_an_error(void)
{
    struct maps_memory memory;
    start_afresh();
    CHECK_EQUAL(proc_read_memory(root, NULL, 0, &memory), ENOENT);
    put("/proc/self/smaps", smaps);
    CHECK_EQUAL(proc_read_memory(root, NULL, 0, &memory), ENOENT);
    put("/proc/self/status", "Name:\tguard\n");
    put("/proc/meminfo", "MemTotal: 1 kB\n");
    memory = read_memory(0x10000, 0x10000);
    CHECK(!memory.process_table_bytes.known);
    CHECK(!memory.system_commit_bytes.known);
    CHECK_EQUAL(memory.region_commit_bytes, 0x10000);
}

static void count_line(char *line, void *context)
{
    size_t *counts = context;
    counts[0]++;
    counts[1] += strlen(line);
}

/* Lines across the reader's buffer of 16 KiB are put together. */
static void lines_come_whole(void)
{
    enum { LINES = 5000 };
    static char text[LINES * 8 + 1];
    size_t counts[2] = {0, 0};
    for (size_t i = 0; i < LINES; i++)
        memcpy(text + i * 8, "1234567\n", 9);
    start_afresh();
    put("/long", text);
    CHECK_EQUAL(proc_for_each_line(root, "/long", count_line, counts), 0);
    CHECK_EQUAL(counts[0], LINES);
    CHECK_EQUAL(counts[1], LINES * 7);
}

/* proc(5): a command's name stands in brackets and may have some of its own. */
static void a_process_is_told_by_fields(void)
{
    uint64_t fields[8];
    char whole[] = "7 (a) 1 (b) S 1 22 333 4444 5", empty[] = "7 (a)", none[] = "7 S 1 22";
    CHECK_EQUAL(proc_stat_fields(whole, fields, 8), 'S');
    CHECK_EQUAL(fields[3], 0);
    CHECK_EQUAL(fields[4], 1);
    CHECK_EQUAL(fields[5], 22);
    CHECK_EQUAL(fields[7], 4444);
    CHECK_EQUAL(proc_stat_fields(empty, fields, 8), 0);
    CHECK_EQUAL(fields[7], 0);
    CHECK_EQUAL(proc_stat_fields(none, fields, 8), 0);
}

static void endless_lines_end(void)
{
    static char text[100001];
    size_t counts[2] = {0, 0};
    memset(text, 'x', sizeof text - 1);
    start_afresh();
    put("/wide", text);
    CHECK_EQUAL(proc_for_each_line(root, "/wide", count_line, counts), 0);
    CHECK_EQUAL(counts[0], 0);
}

/* "/././.", before "/proc/meminfo": the system takes 4095 characters. */
static void a_root_may_be_as_long_as_the_system_takes(void)
{
    char far[4096 - 13 + 1];
    size_t counts[2] = {0, 0};
    for (size_t i = 0; i < sizeof far - 1; i++)
        far[i] = i % 2 == 0 ? '/' : '.';
    far[sizeof far - 2] = '\0';
    CHECK_EQUAL(proc_for_each_line(far, "/proc/meminfo", count_line, counts), 0);
    CHECK(counts[0] > 0);
    far[sizeof far - 2] = '/';
    far[sizeof far - 1] = '\0';
    CHECK_EQUAL(proc_for_each_line(far, "/proc/meminfo", count_line, counts), ENAMETOOLONG);
    CHECK_EQUAL(proc_for_each_line(far, "/proc/meminfo and more", count_line, counts),
                ENAMETOOLONG);
}

int main(void)
{
    char command[512];
    CHECK(mkdtemp(root) != NULL);
    without_groups_the_machine_alone_limits();
    the_unified_layout();
    the_older_layout();
    a_range_is_charged_where_its_mappings_are();
    what_is_missing_is_unknown_or_an_error();
    lines_come_whole();
    a_process_is_told_by_fields();
    endless_lines_end();
    a_root_may_be_as_long_as_the_system_takes();
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    CHECK_EQUAL(system(command), 0); /* NOLINT(cert-env33-c) */
    return check_result();
}
