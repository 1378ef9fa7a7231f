/* A row of hostile texts and numbers, read back by a small CSV reader of its own (RFC 4180): as
 * many cells as the header has, and in them what the sample holds. */
#include "row.h"

#include <inttypes.h>

#include "fuzz.h"

enum { CELLS_MAX = 128 };

struct cells {
    char bytes[2 * ROW_MAX_BYTES];
    char *cells[CELLS_MAX];
    size_t count;
};

/* The cell at `text` as it was before it was quoted, at *to; both move past it. */
static void read_cell(const char **text, char **to)
{
    bool quoted = **text == '"';
    *text += quoted;
    for (;; (*text)++) {
        if (quoted && (*text)[0] == '"' && (*text)[1] == '"')
            (*text)++;
        else if (quoted ? **text == '"' : strchr(",\r", **text) != NULL)
            break;
        FUZZ_CHECK(**text != '\0');
        FUZZ_CHECK(quoted || (**text != '"' && **text != '\n'));
        *(*to)++ = **text;
    }
    *text += quoted;
    *(*to)++ = '\0';
}

static void read_line(const char *text, struct cells *cells)
{
    char *to = cells->bytes;
    for (cells->count = 0; cells->count < CELLS_MAX; text++) {
        cells->cells[cells->count++] = to;
        read_cell(&text, &to);
        if (*text != ',')
            break;
    }
    FUZZ_CHECK(strcmp(text, "\r\n") == 0);
}

static const char *cell(const struct cells *header, const struct cells *row, const char *name)
{
    for (size_t i = 0; i < header->count; i++)
        if (strcmp(header->cells[i], name) == 0)
            return row->cells[i];
    fprintf(stderr, "no column %s\n", name);
    abort();
}

static bool is_number(const char *text, uint64_t number)
{
    char printed[32];
    snprintf(printed, sizeof printed, "%" PRIu64, number);
    return strcmp(text, printed) == 0;
}

static bool is_bytes(const char *text, struct meter_count count)
{
    char printed[32] = "";
    if (count.known)
        snprintf(printed, sizeof printed, "%" PRId64, (int64_t)count.value);
    return strcmp(text, printed) == 0;
}

static struct meter_count input_count(struct input *input)
{
    bool known = input_byte(input) % 2 == 1;
    return (struct meter_count){input_number(input, 8), known};
}

static struct sample make_sample(struct input *input)
{
    struct sample sample = {.status = input_byte(input) % (SAMPLE_SKIPPED + 1)};
    sample.batch = input_number(input, 4) + (sample.status == SAMPLE_OK);
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        sample.phase_ns[phase] = input_number(input, 8);
    sample.commit_calls = input_number(input, 8);
    sample.handled_faults = input_number(input, 8);
    sample.minor_faults = input_count(input);
    sample.major_faults = input_count(input);
    sample.reserved_commit_bytes = input_count(input);
    sample.commit_bytes = input_count(input);
    sample.commit_system_bytes = input_count(input);
    sample.commit_process_bytes = input_count(input);
    sample.resident_bytes = input_count(input);
    sample.released_commit_bytes = input_count(input);
    sample.region_count = input_count(input);
    return sample;
}

/* Counts of the batch show divided; exactly, or as a fraction. */
static void check_count(const char *text, uint64_t count, uint64_t batch)
{
    if (batch == 0)
        FUZZ_CHECK(*text == '\0');
    else if (count % batch == 0)
        FUZZ_CHECK(is_number(text, count / batch));
    else
        FUZZ_CHECK(strchr(text, '.') != NULL);
}

static void check_cells(const struct cells *header, const struct cells *cells,
                        const struct row *row)
{
    const struct sample *sample = row->sample;
    FUZZ_CHECK(cells->count == header->count);
    FUZZ_CHECK(strcmp(cell(header, cells, "strategy"), row->strategy->name) == 0);
    FUZZ_CHECK(strcmp(cell(header, cells, "error"), sample->error) == 0);
    FUZZ_CHECK(is_number(cell(header, cells, "size_bytes"), row->configuration->size));
    FUZZ_CHECK(is_number(cell(header, cells, "round"), row->round));
    FUZZ_CHECK(is_number(cell(header, cells, "position"), row->position));
    FUZZ_CHECK(is_bytes(cell(header, cells, "commit_bytes"), sample->commit_bytes));
    FUZZ_CHECK(is_bytes(cell(header, cells, "commit_system_bytes"), sample->commit_system_bytes));
    FUZZ_CHECK(is_bytes(cell(header, cells, "region_count"), sample->region_count));
    FUZZ_CHECK((*cell(header, cells, "total_ns") != '\0') == (sample->status == SAMPLE_OK));
    check_count(cell(header, cells, "commit_calls"), sample->commit_calls, sample->batch);
    check_count(cell(header, cells, "handled_faults"), sample->handled_faults, sample->batch);
}

/* A buffer that is too small holds the row's start. */
static void check_cut_off(const struct row *row, const char *whole, size_t size)
{
    char bytes[ROW_MAX_BYTES];
    struct text text = text_in(bytes, size);
    row_add(row, &text);
    FUZZ_CHECK(text.length < size && bytes[text.length] == '\0');
    FUZZ_CHECK(memcmp(bytes, whole, text.length) == 0);
}

static void check(const struct row *row, size_t cut)
{
    static struct cells header, cells;
    char head[ROW_MAX_BYTES], line[ROW_MAX_BYTES];
    struct text head_text = text_in(head, sizeof head), text = text_in(line, sizeof line);
    row_add_header(&head_text);
    row_add(row, &text);
    FUZZ_CHECK(text.length == strlen(line) && text.length < sizeof line - 1);
    read_line(head, &header);
    read_line(line, &cells);
    check_cells(&header, &cells, row);
    check_cut_off(row, line, cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    char name[64];
    struct sample sample = make_sample(&input);
    struct trace trace = {.p50_ns = input_number(&input, 8), .touch_ns = input_number(&input, 8)};
    struct configuration configuration =
        configuration_make((size_t)input_number(&input, 8), (size_t)input_number(&input, 8));
    size_t cut = 1 + (size_t)input_number(&input, 2) % ROW_MAX_BYTES;
    uint64_t round = input_number(&input, 8), position = input_number(&input, 8);
    bool guarded = input_byte(&input) % 2 == 1, traced = input_byte(&input) % 2 == 1;
    input_text(&input, '\0', name, sizeof name);
    input_text(&input, '\0', sample.error, sizeof sample.error);
    struct strategy strategy = {.name = name, .guarded = guarded};
    struct row row = {.strategy = &strategy,
                      .configuration = &configuration,
                      .sample = &sample,
                      .trace = traced ? &trace : NULL,
                      .round = round,
                      .position = position};
    check(&row, cut);
    return 0;
}
