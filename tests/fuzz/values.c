/* Sizes and parts as people type them: what the parsers accept, and what they make of it, is worked
 * out a second time from the text, without arithmetic that could overflow. */
#include "values.h"

#include <inttypes.h>

#include "fuzz.h"
#include "system/vm.h"

/* Decimal digits, leading zeros apart, compare like the numbers that they are. */
struct digits {
    const char *first;
    size_t count;
    const char *rest; /* what follows */
};

static struct digits read_digits(const char *text)
{
    size_t zeros = strspn(text, "0");
    size_t all = strspn(text, "0123456789");
    return (struct digits){text + zeros, all - zeros, text + all};
}

static bool at_most(struct digits digits, uint64_t limit)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%" PRIu64, limit);
    if (digits.count != (size_t)length)
        return digits.count < (size_t)length;
    return memcmp(digits.first, text, digits.count) <= 0;
}

static bool is_value(struct digits digits, uint64_t value)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%" PRIu64, value);
    if (value == 0)
        return digits.count == 0;
    return digits.count == (size_t)length && memcmp(digits.first, text, digits.count) == 0;
}

static bool is_number(const char *text)
{
    struct digits digits = read_digits(text);
    return digits.rest != text && *digits.rest == '\0' && at_most(digits, UINT64_MAX);
}

static int shift_of(char suffix)
{
    return suffix == 'K' ? 10 : suffix == 'M' ? 20 : suffix == 'G' ? 30 : 0;
}

static bool is_size(const char *text)
{
    struct digits digits = read_digits(text);
    int shift = shift_of(*digits.rest);
    const char *end = digits.rest + (shift > 0);
    return digits.count > 0 && *end == '\0' && at_most(digits, (uint64_t)PTRDIFF_MAX >> shift);
}

static void check_number(const char *text)
{
    uint64_t value;
    FUZZ_CHECK(values_parse_number(text, &value) == is_number(text));
    if (is_number(text))
        FUZZ_CHECK(is_value(read_digits(text), value));
}

static void check_size(const char *text)
{
    size_t bytes, again;
    char printed[32];
    FUZZ_CHECK(values_parse_size(text, &bytes) == is_size(text));
    if (!is_size(text))
        return;
    struct digits digits = read_digits(text);
    FUZZ_CHECK(is_value(digits, bytes >> shift_of(*digits.rest)));
    snprintf(printed, sizeof printed, "%zu", bytes);
    FUZZ_CHECK(values_parse_size(printed, &again) && again == bytes);
}

/* A size that is known to be one. */
static size_t size_of(const char *text)
{
    struct digits digits = read_digits(text);
    return (size_t)strtoull(text, NULL, 10) << shift_of(*digits.rest);
}

static bool model_add(struct sizes *sizes, size_t bytes)
{
    for (size_t i = 0; i < sizes->count; i++)
        if (sizes->values[i] == bytes)
            return false;
    if (bytes % vm_page_bytes() != 0 || sizes->count == VALUES_MAX)
        return false;
    sizes->values[sizes->count++] = bytes;
    return true;
}

static bool model_range(struct sizes *sizes, char *first, char *last)
{
    uint64_t factor = 2;
    char *star = strchr(last, '*');
    if (star != NULL) {
        *star = '\0';
        if (!is_number(star + 1))
            return false;
        factor = strtoull(star + 1, NULL, 10);
    }
    if (factor < 2 || !is_size(first) || !is_size(last) || size_of(first) > size_of(last))
        return false;
    size_t bytes = size_of(first);
    while (model_add(sizes, bytes)) {
        if (bytes > size_of(last) / factor)
            return true;
        bytes *= (size_t)factor;
    }
    return false;
}

static bool model_item(struct sizes *sizes, char *item)
{
    char *dots = strstr(item, "..");
    if (dots == NULL)
        return is_size(item) && model_add(sizes, size_of(item));
    *dots = '\0';
    return model_range(sizes, item, dots + 2);
}

/* The list as its items say. Cuts `text` up. */
static bool model_sizes(char *text, struct sizes *sizes)
{
    sizes->count = 0;
    if (*text == '\0' || strlen(text) >= 1024)
        return false;
    for (;;) {
        size_t length = strcspn(text, ",");
        bool last = text[length] == '\0';
        text[length] = '\0';
        if (!model_item(sizes, text))
            return false;
        if (last)
            return true;
        text += length + 1;
    }
}

static void check_message(const char *message, size_t size)
{
    FUZZ_CHECK(memchr(message, '\0', size) != NULL);
    FUZZ_CHECK(strncmp(message, "--size: '", 9) == 0);
}

static void check_sizes(char *text)
{
    char message[256] = "", short_message[16], printed[VALUES_MAX * 21 + 1] = "";
    struct parser parser = {"--size", message, sizeof message};
    struct parser short_parser = {"--size", short_message, sizeof short_message};
    struct sizes sizes, again, model;
    bool accepted = values_parse_sizes(&parser, text, &sizes);
    FUZZ_CHECK(values_parse_sizes(&short_parser, text, &again) == accepted);
    FUZZ_CHECK(model_sizes(text, &model) == accepted);
    if (!accepted) {
        check_message(message, sizeof message);
        check_message(short_message, sizeof short_message);
        return;
    }
    FUZZ_CHECK(sizes.count == model.count);
    FUZZ_CHECK(memcmp(sizes.values, model.values, sizes.count * sizeof sizes.values[0]) == 0);
    for (size_t i = 0; i < sizes.count; i++)
        snprintf(printed + strlen(printed), sizeof printed - strlen(printed), "%s%zu",
                 i > 0 ? "," : "", sizes.values[i]);
    if (strlen(printed) < 1024)
        FUZZ_CHECK(values_parse_sizes(&parser, printed, &again) && again.count == sizes.count);
}

/* A part in millionths; 0 if the text is none. */
static uint32_t model_part(const char *text)
{
    struct digits whole = read_digits(text);
    char fraction[7] = "000000";
    if (whole.rest == text || !at_most(whole, 1))
        return 0;
    if (*whole.rest == '.') {
        const char *first = whole.rest + 1;
        size_t length = strspn(first, "0123456789");
        if (length < 1 || length > 6 || first[length] != '\0')
            return 0;
        memcpy(fraction, first, length);
    } else if (*whole.rest != '\0') {
        return 0;
    }
    uint32_t part = (whole.count > 0 ? VALUES_WHOLE : 0) + (uint32_t)strtoul(fraction, NULL, 10);
    return part <= VALUES_WHOLE ? part : 0;
}

/* Of one part, so that the model needs no list. */
static void check_part(const char *text)
{
    char message[256], printed[16];
    struct parser parser = {"--touch", message, sizeof message};
    struct parts parts;
    bool accepted = values_parse_parts(&parser, text, &parts);
    if (strchr(text, ',') != NULL || strlen(text) >= 1024) {
        FUZZ_CHECK(!accepted || parts.count > 1);
        return;
    }
    FUZZ_CHECK(accepted == (model_part(text) > 0));
    if (!accepted)
        return;
    FUZZ_CHECK(parts.count == 1 && parts.values[0] == model_part(text));
    snprintf(printed, sizeof printed, "%u.%06u", parts.values[0] / VALUES_WHOLE,
             parts.values[0] % VALUES_WHOLE);
    FUZZ_CHECK(model_part(printed) == parts.values[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[2048];
    struct input input = {data, size};
    input_text(&input, '\0', text, sizeof text);
    check_number(text);
    check_size(text);
    check_part(text);
    check_sizes(text);
    return 0;
}
