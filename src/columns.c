/* Cells separated by commas, lines that end in CR LF. */
#include "columns.h"

#include <inttypes.h>
#include <string.h>

void columns_add_header(const struct column *columns, size_t count, struct text *text)
{
    for (size_t i = 0; i < count; i++)
        text_add(text, "%s%s", i > 0 ? "," : "", columns[i].name);
    text_add(text, "\r\n");
}

void columns_add_row(const struct column *columns, size_t count, const void *row, struct text *text)
{
    for (size_t i = 0; i < count; i++) {
        text_add(text, i > 0 ? "," : "");
        columns[i].add(text, row, columns[i].at);
    }
    text_add(text, "\r\n");
}

void columns_add_text(struct text *text, const char *string)
{
    if (strpbrk(string, ",\"\r\n") == NULL) {
        text_add(text, "%s", string);
        return;
    }
    text_add(text, "\"");
    for (; *string != '\0'; string++)
        text_add(text, *string == '"' ? "\"\"" : "%c", *string);
    text_add(text, "\"");
}

void columns_add_number(struct text *text, uint64_t number)
{
    text_add(text, "%" PRIu64, number);
}

void columns_add_bytes(struct text *text, struct meter_count bytes)
{
    if (bytes.known)
        text_add(text, "%" PRId64, (int64_t)bytes.value);
}

static const void *field(const void *row, size_t at)
{
    return (const char *)row + at;
}

void columns_add_text_at(struct text *text, const void *row, size_t at)
{
    columns_add_text(text, *(const char *const *)field(row, at));
}

void columns_add_number_at(struct text *text, const void *row, size_t at)
{
    columns_add_number(text, *(const uint64_t *)field(row, at));
}

void columns_add_size_at(struct text *text, const void *row, size_t at)
{
    columns_add_number(text, *(const size_t *)field(row, at));
}

void columns_add_bytes_at(struct text *text, const void *row, size_t at)
{
    columns_add_bytes(text, *(const struct meter_count *)field(row, at));
}
