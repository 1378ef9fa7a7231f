/* Any bytes as a file of /proc: the reader hands on each line that ends, whole and once, as long as
 * none is as long as its buffer. */
#include "fuzz.h"
#include "system/linux/proc.h"
#include "tree.h"

enum { LINE_MAX_BYTES = 16 << 10 };

struct rest {
    const char *at, *end;
    int is_exact; /* no zero byte and no line beyond the reader's buffer */
};

static void next_line(char *line, void *context)
{
    struct rest *rest = context;
    size_t length = strlen(line);
    FUZZ_CHECK(length < LINE_MAX_BYTES && strchr(line, '\n') == NULL);
    if (!rest->is_exact)
        return;
    FUZZ_CHECK(length < (size_t)(rest->end - rest->at));
    FUZZ_CHECK(memcmp(rest->at, line, length) == 0 && rest->at[length] == '\n');
    rest->at += length + 1;
    memset(line, 'x', length); /* it is the callback's to write to */
}

static int has_long_line(const char *at, const char *end)
{
    for (const char *next = at; next < end; next++) {
        if (*next == '\n')
            at = next;
        if (next - at >= LINE_MAX_BYTES - 2)
            return 1;
    }
    return 0;
}

/* The input over and over, so that some files are longer than the reader's buffer. */
static char *repeated(const uint8_t *data, size_t size, size_t times)
{
    char *text = malloc(size * times + 1);
    FUZZ_CHECK(text != NULL);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * size, data, size);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    size_t times = 1 + input_byte(&input) % 64;
    char *text = repeated(input.data, input.left, times);
    const char *end = text + input.left * times;
    tree_put("/lines", text, (size_t)(end - text));
    struct rest rest = {
        text, end, memchr(text, '\0', (size_t)(end - text)) == NULL && !has_long_line(text, end)};
    FUZZ_CHECK(proc_for_each_line(tree_root(), "/lines", next_line, &rest) == 0);
    if (rest.is_exact)
        FUZZ_CHECK(memchr(rest.at, '\n', (size_t)(end - rest.at)) == NULL);
    free(text);
    return 0;
}
