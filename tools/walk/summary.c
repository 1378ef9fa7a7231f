/* Each figure is a row: what it is grouped by, the group's name, regions and bytes. */
#include "summary.h"

#include "columns.h"

static struct meter_count plus(struct meter_count sum, bool first, struct meter_count bytes)
{
    return (struct meter_count){sum.value + bytes.value, bytes.known && (first || sum.known)};
}

static void add(struct sum *sum, const struct space_region *region)
{
    sum->commit_bytes = plus(sum->commit_bytes, sum->regions == 0, region->commit_bytes);
    sum->resident_bytes = plus(sum->resident_bytes, sum->regions == 0, region->resident_bytes);
    sum->bytes += region->end - region->start;
    sum->regions++;
}

void summary_add_region(struct summary *summary, const struct space_region *region)
{
    add(&summary->states[region->state], region);
    if (region->state == SPACE_FREE)
        return;
    add(&summary->kinds[region->kind], region);
    add(&summary->all, region);
}

void summary_add_largest(struct summary *summary, const struct space_region *region)
{
    uint64_t bytes = region->end - region->start;
    if (region->state == SPACE_FREE && bytes > summary->largest_free_bytes)
        summary->largest_free_bytes = bytes;
}

struct row {
    const char *group;
    const char *name;
    struct meter_count regions;
    struct meter_count bytes;
    struct meter_count commit_bytes;
    struct meter_count resident_bytes;
};

static const struct column columns[] = {
    {"group", columns_add_text_at, offsetof(struct row, group)},
    {"name", columns_add_text_at, offsetof(struct row, name)},
    {"regions", columns_add_bytes_at, offsetof(struct row, regions)},
    {"bytes", columns_add_bytes_at, offsetof(struct row, bytes)},
    {"commit_bytes", columns_add_bytes_at, offsetof(struct row, commit_bytes)},
    {"resident_bytes", columns_add_bytes_at, offsetof(struct row, resident_bytes)},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0], TEXT_COUNT = 2 };

static void add_size_cell(struct text *text, struct meter_count bytes)
{
    char cell[32];
    struct text size = text_in(cell, sizeof cell);
    if (bytes.known && bytes.value > 0)
        format_add_size(&size, bytes.value);
    else
        text_add(&size, bytes.known ? "-" : "");
    text_add(text, " %10s", cell);
}

static void add_table_row(struct text *text, const struct row *row)
{
    char regions[32];
    struct text count = text_in(regions, sizeof regions);
    columns_add_bytes(&count, row->regions);
    text_add(text, "%-8s %-14s %8s", row->group, row->name, regions);
    add_size_cell(text, row->bytes);
    add_size_cell(text, row->commit_bytes);
    add_size_cell(text, row->resident_bytes);
    while (text->bytes[text->length - 1] == ' ')
        text->bytes[--text->length] = '\0';
    text_add(text, "\n");
}

static void add_json_row(struct text *text, const struct row *row)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        char bytes[64];
        struct text cell = text_in(bytes, sizeof bytes);
        columns[i].add(&cell, row, columns[i].at);
        text_add(text, "%s\"%s\": ", i == 0 ? "{" : ", ", columns[i].name);
        text_add(text, i < TEXT_COUNT ? "\"%s\"" : "%s", bytes[0] != '\0' ? bytes : "null");
    }
    text_add(text, "}");
}

/* Where rows go, and whether there is one already. */
struct rows {
    struct text *text;
    enum walk_format format;
    bool any;
};

static void add_row(struct rows *rows, const struct row *row)
{
    if (rows->format == FORMAT_CSV) {
        columns_add_row(columns, COLUMN_COUNT, row, rows->text);
    } else if (rows->format == FORMAT_TABLE) {
        add_table_row(rows->text, row);
    } else {
        text_add(rows->text, rows->any ? ",\n" : "");
        add_json_row(rows->text, row);
    }
    rows->any = true;
}

static void add_sum(struct rows *rows, const char *group, const char *name, const struct sum *sum)
{
    struct row row = {group,
                      name,
                      {sum->regions, true},
                      {sum->bytes, true},
                      sum->commit_bytes,
                      sum->resident_bytes};
    if (sum->regions > 0)
        add_row(rows, &row);
}

static void add_mappings(struct rows *rows, const struct space_mappings *mappings)
{
    struct row used = {.group = "mappings", .name = "used", .regions = mappings->used};
    struct row left = {.group = "mappings", .name = "left", .regions = mappings->limit};
    if (!mappings->limit.known)
        return;
    left.regions.value -= mappings->used.value;
    add_row(rows, &used);
    add_row(rows, &left);
}

static void add_header(struct text *text, enum walk_format format)
{
    if (format == FORMAT_CSV)
        columns_add_header(columns, COLUMN_COUNT, text);
    if (format == FORMAT_TABLE)
        text_add(text, "%-8s %-14s %8s %10s %10s %10s\n", "", "", "regions", "size", "charged",
                 "resident");
}

void summary_add_text(const struct summary *summary, enum walk_format format, struct text *text)
{
    struct rows rows = {text, format, false};
    struct row largest = {.group = "free",
                          .name = "largest",
                          .regions = {1, true},
                          .bytes = {summary->largest_free_bytes, true}};
    add_header(text, format);
    for (const struct kind *kind = space_states; kind->name != NULL; kind++)
        add_sum(&rows, "state", kind->name, &summary->states[kind->value]);
    for (const struct kind *kind = space_kinds; kind->name != NULL; kind++)
        add_sum(&rows, "kind", kind->name, &summary->kinds[kind->value]);
    add_sum(&rows, "all", "regions", &summary->all);
    add_row(&rows, &largest);
    add_mappings(&rows, &summary->mappings);
}
