/* How a region, and what changed of it, is written: as a line of a table for people, as a row of
 * CSV, or as an object of JSON. */
#ifndef WALK_FORMAT_H
#define WALK_FORMAT_H

#include "options.h"
#include "system/space.h"
#include "text.h"

/* A region, and where looks are compared, how it differs from what the last look saw. */
struct entry {
    uint64_t look;      /* from 1; 0 where there is only one */
    uint64_t ms;        /* since the first look */
    const char *change; /* "new", "gone" or "changed" */
    struct space_region region;
    struct meter_count commit_change_bytes;
    struct meter_count resident_change_bytes;
};

/* What stands above the entries; nothing for JSON. */
void format_add_header(struct text *text, enum walk_format format, bool changes);
void format_add_entry(struct text *text, enum walk_format format, const struct entry *entry);

/* "64 KiB", "1.5 MiB"; exact, or to one decimal. */
void format_add_size(struct text *text, uint64_t bytes);

/* A string of JSON: valid whatever bytes a path is made of. */
void format_add_string(struct text *text, const char *string);

#endif
