/* Placing, taking back, protecting, locking and asking on Linux. */
#define _GNU_SOURCE
#include "system/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "system/linux/proc.h"
#include "system/linux/uapi.h"
#include "system/vm.h"

static void *map(void *hint, size_t size, int flags)
{
    return mmap(hint, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/* mmap searches from the top down (mm/mmap.c, mmap_base). Low addresses are had by a hint, which is
 * kept where the range there is free (mmap(2)): above a program that was linked to 4 MiB, and below
 * all else. */
static int map_low(size_t size, void **base)
{
    void *const low = (void *)(uintptr_t)0x10000000;
    *base = map(low, size, 0);
    if (*base == MAP_FAILED)
        return errno;
    if (*base == low)
        return 0;
    munmap(*base, size);
    return ENOMEM;
}

/* Neighbours of equal flags become one mapping with a range (mm/vma.c, vma_merge), and to change a
 * part of a mapping splits it. So a page on each side is given back. */
static int map_apart(size_t size, void **base)
{
    size_t page = vm_page_bytes();
    if (size > SIZE_MAX - 2 * page)
        return ENOMEM;
    unsigned char *fenced = map(NULL, size + 2 * page, 0);
    if (fenced == MAP_FAILED)
        return errno;
    *base = fenced + page;
    if (munmap(fenced, page) == 0 && munmap(fenced + page + size, page) == 0)
        return 0;
    int error = errno;
    munmap(fenced, size + 2 * page);
    return error;
}

int calls_reserve(enum calls_place place, size_t size, void **base)
{
    if (place == CALLS_BOTTOM_UP)
        return map_low(size, base);
    if (place == CALLS_APART)
        return map_apart(size, base);
    *base = map(NULL, size, 0);
    return *base == MAP_FAILED ? errno : 0;
}

/* A new mapping in place of the old: mprotect to PROT_NONE would keep pages and charge. */
int calls_decommit(void *address, size_t size)
{
    return map(address, size, MAP_FIXED) == MAP_FAILED ? errno : 0;
}

int calls_protect(void *address, size_t size, enum calls_access access)
{
    static const int protections[] = {
        [CALLS_NONE] = PROT_NONE, [CALLS_READ] = PROT_READ, [CALLS_WRITE] = PROT_READ | PROT_WRITE};
    return mprotect(address, size, protections[access]) == 0 ? 0 : errno;
}

int calls_lock(void *address, size_t size)
{
    return mlock(address, size) == 0 ? 0 : errno;
}

int calls_unlock(void *address, size_t size)
{
    return munlock(address, size) == 0 ? 0 : errno;
}

/* ENOMEM beyond RLIMIT_MEMLOCK, EPERM where that is 0, EAGAIN where pages could not be had
 * (mlock(2)). */
bool calls_is_lock_refusal(int error)
{
    return error == ENOMEM || error == EPERM || error == EAGAIN;
}

const char *calls_lock_limit(size_t size)
{
    static char text[64];
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || size <= limit.rlim_cur)
        return NULL;
    snprintf(text, sizeof text, "RLIMIT_MEMLOCK is %llu bytes", (unsigned long long)limit.rlim_cur);
    return text;
}

/* mincore tells of private pages whether they are there, whatever their protection; ENOMEM where
 * nothing is mapped (mincore(2)). */
static int read_resident(const unsigned char *base, size_t size, uint64_t *bytes)
{
    unsigned char in_core[4096];
    size_t page = vm_page_bytes(), most = sizeof in_core * page;
    for (size_t at = 0; at < size; at += most) {
        size_t part = size - at < most ? size - at : most;
        if (mincore((void *)(uintptr_t)(base + at), part, in_core) != 0)
            return errno == ENOMEM ? 0 : errno;
        for (size_t i = 0; i < part / page; i++)
            *bytes += (in_core[i] & 1) * page;
    }
    return 0;
}

struct locked_walk {
    uint64_t from, to;
    uint64_t start, end; /* the mapping being read */
    uint64_t bytes;
};

/* A mapping's pages are locked, all of them, where its VmFlags hold `lo`, VM_LOCKED
 * (Documentation/filesystems/proc.rst). */
static void locked_line(char *line, void *context)
{
    struct locked_walk *walk = context;
    unsigned long long start, end;
    if (sscanf(line, "%llx-%llx ", &start, &end) == 2) {
        walk->start = start > walk->from ? start : walk->from;
        walk->end = end < walk->to ? end : walk->to;
    } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " lo") != NULL &&
               walk->start < walk->end) {
        walk->bytes += walk->end - walk->start;
    }
}

int calls_read_memory(const void *base, size_t size, struct calls_memory *memory)
{
    struct locked_walk walk = {.from = (uintptr_t)base, .to = (uintptr_t)base + size};
    memory->resident_bytes = (struct meter_count){0, true};
    int error = read_resident(base, size, &memory->resident_bytes.value);
    if (error == 0)
        error = proc_for_each_line("", "/proc/self/smaps", locked_line, &walk);
    memory->locked_bytes = (struct meter_count){walk.bytes, error == 0};
    return error;
}

static int open_file(struct calls_question *question, const char *path)
{
    question->file = open(path, O_RDONLY | O_CLOEXEC);
    return question->file >= 0 ? 0 : errno;
}

static void close_file(struct calls_question *question)
{
    close(question->file);
}

static int open_maps(struct calls_question *question)
{
    return open_file(question, "/proc/self/maps");
}

static int open_pagemap(struct calls_question *question)
{
    return open_file(question, "/proc/self/pagemap");
}

static int ask_mapping(struct calls_question *question, uint64_t times)
{
    struct uapi_query *mapping = question->buffer;
    for (uint64_t i = 0; i < times; i++) {
        *mapping =
            (struct uapi_query){.size = sizeof *mapping, .query_addr = (uintptr_t)question->base};
        if (ioctl(question->file, UAPI_QUERY, mapping) != 0)
            return errno;
    }
    return 0;
}

static uint64_t read_mapping(const struct calls_question *question)
{
    const struct uapi_query *mapping = question->buffer;
    uint64_t from = (uintptr_t)question->base, to = from + question->size;
    uint64_t start = mapping->vma_start > from ? mapping->vma_start : from;
    uint64_t end = mapping->vma_end < to ? mapping->vma_end : to;
    return start < end ? end - start : 0;
}

static int ask_mincore(struct calls_question *question, uint64_t times)
{
    for (uint64_t i = 0; i < times; i++)
        if (mincore((void *)(uintptr_t)question->base, question->size, question->buffer) != 0)
            return errno;
    return 0;
}

static uint64_t read_mincore(const struct calls_question *question)
{
    const unsigned char *in_core = question->buffer;
    uint64_t pages = 0;
    for (size_t i = 0; i < question->size / vm_page_bytes(); i++)
        pages += in_core[i] & 1;
    return pages * vm_page_bytes();
}

/* Eight bytes a page (Documentation/admin-guide/mm/pagemap.rst). */
static int ask_pagemap(struct calls_question *question, uint64_t times)
{
    size_t page = vm_page_bytes(), bytes = question->size / page * sizeof(uint64_t);
    off_t from = (off_t)((uintptr_t)question->base / page * sizeof(uint64_t));
    for (uint64_t i = 0; i < times; i++) {
        ssize_t got = pread(question->file, question->buffer, bytes, from);
        if (got != (ssize_t)bytes)
            return got < 0 ? errno : EIO;
    }
    return 0;
}

/* Bit 63: the page is present. */
static uint64_t read_pagemap(const struct calls_question *question)
{
    const uint64_t *entries = question->buffer;
    uint64_t pages = 0;
    for (size_t i = 0; i < question->size / vm_page_bytes(); i++)
        pages += entries[i] >> 63;
    return pages * vm_page_bytes();
}

/* Answers with runs of pages that are present: one where all of them are. */
static int ask_scan(struct calls_question *question, uint64_t times)
{
    for (uint64_t i = 0; i < times; i++) {
        struct uapi_scan scan = {.size = sizeof scan,
                                 .start = (uintptr_t)question->base,
                                 .end = (uintptr_t)question->base + question->size,
                                 .runs = (uintptr_t)question->buffer,
                                 .run_count = CALLS_BUFFER_BYTES / sizeof(struct uapi_run),
                                 .all_of = UAPI_PRESENT,
                                 .returned = UAPI_PRESENT};
        int runs = ioctl(question->file, UAPI_SCAN, &scan);
        if (runs < 0)
            return errno;
        question->answered = (uint64_t)runs;
    }
    return 0;
}

static uint64_t read_scan(const struct calls_question *question)
{
    const struct uapi_run *runs = question->buffer;
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < question->answered; i++)
        bytes += runs[i].end - runs[i].start;
    return bytes;
}

const struct calls_query calls_queries[] = {
    {"procmap_query", "Linux 6.11", false, 0, open_maps, ask_mapping, read_mapping, close_file},
    {"mincore", NULL, true, 1, NULL, ask_mincore, read_mincore, NULL},
    {"pagemap", NULL, true, sizeof(uint64_t), open_pagemap, ask_pagemap, read_pagemap, close_file},
    {"pagemap_scan", "Linux 6.7", true, 0, open_pagemap, ask_scan, read_scan, close_file},
    {NULL, NULL, false, 0, NULL, NULL, NULL, NULL},
};
