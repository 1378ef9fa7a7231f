/* Charge and residency on Linux: /proc/self/smaps; page tables: /proc/self/status; Committed_AS of
 * /proc/meminfo. */
#include "system/maps.h"

#include <stdlib.h>
#include <string.h>

#include "system/linux/proc.h"

struct smaps_walk {
    uint64_t from, to;   /* the range asked for */
    uint64_t start, end; /* the mapping being read */
    struct maps_memory *memory;
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
    struct maps_memory *memory = walk->memory;
    uint64_t kib;
    if (proc_field(line, "Anonymous:", &kib)) {
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
    if (proc_field(line, "Committed_AS:", &kib))
        *count = (struct meter_count){kib * 1024, true};
}

/* VmPTE counts the pages of all levels (proc_pid_status(5); fs/proc/task_mmu.c, mm_pgtables_bytes).
 */
static void table_line(char *line, void *context)
{
    struct meter_count *count = context;
    uint64_t kib;
    if (proc_field(line, "VmPTE:", &kib))
        *count = (struct meter_count){kib * 1024, true};
}

int proc_read_memory(const char *root, const void *base, size_t size, struct maps_memory *memory)
{
    struct smaps_walk walk = {
        .from = (uintptr_t)base, .to = (uintptr_t)base + size, .memory = memory};
    *memory = (struct maps_memory){.process_commit_bytes.known = true,
                                   .process_resident_bytes.known = true};
    int error = proc_for_each_line(root, "/proc/self/smaps", smaps_line, &walk);
    if (error == 0)
        error =
            proc_for_each_line(root, "/proc/self/status", table_line, &memory->process_table_bytes);
    if (error != 0)
        return error;
    return proc_for_each_line(root, "/proc/meminfo", committed_as_line,
                              &memory->system_commit_bytes);
}

int maps_read(const void *base, size_t size, struct maps_memory *memory)
{
    return proc_read_memory("", base, size, memory);
}
