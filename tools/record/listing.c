#define _GNU_SOURCE
#include "listing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "system/vm.h"

enum { PATH_BYTES = sizeof((struct memory_code *)NULL)->path };

/* Documentation/admin-guide/mm/pagemap.rst */
#define IS_PRESENT ((uint64_t)1 << 63)
#define IS_SWAPPED ((uint64_t)1 << 62)
#define IS_FILE ((uint64_t)1 << 61)
#define IS_GUARD ((uint64_t)1 << 58) /* Linux 6.15; 0 before */

/* "start-end perms offset major:minor inode   name". Returns the name, NULL for another line. */
static const char *read_mapping(const char *line, struct mapping *mapping)
{
    int name_at = 0;
    char access[5];
    unsigned major, minor;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
               &mapping->start, &mapping->end, access, &mapping->offset, &major, &minor,
               &mapping->inode, &name_at) != 7)
        return NULL;
    mapping->device = (uint64_t)major << 32 | minor;
    mapping->access =
        (access[0] == 'r' ? MAPPING_READ : 0) | (access[1] == 'w' ? MAPPING_WRITE : 0) |
        (access[2] == 'x' ? MAPPING_EXECUTE : 0) | (access[3] == 's' ? MAPPING_SHARED : 0);
    return line + name_at;
}

static FILE *open_again(int file)
{
    int copy = lseek(file, 0, SEEK_SET) == 0 ? dup(file) : -1;
    FILE *stream = copy >= 0 ? fdopen(copy, "r") : NULL;
    if (stream == NULL && copy >= 0)
        close(copy);
    return stream;
}

int listing_find(int maps, uint64_t address, struct mapping *mapping, char *path)
{
    char line[4352];
    const char *name = NULL;
    FILE *stream = open_again(maps);
    if (stream == NULL)
        return errno;
    int error = ENOENT;
    while (error != 0 && fgets(line, sizeof line, stream) != NULL)
        if ((name = read_mapping(line, mapping)) != NULL && mapping->end > address)
            error = 0;
    if (error == 0 && path != NULL)
        snprintf(path, PATH_BYTES, "%.*s", (int)strcspn(name, "\n"), name);
    fclose(stream);
    return error;
}

/* Appends what is touched of one mapping; true once there are `most` pages. */
static bool find_pages(int pages, struct run run, uint64_t most, struct runs *runs, int *error)
{
    static uint64_t entries[8192];
    uint64_t page = vm_page_bytes(), found = 0;
    for (uint64_t at = run.start; at < run.end;) {
        uint64_t count = (run.end - at) / page;
        size_t size = (count < 8192 ? count : 8192) * sizeof *entries;
        ssize_t read = pread(pages, entries, size, (off_t)(at / page * sizeof *entries));
        if (read < (ssize_t)sizeof *entries)
            return false;
        for (size_t i = 0; i < (size_t)read / sizeof *entries; i++, at += page) {
            if ((entries[i] & (IS_PRESENT | IS_SWAPPED)) == 0 ||
                (entries[i] & (IS_FILE | IS_GUARD)) != 0)
                continue;
            *error = runs_append(runs, at, at + page) ? 0 : ENOMEM;
            if (*error != 0 || ++found == most)
                return true;
        }
    }
    return false;
}

int listing_touched(int maps, int pages, uint64_t start, uint64_t end, uint64_t most,
                    struct runs *runs)
{
    char line[4352];
    struct mapping mapping;
    int error = 0;
    FILE *stream = open_again(maps);
    if (stream == NULL)
        return errno;
    while (fgets(line, sizeof line, stream) != NULL) {
        if (read_mapping(line, &mapping) == NULL || mapping.end <= start)
            continue;
        if (mapping.start >= end)
            break;
        struct run run = {mapping.start > start ? mapping.start : start,
                          mapping.end < end ? mapping.end : end};
        if (find_pages(pages, run, most, runs, &error))
            break;
    }
    fclose(stream);
    return error;
}
