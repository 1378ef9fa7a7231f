/* What the fuzz targets share: a check that ends the program, and an input taken apart piece by
 * piece. A target is one file with LLVMFuzzerTestOneInput; libFuzzer calls it with inputs of its
 * own, and replay.c with those of the corpus where the compiler has no libFuzzer. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #condition);               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct input {
    const uint8_t *data;
    size_t left;
};

/* 0 when nothing is left. */
static inline uint8_t input_byte(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->data++;
}

/* Of so many bytes, the first the most significant. */
static inline uint64_t input_number(struct input *input, int bytes)
{
    uint64_t number = 0;
    while (bytes-- > 0)
        number = number << 8 | input_byte(input);
    return number;
}

/* The bytes up to the next `end`, which is left out, or to the input's end: a text in `text` of
 * `size`, cut off where it is longer. Returns its length. */
static inline size_t input_text(struct input *input, uint8_t end, char *text, size_t size)
{
    size_t length = 0;
    while (input->left > 0) {
        uint8_t byte = input_byte(input);
        if (byte == end)
            break;
        if (length + 1 < size)
            text[length++] = (char)byte;
    }
    text[length] = '\0';
    return length;
}

#endif
