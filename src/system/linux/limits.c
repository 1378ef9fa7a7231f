/* /proc, and getrlimit(2). */
#define _DEFAULT_SOURCE
#include "system/limits.h"

#include <string.h>
#include <sys/resource.h>

#include "system/linux/proc.h"

/* Below 2^47 with page tables of four levels, which is what mmap gives unless asked for more
 * (Documentation/arch/x86/x86_64/5level-paging.rst). */
static const uint64_t ADDRESS_SPACE = (uint64_t)1 << 47;

struct readings {
    uint64_t mappings, most_mappings;
    uint64_t mapped, data; /* as RLIMIT_AS and RLIMIT_DATA count them */
    uint64_t mode, commit_limit, committed;
};

/* [vsyscall] is listed and is no mapping (arch/x86/entry/vsyscall/vsyscall_64.c, gate_vma). */
static void mapping_line(char *line, void *context)
{
    ((struct readings *)context)->mappings += strstr(line, "[vsyscall]") == NULL;
}

/* Of /proc/self/status and /proc/meminfo, which have none of each other's names. */
static void kib_line(char *line, void *context)
{
    struct readings *readings = context;
    const struct {
        const char *name;
        uint64_t *bytes;
    } fields[] = {{"VmSize:", &readings->mapped},
                  {"VmData:", &readings->data},
                  {"CommitLimit:", &readings->commit_limit},
                  {"Committed_AS:", &readings->committed}};
    uint64_t kib;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (proc_field(line, fields[i].name, &kib))
            *fields[i].bytes = kib * 1024;
}

static int read_all(struct readings *readings)
{
    int error = proc_for_each_line("", "/proc/self/maps", mapping_line, readings);
    if (error == 0)
        error = proc_for_each_line("", "/proc/sys/vm/max_map_count", proc_number_line,
                                   &readings->most_mappings);
    if (error == 0)
        error = proc_for_each_line("", "/proc/self/status", kib_line, readings);
    if (error == 0)
        error = proc_for_each_line("", "/proc/sys/vm/overcommit_memory", proc_number_line,
                                   &readings->mode);
    return error == 0 ? proc_for_each_line("", "/proc/meminfo", kib_line, readings) : error;
}

static void lower(struct meter_count *room, uint64_t limit, uint64_t used)
{
    uint64_t left = limit > used ? limit - used : 0;
    if (!room->known || left < room->value)
        *room = (struct meter_count){left, true};
}

static void lower_to_resource(struct meter_count *room, int resource, uint64_t used)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        lower(room, limit.rlim_cur, used);
}

/* Only mode 2 holds all that is charged against CommitLimit; the others look at each call alone
 * (Documentation/mm/overcommit-accounting.rst). */
int limits_read(struct limits *limits)
{
    enum { STRICT = 2 };
    struct readings readings = {0};
    *limits = (struct limits){{0, false}, {0, false}, {0, false}};
    int error = read_all(&readings);
    if (error != 0)
        return error;
    lower(&limits->mappings, readings.most_mappings, readings.mappings);
    lower(&limits->address_bytes, ADDRESS_SPACE, readings.mapped);
    lower_to_resource(&limits->address_bytes, RLIMIT_AS, readings.mapped);
    lower_to_resource(&limits->commit_bytes, RLIMIT_DATA, readings.data);
    if (readings.mode == STRICT)
        lower(&limits->commit_bytes, readings.commit_limit, readings.committed);
    return 0;
}
