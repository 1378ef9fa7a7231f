/* Reads decimal digits by hand: strtoull takes signs, spaces and other bases. */
#include "values.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "system/vm.h"

bool values_refuse(const struct parser *parser, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(parser->message, parser->size, "%s", parser->option);
    if (length < 0 || (size_t)length >= parser->size)
        return false;
    va_start(arguments, format);
    vsnprintf(parser->message + length, parser->size - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

/* Decimal digits only, no sign, no space; *rest is what follows them. */
static bool parse_digits(const char *text, uint64_t *value, const char **rest)
{
    const char *c = text;
    *value = 0;
    for (; *c >= '0' && *c <= '9'; c++) {
        uint64_t digit = (uint64_t)(*c - '0');
        if (*value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    *rest = c;
    return c != text;
}

bool values_parse_number(const char *text, uint64_t *value)
{
    const char *rest;
    return parse_digits(text, value, &rest) && *rest == '\0';
}

bool values_parse_size(const char *text, size_t *bytes)
{
    uint64_t value;
    const char *rest;
    unsigned shift = 0;
    if (!parse_digits(text, &value, &rest))
        return false;
    switch (*rest) {
    case 'K': shift = 10; break;
    case 'M': shift = 20; break;
    case 'G': shift = 30; break;
    default: break;
    }
    if (rest[shift != 0] != '\0' || value == 0 || value > (uint64_t)PTRDIFF_MAX >> shift)
        return false;
    *bytes = (size_t)value << shift;
    return true;
}

static bool add_size(const struct parser *parser, const char *item, size_t bytes,
                     struct sizes *sizes)
{
    if (bytes % vm_page_bytes() != 0)
        return values_refuse(parser,
                             ": '%s' gives %zu bytes, which is no multiple of the page size, %zu",
                             item, bytes, vm_page_bytes());
    for (size_t i = 0; i < sizes->count; i++)
        if (sizes->values[i] == bytes)
            return values_refuse(
                parser, ": '%s' gives %zu bytes a second time; name each size once", item, bytes);
    if (sizes->count == VALUES_MAX)
        return values_refuse(parser, ": '%s' is one too many; at most %d sizes", item, VALUES_MAX);
    sizes->values[sizes->count++] = bytes;
    return true;
}

static bool refuse_size(const struct parser *parser, const char *item)
{
    return values_refuse(
        parser, ": '%s' is no size; use bytes or K, M, G, as in 64K; 4K..4G; 4K..4G*4", item);
}

/* FIRST..LAST or FIRST..LAST*FACTOR; cuts `range` at `dots`. */
static bool parse_range(const struct parser *parser, char *range, char *dots, struct sizes *sizes)
{
    char item[128];
    size_t first, last;
    uint64_t factor = 2;
    snprintf(item, sizeof item, "%s", range);
    *dots = '\0';
    char *star = strchr(dots + 2, '*');
    if (star != NULL) {
        *star = '\0';
        if (!values_parse_number(star + 1, &factor) || factor < 2)
            return values_refuse(parser, ": '%s' has no factor of 2 or more behind its *", item);
    }
    if (!values_parse_size(range, &first) || !values_parse_size(dots + 2, &last))
        return refuse_size(parser, item);
    if (first > last)
        return values_refuse(parser, ": '%s' runs downwards; put the smaller size first", item);
    for (size_t bytes = first;; bytes *= (size_t)factor) {
        if (!add_size(parser, item, bytes, sizes))
            return false;
        if (bytes > last / factor)
            return true;
    }
}

static bool parse_size_item(const struct parser *parser, char *item, void *list)
{
    struct sizes *sizes = list;
    size_t bytes;
    char *dots = strstr(item, "..");
    if (dots != NULL)
        return parse_range(parser, item, dots, sizes);
    if (!values_parse_size(item, &bytes))
        return refuse_size(parser, item);
    return add_size(parser, item, bytes, sizes);
}

/* "1", "0.1": more than none, at most all, in millionths. */
static bool parse_part(const char *text, uint32_t *part)
{
    uint64_t whole, fraction = 0;
    const char *rest;
    if (!parse_digits(text, &whole, &rest) || whole > 1)
        return false;
    uint32_t scale = VALUES_WHOLE;
    if (*rest == '.') {
        const char *digits = rest + 1;
        if (!parse_digits(digits, &fraction, &rest) || rest - digits > 6)
            return false;
        for (; digits < rest; digits++)
            scale /= 10;
    }
    uint64_t value = whole * VALUES_WHOLE + fraction * scale;
    *part = (uint32_t)value;
    return *rest == '\0' && value > 0 && value <= VALUES_WHOLE;
}

static bool parse_part_item(const struct parser *parser, char *item, void *list)
{
    struct parts *parts = list;
    uint32_t part;
    if (!parse_part(item, &part))
        return values_refuse(
            parser, ": '%s' is no part; use a number above 0 and up to 1, as in 0.1", item);
    for (size_t i = 0; i < parts->count; i++)
        if (parts->values[i] == part)
            return values_refuse(parser, ": '%s' comes a second time; name each part once", item);
    if (parts->count == VALUES_MAX)
        return values_refuse(parser, ": '%s' is one too many; at most %d parts", item, VALUES_MAX);
    parts->values[parts->count++] = part;
    return true;
}

static bool parse_number_item(const struct parser *parser, char *item, void *list)
{
    struct numbers *numbers = list;
    uint64_t number;
    if (!values_parse_number(item, &number) || number == 0 || number > numbers->most)
        return values_refuse(parser, ": '%s' is out of range; use whole numbers from 1 to %u", item,
                             numbers->most);
    for (size_t i = 0; i < numbers->count; i++)
        if (numbers->values[i] == number)
            return values_refuse(parser, ": '%s' comes a second time; name each number once", item);
    if (numbers->count == VALUES_MAX)
        return values_refuse(parser, ": '%s' is one too many; at most %d numbers", item,
                             VALUES_MAX);
    numbers->values[numbers->count++] = (unsigned)number;
    return true;
}

bool values_parse_list(const struct parser *parser, const char *text,
                       bool (*parse_item)(const struct parser *, char *, void *), void *list)
{
    char copy[1024];
    if (*text == '\0')
        return values_refuse(parser, ": '' is an empty list; name at least one value");
    if (strlen(text) >= sizeof copy)
        return values_refuse(parser, ": '%.20s...' is longer than %zu characters", text,
                             sizeof copy - 1);
    strcpy(copy, text);
    for (char *item = copy; item != NULL;) {
        char *comma = strchr(item, ',');
        if (comma != NULL)
            *comma = '\0';
        if (!parse_item(parser, item, list))
            return false;
        item = comma != NULL ? comma + 1 : NULL;
    }
    return true;
}

bool values_parse_sizes(const struct parser *parser, const char *text, struct sizes *sizes)
{
    sizes->count = 0;
    return values_parse_list(parser, text, parse_size_item, sizes);
}

bool values_parse_parts(const struct parser *parser, const char *text, struct parts *parts)
{
    parts->count = 0;
    return values_parse_list(parser, text, parse_part_item, parts);
}

bool values_parse_numbers(const struct parser *parser, const char *text, struct numbers *numbers)
{
    numbers->count = 0;
    return values_parse_list(parser, text, parse_number_item, numbers);
}
