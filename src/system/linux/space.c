/* An address space as /proc/PID/smaps tells it, or maps where no figure is asked for; guards by
 * PAGEMAP_SCAN, since `gu` in VmFlags stays when the last guard of a mapping has gone. */
#define _GNU_SOURCE
#include "system/space.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/linux/proc.h"
#include "system/linux/uapi.h"
#include "system/vm.h"

enum { RUN_MAX = 16, RANGES_MAX = 256, NAME_BYTES = 4 * 4096 };

struct mapping {
    uint64_t start, end, resident, touched;
    uint64_t inode; /* 0 if no file */
    char device[16];
    char protection[5];
    bool charged, grows, huge, guarded;
};

struct reading {
    uint64_t process;
    enum space_detail detail;
    void (*region)(const struct space_region *region, void *context);
    void *context;
    uint64_t reached; /* end of what was handed on */
    uint64_t mapping_count;
    int pagemap; /* open if not negative */
    /* Neighbours that map the same file, held back until one of them shows what the file is. */
    struct mapping run[RUN_MAX];
    size_t run_length;
    char name[NAME_BYTES];
    struct mapping next; /* being read */
    char next_name[NAME_BYTES];
};

static bool accessible(const struct mapping *mapping)
{
    return strncmp(mapping->protection, "---", 3) != 0;
}

static bool is_shared(const struct mapping *mapping)
{
    return mapping->protection[3] == 's';
}

/* A mapping is charged exactly when its VmFlags hold `ac`, VM_ACCOUNT
 * (Documentation/filesystems/proc.rst). */
static enum space_state state_of(const struct mapping *mapping)
{
    if (is_shared(mapping))
        return SPACE_SHARED;
    if (mapping->charged)
        return accessible(mapping) ? SPACE_COMMITTED : SPACE_INACCESSIBLE;
    if (!accessible(mapping))
        return SPACE_RESERVED;
    return mapping->inode != 0 ? SPACE_FILE : SPACE_UNCHARGED;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Files of memory: shared anonymous mappings, memfd_create(2), shmget(2). */
static bool names_shared_memory(const char *name)
{
    return starts_with(name, "/dev/zero (deleted)") || starts_with(name, "/memfd:") ||
           starts_with(name, "/SYSV") || starts_with(name, "[anon_shmem:");
}

/* Names in brackets are the kernel's, but "[anon:NAME]", which is the program's own choice
 * (prctl(2), PR_SET_VMA_ANON_NAME): glibc calls stacks and heaps so where it is asked to. */
static enum space_kind kind_by_name(const char *name)
{
    if (starts_with(name, "[heap]"))
        return SPACE_KIND_HEAP;
    if (starts_with(name, "[stack"))
        return SPACE_KIND_STACK;
    if (starts_with(name, "[anon: glibc: malloc"))
        return SPACE_KIND_HEAP;
    if (starts_with(name, "[anon: glibc: pthread stack"))
        return SPACE_KIND_STACK;
    return name[0] != '[' || starts_with(name, "[anon") ? SPACE_KIND_ANONYMOUS : SPACE_KIND_SYSTEM;
}

static enum space_kind kind_of(const struct mapping *mapping, const char *name, bool image)
{
    if (mapping->huge)
        return SPACE_KIND_HUGE;
    if (names_shared_memory(name))
        return SPACE_KIND_SHARED;
    if (mapping->inode != 0)
        return image ? SPACE_KIND_IMAGE : SPACE_KIND_FILE;
    return mapping->grows ? SPACE_KIND_STACK : kind_by_name(name);
}

static void hand_on_free(struct reading *reading, uint64_t end)
{
    struct space_region region = {.start = reading->reached, .end = end, .name = ""};
    region.commit_bytes.known = region.resident_bytes.known = region.touched_bytes.known =
        reading->detail == SPACE_EXACT;
    if (end > reading->reached)
        reading->region(&region, reading->context);
    reading->reached = end;
}

/* All parts of a mapping are charged alike: guards keep their charge, and have no residency. */
static void hand_on(struct reading *reading, const struct mapping *mapping,
                    const struct space_region *region)
{
    struct space_region part = *region;
    bool exact = reading->detail == SPACE_EXACT;
    uint64_t charge = exact && mapping->charged ? part.end - part.start : 0;
    part.commit_bytes = (struct meter_count){charge, exact};
    part.resident_bytes.known = part.touched_bytes.known = exact;
    if (part.end > part.start)
        reading->region(&part, reading->context);
}

/* The part of a mapping that is being put together while its ranges are gone through. */
struct split {
    struct reading *reading;
    const struct mapping *mapping;
    struct space_region part; /* of a guard, `end` is known so far */
    enum space_state usual;   /* of what is no guard */
};

static void split_at(struct split *split, uint64_t at, enum space_state state)
{
    if (split->part.state == state)
        return;
    split->part.end = at;
    hand_on(split->reading, split->mapping, &split->part);
    split->part.start = at;
    split->part.state = state;
    split->part.resident_bytes.value = split->part.touched_bytes.value = 0;
}

/* Guards that touch are one. */
static void add_range(struct split *split, const struct uapi_run *range)
{
    bool guard = (range->categories & UAPI_GUARD) != 0;
    if (split->part.state == SPACE_GUARD && (!guard || range->start > split->part.end))
        split_at(split, split->part.end, split->usual);
    if (guard) {
        split_at(split, range->start, SPACE_GUARD);
        split->part.end = range->end;
    } else if ((range->categories & UAPI_ZERO_PAGE) == 0) {
        uint64_t bytes = range->end - range->start;
        bool own = (range->categories & UAPI_FILE) == 0 && !is_shared(split->mapping);
        split->part.resident_bytes.value += (range->categories & UAPI_PRESENT) != 0 ? bytes : 0;
        split->part.touched_bytes.value += own ? bytes : 0;
    }
}

static void end_split(struct split *split, uint64_t end)
{
    if (split->part.state == SPACE_GUARD && split->part.end < end)
        split_at(split, split->part.end, split->usual);
    split->part.end = end;
    hand_on(split->reading, split->mapping, &split->part);
}

/* False if this kernel can't tell guards, and nothing was handed on. Where a later call fails, the
 * process has gone, which is noticed at the end. */
static bool hand_on_split(struct reading *reading, const struct mapping *mapping,
                          const struct space_region *region)
{
    static struct uapi_run ranges[RANGES_MAX];
    struct split split = {reading, mapping, *region, region->state};
    struct uapi_scan scan = {.size = sizeof scan,
                             .start = region->start,
                             .end = region->end,
                             .runs = (uintptr_t)ranges,
                             .run_count = RANGES_MAX,
                             .any_of = UAPI_GUARD | UAPI_PRESENT | UAPI_SWAPPED,
                             .returned = UAPI_GUARD | UAPI_FILE | UAPI_PRESENT | UAPI_SWAPPED |
                                         UAPI_ZERO_PAGE};
    split.part.resident_bytes.value = split.part.touched_bytes.value = 0;
    while (scan.start < region->end) {
        int count = ioctl(reading->pagemap, UAPI_SCAN, &scan);
        if (count < 0 && scan.start == region->start)
            return false;
        for (int i = 0; i < count; i++)
            add_range(&split, &ranges[i]);
        if (count < 0 || scan.walk_end <= scan.start)
            break;
        scan.start = scan.walk_end;
    }
    end_split(&split, region->end);
    return true;
}

static bool open_pagemap(struct reading *reading)
{
    char path[64];
    if (reading->pagemap >= 0)
        return true;
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/pagemap", reading->process);
    reading->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    return reading->pagemap >= 0;
}

static void hand_on_mapping(struct reading *reading, const struct mapping *mapping, bool image)
{
    struct space_region region = {.start = mapping->start,
                                  .end = mapping->end,
                                  .state = state_of(mapping),
                                  .kind = kind_of(mapping, reading->name, image),
                                  .resident_bytes.value = mapping->resident,
                                  .touched_bytes.value = mapping->touched,
                                  .name = reading->name};
    memcpy(region.protection, mapping->protection, sizeof mapping->protection);
    hand_on_free(reading, mapping->start);
    reading->reached = mapping->end;
    if (!mapping->guarded || !open_pagemap(reading) || !hand_on_split(reading, mapping, &region))
        hand_on(reading, mapping, &region);
}

static void hand_on_run(struct reading *reading)
{
    bool image = false;
    for (size_t i = 0; i < reading->run_length; i++)
        image = image || reading->run[i].protection[2] == 'x';
    for (size_t i = 0; i < reading->run_length; i++)
        hand_on_mapping(reading, &reading->run[i], image);
    reading->run_length = 0;
}

static bool same_file(const struct mapping *a, const struct mapping *b)
{
    return a->inode != 0 && a->inode == b->inode && strcmp(a->device, b->device) == 0;
}

/* The page of system calls of old lies in the kernel's half of the addresses (x86-64) and is no
 * mapping of the process. */
static bool is_beyond(const struct mapping *mapping)
{
    return mapping->start >> 63 != 0;
}

/* The stack lies at the top of every new address space, so that the next power of two above the
 * last mapping is the border; its last page is never given out on x86-64 (TASK_SIZE_MAX,
 * page_64_types.h).
 */
static void hand_on_top(struct reading *reading)
{
    uint64_t border = (uint64_t)1 << 31;
    while (border < reading->reached)
        border *= 2;
    if (border - vm_page_bytes() > reading->reached)
        hand_on_free(reading, border - vm_page_bytes());
}

static void complete(struct reading *reading)
{
    struct mapping *mapping = &reading->next;
    if (reading->run_length == RUN_MAX ||
        (reading->run_length > 0 && !same_file(&reading->run[0], mapping)))
        hand_on_run(reading);
    if (is_beyond(mapping)) {
        hand_on_top(reading);
        reading->reached = mapping->start;
    } else {
        reading->mapping_count++;
    }
    if (reading->run_length == 0)
        memcpy(reading->name, reading->next_name, strlen(reading->next_name) + 1);
    reading->run[reading->run_length++] = *mapping;
}

/* "start-end perms offset device inode name"; false if the line is another. */
static bool read_header(const char *line, struct reading *reading)
{
    int name = 0;
    struct mapping mapping = {0};
    if (line[0] >= 'A' && line[0] <= 'Z')
        return false;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %15s %" SCNu64 " %n", &mapping.start,
               &mapping.end, mapping.protection, mapping.device, &mapping.inode, &name) != 5 ||
        mapping.end <= mapping.start)
        return false;
    snprintf(reading->next_name, sizeof reading->next_name, "%s", line + name);
    reading->next = mapping;
    return true;
}

static void maps_line(char *line, void *context)
{
    struct reading *reading = context;
    if (!read_header(line, reading))
        return;
    reading->next.charged = reading->next.protection[1] == 'w' && !is_shared(&reading->next);
    complete(reading);
}

static bool has_flag(const char *flags, const char *flag)
{
    return strstr(flags, flag) != NULL;
}

static void smaps_line(char *line, void *context)
{
    struct reading *reading = context;
    struct mapping *mapping = &reading->next;
    uint64_t kib;
    if (proc_field(line, "Rss:", &kib)) {
        mapping->resident = kib * 1024;
    } else if (proc_field(line, "Anonymous:", &kib) || proc_field(line, "Swap:", &kib)) {
        mapping->touched += is_shared(mapping) ? 0 : kib * 1024;
    } else if (starts_with(line, "VmFlags:")) {
        mapping->charged = has_flag(line, " ac");
        mapping->grows = has_flag(line, " gd");
        mapping->huge = has_flag(line, " ht");
        mapping->guarded = has_flag(line, " gu");
        complete(reading);
    } else {
        read_header(line, reading);
    }
}

/* What /proc/PID/stat says that tells one life of a process from another: a number is used again,
 * and execve(2) puts another address space in the place of the first. */
struct life {
    bool known;
    char state;
    uint64_t flags, threads, started, code, stack;
};

static void stat_line(char *line, void *context)
{
    enum { FIELDS = 29 };
    struct life *life = context;
    uint64_t fields[FIELDS];
    life->state = proc_stat_fields(line, fields, FIELDS);
    if (life->state == 0)
        return;
    life->known = true;
    life->flags = fields[9];
    life->threads = fields[20];
    life->started = fields[22];
    life->code = fields[26];
    life->stack = fields[28];
}

static int read_life(uint64_t process, struct life *life)
{
    char path[64];
    *life = (struct life){0};
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", process);
    return proc_for_each_line("", path, stat_line, life);
}

/* It goes on in other threads, but /proc/PID/smaps is empty then. */
static bool lost_its_first_thread(const struct life *life)
{
    return life->known && life->state == 'Z' && life->threads > 1;
}

static bool has_ended(const struct life *life)
{
    return !life->known || life->state == 'X' ||
           (life->state == 'Z' && !lost_its_first_thread(life));
}

static bool exists(uint64_t process)
{
    return process <= INT32_MAX && (kill((pid_t)process, 0) == 0 || errno == EPERM);
}

static const char *not_there(uint64_t process)
{
    if (access("/proc/self/stat", F_OK) != 0)
        return "can't be read: /proc is not mounted";
    return exists(process) ? "is hidden by /proc, which is mounted with hidepid: root sees it, or "
                             "its own user"
                           : "doesn't exist";
}

static bool forbidden(int error)
{
    return error == EACCES || error == EPERM;
}

static const char no_permission[] =
    "may not be read by this user: its own user may, where it was not made undumpable, and root "
    "(CAP_SYS_PTRACE)";

/* Why there are no mappings, for a process whose number was good or not. */
static const char *reason(uint64_t process, int error)
{
    enum { KERNEL_THREAD = 0x00200000 }; /* PF_KTHREAD, include/linux/sched.h */
    struct life life;
    int no_life = read_life(process, &life);
    if (forbidden(no_life))
        return no_permission;
    if (no_life == EMFILE || no_life == ENFILE)
        return "can't be read: no more files may be open (ulimit -n)";
    if (!life.known)
        return not_there(process);
    if ((life.flags & KERNEL_THREAD) != 0)
        return "is a thread of the kernel, which has no address space of its own";
    if (lost_its_first_thread(&life))
        return "goes on without its first thread, and can't be read by that one's number: name "
               "another (/proc/PID/task)";
    if (has_ended(&life))
        return "has ended, and is only kept for its parent (a zombie): it has no address space";
    return forbidden(error) ? no_permission : NULL;
}

static bool explain(uint64_t process, const char *text, int error, char *why, size_t size)
{
    char system[128] = "its address space is empty";
    if (text == NULL && error != 0)
        vm_error_text(error, system, sizeof system);
    if (text != NULL)
        snprintf(why, size, "process %" PRIu64 " %s", process, text);
    else
        snprintf(why, size, "process %" PRIu64 " can't be read: %s", process, system);
    return false;
}

static void limit_line(char *line, void *context)
{
    *(struct meter_count *)context = (struct meter_count){strtoull(line, NULL, 10), true};
}

/* A process that ends takes its mappings with it: the file then ends as if it were whole. */
static bool check_end(struct reading *reading, const struct life *before, int error, char *why,
                      size_t size)
{
    struct life after;
    read_life(reading->process, &after);
    if (has_ended(&after) || after.started != before->started || error == ESRCH)
        return explain(reading->process, "ended while it was being read", 0, why, size);
    if (after.code != before->code || after.stack != before->stack)
        return explain(reading->process, "started another program while it was being read", 0, why,
                       size);
    return error == 0 || explain(reading->process, NULL, error, why, size);
}

static bool read_all(struct reading *reading, char *why, size_t size)
{
    char path[64];
    struct life before;
    bool exact = reading->detail == SPACE_EXACT;
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/%s", reading->process, exact ? "smaps" : "maps");
    read_life(reading->process, &before);
    int error = proc_for_each_line("", path, exact ? smaps_line : maps_line, reading);
    if (reading->mapping_count == 0)
        return explain(reading->process, reason(reading->process, error), error, why, size);
    hand_on_run(reading);
    if (!check_end(reading, &before, error, why, size))
        return false;
    if (reading->reached >> 63 == 0)
        hand_on_top(reading);
    return true;
}

bool space_walk(uint64_t process, enum space_detail detail,
                void (*region)(const struct space_region *region, void *context), void *context,
                struct space_mappings *mappings, char *why, size_t size)
{
    static struct reading reading;
    reading = (struct reading){
        .process = process, .detail = detail, .region = region, .context = context, .pagemap = -1};
    bool whole = read_all(&reading, why, size);
    if (reading.pagemap >= 0)
        close(reading.pagemap);
    *mappings = (struct space_mappings){.used = {reading.mapping_count, true}};
    proc_for_each_line("", "/proc/sys/vm/max_map_count", limit_line, &mappings->limit);
    return whole;
}

uint64_t space_self(void)
{
    return (uint64_t)getpid();
}

bool space_alive(uint64_t process)
{
    struct life life;
    return read_life(process, &life) == 0 && !has_ended(&life);
}
