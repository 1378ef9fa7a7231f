#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listing.h"
#include "system/linux/proc.h"
#include "system/linux/uapi.h"
#include "system/vm.h"

const struct memory memory_none = {-1, -1, -1};
uint64_t memory_end;
static uint64_t not_touched = UAPI_FILE | UAPI_ZERO_PAGE | UAPI_GUARD;
static bool finds, scans; /* by query */

static int open_of(pid_t tid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)tid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

int memory_open(struct memory *memory, pid_t tid)
{
    *memory = (struct memory){open_of(tid, "maps"), open_of(tid, "pagemap"), open_of(tid, "smaps")};
    if (memory->maps >= 0 && memory->pages >= 0 && memory->listed >= 0)
        return 0;
    int error = errno;
    memory_close(memory);
    return error;
}

void memory_close(struct memory *memory)
{
    if (memory->maps >= 0)
        close(memory->maps);
    if (memory->pages >= 0)
        close(memory->pages);
    if (memory->listed >= 0)
        close(memory->listed);
    *memory = memory_none;
}

/* PAGEMAP_SCAN refuses a range beyond what the architecture gives to processes. */
static int find_end(const struct memory *memory)
{
    int error = EINVAL;
    for (int bits = 57; bits >= 31 && error != 0; bits--) {
        struct runs runs = {0};
        memory_end = ((uint64_t)1 << bits) - vm_page_bytes();
        error = memory_touched(memory, memory_end - vm_page_bytes(), memory_end, 0, &runs);
        runs_free(&runs);
    }
    return error;
}

static void probe(const struct memory *memory, uint64_t here)
{
    struct mapping mapping;
    struct runs runs = {0};
    finds = scans = true;
    finds = memory_find(memory, here, &mapping) == 0;
    int error = memory_touched(memory, here, here + vm_page_bytes(), 0, &runs);
    if (error == EINVAL) {
        not_touched = UAPI_FILE | UAPI_ZERO_PAGE;
        error = memory_touched(memory, here, here + vm_page_bytes(), 0, &runs);
    }
    scans = error == 0 && find_end(memory) == 0;
    runs_free(&runs);
}

int memory_probe(bool queries, bool *queried)
{
    struct memory memory;
    struct mapping mapping;
    struct runs runs = {0};
    uint64_t here = (uint64_t)(uintptr_t)&memory / vm_page_bytes() * vm_page_bytes();
    int error = memory_open(&memory, getpid());
    if (error != 0)
        return error;
    if (queries)
        probe(&memory, here);
    *queried = finds && scans;
    if (!scans)
        memory_end = UINT64_MAX / vm_page_bytes() * vm_page_bytes();
    error = memory_find(&memory, here, &mapping);
    if (error == 0)
        error = memory_touched(&memory, here, here + vm_page_bytes(), 0, &runs);
    runs_free(&runs);
    memory_close(&memory);
    return error;
}

static struct mapping answer_of(const struct uapi_query *query)
{
    return (struct mapping){.start = query->vma_start,
                            .end = query->vma_end,
                            .access = (unsigned)query->vma_flags & 15,
                            .device = (uint64_t)query->dev_major << 32 | query->dev_minor,
                            .inode = query->inode,
                            .offset = query->vma_offset};
}

int memory_find(const struct memory *memory, uint64_t address, struct mapping *mapping)
{
    if (!finds)
        return listing_find(memory->maps, address, mapping, NULL);
    struct uapi_query query = {
        .size = sizeof query, .query_flags = UAPI_COVERING_OR_NEXT, .query_addr = address};
    if (ioctl(memory->maps, UAPI_QUERY, &query) != 0)
        return errno;
    *mapping = answer_of(&query);
    return 0;
}

static int query_code(const struct memory *memory, uint64_t address, struct memory_code *code)
{
    unsigned char id[20];
    struct uapi_query query = {.size = sizeof query,
                               .query_flags = UAPI_COVERING_OR_NEXT,
                               .query_addr = address,
                               .vma_name_size = sizeof code->path,
                               .vma_name_addr = (uintptr_t)code->path,
                               .build_id_size = sizeof id,
                               .build_id_addr = (uintptr_t)id};
    if (ioctl(memory->maps, UAPI_QUERY, &query) != 0)
        return errno;
    code->mapping = answer_of(&query);
    if (query.vma_name_size == 0)
        code->path[0] = '\0';
    for (uint32_t i = 0; i < query.build_id_size; i++)
        snprintf(code->build_id + (size_t)2 * i, 3, "%02x", id[i]);
    return 0;
}

int memory_find_code(const struct memory *memory, uint64_t address, struct memory_code *code)
{
    code->build_id[0] = '\0';
    int error = finds ? query_code(memory, address, code)
                      : listing_find(memory->maps, address, &code->mapping, code->path);
    for (char *at = code->path; error == 0 && (at = strchr(at, '\n')) != NULL;)
        *at = '?';
    return error;
}

static int append_all(struct runs *runs, const struct uapi_run *regions, int count)
{
    for (int i = 0; i < count; i++)
        if (!runs_append(runs, regions[i].start, regions[i].end))
            return ENOMEM;
    return 0;
}

int memory_touched(const struct memory *memory, uint64_t start, uint64_t end, uint64_t most,
                   struct runs *runs)
{
    static struct uapi_run regions[512];
    if (!scans)
        return listing_touched(memory->maps, memory->pages, start, end, most, runs);
    while (start < end) {
        struct uapi_scan scan = {.size = sizeof scan,
                                 .start = start,
                                 .end = end,
                                 .runs = (uintptr_t)regions,
                                 .run_count = sizeof regions / sizeof *regions,
                                 .most_pages = most,
                                 .inverted = not_touched,
                                 .all_of = not_touched,
                                 .any_of = UAPI_PRESENT | UAPI_SWAPPED,
                                 .returned = UAPI_FILE};
        int count = ioctl(memory->pages, UAPI_SCAN, &scan);
        if (count < 0)
            return errno;
        int error = append_all(runs, regions, count);
        if (error != 0 || most != 0 || scan.walk_end <= start)
            return error;
        start = scan.walk_end;
    }
    return 0;
}

struct list {
    struct memory_mapping mapping;
    char name[4096];
    void (*each)(const struct memory_mapping *mapping, void *context);
    void *context;
};

/* "start-end perms offset device inode   name" */
static bool first_line(const char *line, struct list *list)
{
    char *rest, permissions[5] = "";
    uint64_t start = strtoull(line, &rest, 16);
    if (*rest != '-')
        return false;
    int name_at = 0;
    list->mapping = (struct memory_mapping){.start = start, .name = list->name};
    list->name[0] = '\0';
    if (sscanf(rest, "-%" SCNx64 " %4s %*s %*s %*s%n", &list->mapping.end, permissions, &name_at) <
        2)
        return false;
    rest += name_at;
    snprintf(list->name, sizeof list->name, "%s", rest + strspn(rest, " "));
    char *flag = list->mapping.flags;
    for (const char *permission = permissions; *permission != '\0'; permission++)
        if (strchr("rwxs", *permission) != NULL)
            *flag++ = *permission;
    return true;
}

static void list_line(char *line, void *context)
{
    static const struct {
        const char *name, *letter;
    } flags[] = {{" ac", "a"}, {" nr", "n"}, {" ht", "t"},
                 {" gd", "g"}, {" dc", "d"}, {" wf", "k"}};
    struct list *list = context;
    uint64_t kib;
    if (proc_field(line, "Rss:", &kib)) {
        list->mapping.resident = kib * 1024;
    } else if (proc_field(line, "Anonymous:", &kib)) {
        list->mapping.anonymous = kib * 1024;
    } else if (strncmp(line, "VmFlags:", 8) == 0) {
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
            if (strstr(line, flags[i].name) != NULL)
                strcat(list->mapping.flags, flags[i].letter);
        list->each(&list->mapping, list->context);
    } else {
        first_line(line, list);
    }
}

int memory_list(const struct memory *memory,
                void (*each)(const struct memory_mapping *mapping, void *context), void *context)
{
    static struct list list;
    list.each = each;
    list.context = context;
    return proc_for_each_line_of(memory->listed, list_line, &list);
}

static void stat_line(char *line, void *context)
{
    enum { MINOR = 10, MAJOR = 12, RESIDENT = 24, HEAP = 47 };
    struct memory_counts *counts = context;
    uint64_t fields[HEAP + 1];
    proc_stat_fields(line, fields, HEAP + 1);
    counts->minor_faults = fields[MINOR];
    counts->major_faults = fields[MAJOR];
    counts->resident_bytes = fields[RESIDENT] * vm_page_bytes();
    counts->heap = fields[HEAP];
}

int memory_count(pid_t pid, pid_t tid, struct memory_counts *counts)
{
    char path[64];
    *counts = (struct memory_counts){0};
    proc_cpu_ns(pid, &counts->cpu_ns);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)tid);
    return proc_for_each_line("", path, stat_line, counts);
}
