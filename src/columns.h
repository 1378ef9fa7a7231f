/* Tables of CSV columns (RFC 4180): a column's name and how its cell is printed stand together, and
 * header and rows both come from the table. */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <stdint.h>

#include "system/meter.h"
#include "text.h"

struct column {
    const char *name;
    /* Adds the cell; `at` is the column's own, such as the offset of a field in the row. */
    void (*add)(struct text *text, const void *row, size_t at);
    size_t at;
};

/* The header line, or a row, with its line end, after what the text already holds. */
void columns_add_header(const struct column *columns, size_t count, struct text *text);
void columns_add_row(const struct column *columns, size_t count, const void *row,
                     struct text *text);

/* Cells. Text is quoted where it must be; an unknown count is empty; bytes are signed: a neighbour
 * that frees memory can make the system's charge fall. */
void columns_add_text(struct text *text, const char *string);
void columns_add_number(struct text *text, uint64_t number);
void columns_add_bytes(struct text *text, struct meter_count bytes);

/* The same, of the const char *, uint64_t, size_t or struct meter_count that lies `at` bytes into
 * `row`. */
void columns_add_text_at(struct text *text, const void *row, size_t at);
void columns_add_number_at(struct text *text, const void *row, size_t at);
void columns_add_size_at(struct text *text, const void *row, size_t at);
void columns_add_bytes_at(struct text *text, const void *row, size_t at);

#endif
