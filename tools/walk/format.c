/* Three ways to write an entry; the columns of CSV stand in a table. */
#include "format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "columns.h"

static const struct space_region *region_of(const void *entry)
{
    return &((const struct entry *)entry)->region;
}

static void add_start(struct text *text, const void *entry, size_t at)
{
    (void)at;
    text_add(text, "0x%" PRIx64, region_of(entry)->start);
}

static void add_end(struct text *text, const void *entry, size_t at)
{
    (void)at;
    text_add(text, "0x%" PRIx64, region_of(entry)->end);
}

static void add_bytes(struct text *text, const void *entry, size_t at)
{
    (void)at;
    columns_add_number(text, region_of(entry)->end - region_of(entry)->start);
}

static const char *state_name(const struct space_region *region)
{
    return kind_name(space_states, (int)region->state);
}

static const char *kind_text(const struct space_region *region)
{
    const char *name = kind_name(space_kinds, (int)region->kind);
    return name != NULL ? name : "";
}

static void add_state(struct text *text, const void *entry, size_t at)
{
    (void)at;
    columns_add_text(text, state_name(region_of(entry)));
}

static void add_protection(struct text *text, const void *entry, size_t at)
{
    (void)at;
    columns_add_text(text, region_of(entry)->protection);
}

static void add_kind(struct text *text, const void *entry, size_t at)
{
    (void)at;
    columns_add_text(text, kind_text(region_of(entry)));
}

static void add_seconds(struct text *text, const void *entry, size_t at)
{
    uint64_t ms = ((const struct entry *)entry)->ms;
    (void)at;
    text_add(text, "%" PRIu64 ".%03" PRIu64, ms / 1000, ms % 1000);
}

static const struct column columns[] = {
    {"look", columns_add_number_at, offsetof(struct entry, look)},
    {"seconds", add_seconds, 0},
    {"change", columns_add_text_at, offsetof(struct entry, change)},
    {"start", add_start, 0},
    {"end", add_end, 0},
    {"bytes", add_bytes, 0},
    {"state", add_state, 0},
    {"protection", add_protection, 0},
    {"commit_bytes", columns_add_bytes_at, offsetof(struct entry, region.commit_bytes)},
    {"resident_bytes", columns_add_bytes_at, offsetof(struct entry, region.resident_bytes)},
    {"kind", add_kind, 0},
    {"name", columns_add_text_at, offsetof(struct entry, region.name)},
    {"commit_change_bytes", columns_add_bytes_at, offsetof(struct entry, commit_change_bytes)},
    {"resident_change_bytes", columns_add_bytes_at, offsetof(struct entry, resident_change_bytes)},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0], BEFORE = 3, BEHIND = 2 };

static const struct column *first_column(bool changes)
{
    return changes ? columns : columns + BEFORE;
}

static size_t column_count(bool changes)
{
    return changes ? COLUMN_COUNT : COLUMN_COUNT - BEFORE - BEHIND;
}

void format_add_size(struct text *text, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    uint64_t size = 1;
    for (; unit < 6 && bytes / size >= 1024; unit++)
        size *= 1024;
    if (bytes % size == 0)
        text_add(text, "%" PRIu64 " %s", bytes / size, units[unit]);
    else
        text_add(text, "%.1f %s", (double)bytes / (double)size, units[unit]);
}

static void add_cell(struct text *text, struct meter_count bytes)
{
    char cell[32];
    struct text size = text_in(cell, sizeof cell);
    if (bytes.known && bytes.value > 0)
        format_add_size(&size, bytes.value);
    else
        text_add(&size, bytes.known ? "-" : "?");
    text_add(text, " %10s", cell);
}

/* A change, with its sign. */
static void add_change(struct text *text, const char *what, struct meter_count bytes)
{
    int64_t change = (int64_t)bytes.value;
    if (!bytes.known || change == 0)
        return;
    text_add(text, " %s %s", what, change < 0 ? "-" : "+");
    format_add_size(text, change < 0 ? (uint64_t)-change : (uint64_t)change);
}

/* A name is a program's own choice: what a terminal would take for an order is left out. */
static void add_name(struct text *text, const char *name)
{
    for (; *name != '\0'; name++)
        text_add(text, "%c", (unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}

static void add_table_line(struct text *text, const struct entry *entry)
{
    const struct space_region *region = &entry->region;
    struct meter_count bytes = {region->end - region->start, true};
    if (entry->look > 0)
        text_add(text, "%-8s", entry->change);
    text_add(text, "%16" PRIx64 "-%-16" PRIx64, region->start, region->end);
    add_cell(text, bytes);
    text_add(text, " %-12s %-4s", state_name(region), region->protection);
    add_cell(text, region->commit_bytes);
    add_cell(text, region->resident_bytes);
    if (region->state != SPACE_FREE)
        text_add(text, region->name[0] != '\0' ? " %-9s " : " %s", kind_text(region));
    add_name(text, region->name);
    add_change(text, " charged", entry->commit_change_bytes);
    add_change(text, " resident", entry->resident_change_bytes);
    text_add(text, "\n");
}

/* How many bytes from here on are one character of UTF-8; 0 if none is. Overlong forms and halves
 * of surrogate pairs are none (RFC 3629). */
static size_t utf8_length(const unsigned char *at)
{
    size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] >= 0x80 && (at[0] < 0xc2 || at[0] > 0xf4))
        return 0;
    for (size_t i = 1; i < length; i++)
        if (at[i] < 0x80 || at[i] > 0xbf)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

void format_add_string(struct text *text, const char *string)
{
    const unsigned char *at = (const unsigned char *)string;
    text_add(text, "\"");
    while (*at != '\0') {
        size_t length = utf8_length(at);
        if (length == 0)
            text_add(text, "\\ufffd");
        else if (*at < 0x20 || *at == 0x7f)
            text_add(text, "\\u%04x", *at);
        else if (*at == '"' || *at == '\\')
            text_add(text, "\\%c", *at);
        else
            text_add(text, "%.*s", (int)length, (const char *)at);
        at += length > 0 ? length : 1;
    }
    text_add(text, "\"");
}

static bool is_number(const struct column *column)
{
    return column->add == columns_add_number_at || column->add == columns_add_bytes_at ||
           column->add == add_bytes || column->add == add_seconds;
}

/* The cells of CSV by their columns' names; what is unknown is null. */
static void add_json(struct text *text, const struct entry *entry)
{
    bool changes = entry->look > 0;
    for (size_t i = 0; i < column_count(changes); i++) {
        const struct column *column = first_column(changes) + i;
        char bytes[64];
        struct text cell = text_in(bytes, sizeof bytes);
        text_add(text, "%s\"%s\": ", i == 0 ? "{" : ", ", column->name);
        if (strcmp(column->name, "name") == 0) {
            format_add_string(text, entry->region.name);
            continue;
        }
        column->add(&cell, entry, column->at);
        if (is_number(column))
            text_add(text, "%s", bytes[0] != '\0' ? bytes : "null");
        else
            format_add_string(text, bytes);
    }
    text_add(text, "}");
}

void format_add_header(struct text *text, enum walk_format format, bool changes)
{
    if (format == FORMAT_CSV)
        columns_add_header(first_column(changes), column_count(changes), text);
    if (format == FORMAT_TABLE)
        text_add(text, "%s%16s-%-16s %10s %-12s %-4s %10s %10s %-9s %s\n",
                 changes ? "change  " : "", "start", "end", "size", "state", "prot", "charged",
                 "resident", "kind", "name");
}

void format_add_entry(struct text *text, enum walk_format format, const struct entry *entry)
{
    bool changes = entry->look > 0;
    if (format == FORMAT_CSV)
        columns_add_row(first_column(changes), column_count(changes), entry, text);
    else if (format == FORMAT_TABLE)
        add_table_line(text, entry);
    else
        add_json(text, entry);
}
