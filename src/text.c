/* vsnprintf at the end of what is there. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

struct text text_in(char *bytes, size_t size)
{
    bytes[0] = '\0';
    return (struct text){.bytes = bytes, .size = size};
}

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    size_t left = text->size - text->length;
    va_start(arguments, format);
    int length = vsnprintf(text->bytes + text->length, left, format, arguments);
    va_end(arguments);
    if (length > 0)
        text->length += (size_t)length < left ? (size_t)length : left - 1;
}

void text_add_kinds(struct text *text, const struct kind *kinds)
{
    for (; kinds->name != NULL; kinds++) {
        bool last = kinds[1].name == NULL;
        bool before_last = !last && kinds[2].name == NULL;
        text_add(text, "%s%s", kinds->name, last ? "" : before_last ? " or " : ", ");
    }
}

void text_add_indented(struct text *text, const char *lines, int blanks)
{
    for (; *lines != '\0'; lines++) {
        text_add(text, "%c", *lines);
        if (*lines == '\n')
            text_add(text, "%*s", blanks, "");
    }
}
