/* Values as people type them: numbers, sizes, lists of both. Parsing is strict: what is not wholly
 * understood is refused, with one line that names the option, the value and what would be right. */
#ifndef VALUES_H
#define VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUES_MAX 64

/* In bytes. */
struct sizes {
    size_t values[VALUES_MAX];
    size_t count;
};

/* Each from 1 to `most`. */
struct numbers {
    unsigned values[VALUES_MAX];
    size_t count;
    unsigned most;
};

/* A part of a region is held in millionths, so that it stays exact. */
#define VALUES_WHOLE 1000000u

struct parts {
    uint32_t values[VALUES_MAX];
    size_t count;
};

/* Where a refusal is written, without line end. */
struct parser {
    const char *option; /* the one being read */
    char *message;
    size_t size;
};

/* Writes the option's name, then what printf would print. Always false, so that a refusal is one
 * statement. */
bool values_refuse(const struct parser *parser, const char *format, ...);

/* Decimal digits and nothing else. */
bool values_parse_number(const char *text, uint64_t *value);

/* "4K", "1M", "2G" or plain bytes; false on anything else, on 0 and on overflow. */
bool values_parse_size(const char *text, size_t *bytes);

/* Gives what stands between the commas to parse_item, one after the other, up to the first that it
 * refuses; an item is its to change. False as well for an empty list. */
bool values_parse_list(const struct parser *parser, const char *text,
                       bool (*parse_item)(const struct parser *parser, char *item, void *list),
                       void *list);

/* Whole pages: "4K,64K", "4K..4G" by powers of two, "4K..4G*4" by powers of four. */
bool values_parse_sizes(const struct parser *parser, const char *text, struct sizes *sizes);

/* "1,2,16": whole numbers. */
bool values_parse_numbers(const struct parser *parser, const char *text, struct numbers *numbers);

/* "1,0.1": each more than none and at most all. */
bool values_parse_parts(const struct parser *parser, const char *text, struct parts *parts);

#endif
