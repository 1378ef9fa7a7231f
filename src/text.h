/* Text that is put together piece by piece in a buffer of fixed size. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

#include "system/kind.h"

struct text {
    char *bytes; /* ends with a zero byte */
    size_t size; /* of the buffer */
    size_t length;
};

/* An empty text in `bytes` of `size`, which is at least 1. */
struct text text_in(char *bytes, size_t size);

/* Adds what printf would print. What does not fit is cut off. */
void text_add(struct text *text, const char *format, ...);

/* As a sentence has them: "auto, madvise or prot_none". */
void text_add_kinds(struct text *text, const struct kind *kinds);

/* Lines of which all but the first begin after so many blanks. */
void text_add_indented(struct text *text, const char *lines, int blanks);

#endif
