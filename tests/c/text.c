/* Text in a buffer: it ends where the buffer does. And tables: kinds by name, columns by place. */
#include "text.h"

#include "check.h"
#include "columns.h"
#include "system/kind.h"

static void what_does_not_fit_is_cut_off(void)
{
    char bytes[8] = "garbage";
    struct text text = text_in(bytes, sizeof bytes);
    CHECK_TEXT(bytes, "");
    text_add(&text, "%d-", 42);
    text_add(&text, "%s", "four");
    CHECK_TEXT(bytes, "42-four");
    CHECK_EQUAL(text.length, 7);
    text_add(&text, "%s", "more");
    CHECK_TEXT(bytes, "42-four");
    CHECK_EQUAL(text.length, 7);
    text = text_in(bytes, 4);
    text_add(&text, "%s", "abcdef");
    CHECK_TEXT(bytes, "abc");
    CHECK_EQUAL(text.length, 3);
}

static void kinds_are_found_by_their_names(void)
{
    const struct kind kinds[] = {{"red", 7}, {"green", 0}, {NULL, 0}};
    int value = -1;
    CHECK(kind_find(kinds, "green", &value));
    CHECK_EQUAL(value, 0);
    CHECK(kind_find(kinds, "red", &value));
    CHECK_EQUAL(value, 7);
    CHECK(!kind_find(kinds, "re", &value));
    CHECK(!kind_find(kinds, "redder", &value));
    CHECK_EQUAL(value, 7);
    CHECK_TEXT(kind_name(kinds, 0), "green");
    CHECK(kind_name(kinds, 1) == NULL);
}

struct cells {
    const char *name;
    uint64_t number;
    size_t size;
    struct meter_count bytes, unknown;
};

static void header_and_row_come_from_the_table(void)
{
    const struct column columns[] = {
        {"name", columns_add_text_at, offsetof(struct cells, name)},
        {"number", columns_add_number_at, offsetof(struct cells, number)},
        {"size", columns_add_size_at, offsetof(struct cells, size)},
        {"bytes", columns_add_bytes_at, offsetof(struct cells, bytes)},
        {"unknown", columns_add_bytes_at, offsetof(struct cells, unknown)},
    };
    const struct cells cells = {.name = "a, \"b\"\r\n",
                                .number = UINT64_MAX,
                                .size = 5,
                                .bytes = {(uint64_t)-4096, true},
                                .unknown = {1, false}};
    char bytes[256];
    struct text text = text_in(bytes, sizeof bytes);
    columns_add_header(columns, 5, &text);
    columns_add_row(columns, 5, &cells, &text);
    CHECK_TEXT(bytes, "name,number,size,bytes,unknown\r\n"
                      "\"a, \"\"b\"\"\r\n\",18446744073709551615,5,-4096,\r\n");
}

int main(void)
{
    what_does_not_fit_is_cut_off();
    kinds_are_found_by_their_names();
    header_and_row_come_from_the_table();
    return check_result();
}
