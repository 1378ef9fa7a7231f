/* main of a fuzz target without libFuzzer: each file of the corpus whole, and cut short at each of
 * its lengths. */
#include "fuzz.h"

static int replay(const char *path)
{
    static uint8_t data[1 << 16];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: can't be read\n", path);
        return 1;
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    for (size_t length = 0; length <= size; length++) {
        uint8_t *copy = malloc(length + 1); /* so that a sanitizer sees a read beyond its end */
        if (copy == NULL)
            return 1;
        memcpy(copy, data, length);
        LLVMFuzzerTestOneInput(copy, length);
        free(copy);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    printf("%d files\n", argc - 1);
    return failed;
}
