/* A row as text: empty cells, quoting, fractions, and the header's count of columns. */
#include "row.h"

#include <stdlib.h>

#include "check.h"
#include "system/vm.h"

static const struct strategy strategy = {.name = "fault", .step = STEP_PAGE};
static struct configuration configuration;
static char row[ROW_MAX_BYTES];

static const char *format(const struct sample *sample)
{
    struct row sample_row = {.strategy = &strategy,
                             .configuration = &configuration,
                             .sample = sample,
                             .round = 3,
                             .position = 7};
    struct text text = text_in(row, sizeof row);
    row_add(&sample_row, &text);
    CHECK_EQUAL(text.length, strlen(row));
    return row;
}

/* A row without what depends on the system: its platform and, its clock's tick with all after it.
 */
static const char *between(const char *text)
{
    for (int column = 0; column < 33; column++)
        *strrchr(row, ',') = '\0';
    return strchr(strchr(text, ',') + 1, ',');
}

static void a_full_row(void)
{
    struct meter_count known = {0, true};
    struct sample sample = {
        .status = SAMPLE_OK,
        .batch = 4,
        .phase_ns = {[PHASE_RESERVE] = 4, [PHASE_TOUCH] = 402, [PHASE_RELEASE] = 1},
        .commit_calls = 8,
        .handled_faults = 9,
        .minor_faults = {8, true},
        .major_faults = known,
        .reserved_commit_bytes = known,
        .commit_bytes = {8192, true},
        .commit_system_bytes = {(uint64_t)-4096, true},
        .commit_process_bytes = {8192, true},
        .resident_bytes = {4096, true},
        .released_commit_bytes = known,
        .region_count = {2, true},
    };
    CHECK_TEXT(between(format(&sample)),
               ",small,4096,8192,4096,4096,3,7,4,ok,,1.0,0.0,100.5,0.2,101.8,2,2.250000,2,0,"
               "0,8192,-4096,8192,4096,0,2,,");
}

static void a_row_without_a_sample(void)
{
    struct sample sample = {.status = SAMPLE_SKIPPED, .error = "needs 5 bytes, \"4\" are there"};
    CHECK_TEXT(between(format(&sample)),
               ",small,4096,8192,4096,4096,3,7,,skipped,\"needs 5 bytes, \"\"4\"\" are there\","
               ",,,,,,,,,,,,,,,,,");
}

/* What `between` leaves out: the clock's tick, and all that came later. */
static void the_end_of_a_row(void)
{
    struct sample sample = {.status = SAMPLE_OK,
                            .batch = 2,
                            .wall_ns = 4001,
                            .cpu_ns = {3000, true},
                            .voluntary_switches = {3, true},
                            .involuntary_switches = {4, true},
                            .lock_count = {99, true},
                            .most_commit_bytes = {8192, true},
                            .most_resident_bytes = {4096, true}};
    struct sample plain = {.status = SAMPLE_OK, .batch = 1};
    struct trace trace = {.taken = true,
                          .p50_ns = 50,
                          .p90_ns = 90,
                          .p99_ns = 99,
                          .p999_ns = 999,
                          .max_ns = 1000,
                          .touch_ns = 7000};
    struct row with_all = {.strategy = &strategy,
                           .configuration = &configuration,
                           .sample = &sample,
                           .trace = &trace,
                           .set = 5,
                           .slice_bytes = 8192};
    char expected[256];
    struct text text = text_in(row, sizeof row);
    configuration.threads = 3;
    configuration.share = SHARE_STRIPES;
    row_add(&with_all, &text);
    snprintf(expected, sizeof expected,
             ",%" PRIu64 ",sequential,50,90,99,999,1000,7000,%s,,,,,,,,,,,,,,5,8192,"
             "3,stripes,1500.0,2000.5,1.500000,2,99,8192,4096\r\n",
             meter_clock_tick_ns(), commit_kinds->name);
    CHECK(text.length > strlen(expected));
    CHECK_TEXT(row + text.length - strlen(expected), expected);

    configuration.threads = 1;
    configuration.share = SHARE_OWN;
    format(&plain); /* without a trace and without turns */
    snprintf(expected, sizeof expected,
             ",%" PRIu64 ",sequential,,,,,,,%s,,,,,,,,,,,,,,,,1,own,,0.0,,,,,\r\n",
             meter_clock_tick_ns(), commit_kinds->name);
    CHECK_TEXT(row + strlen(row) - strlen(expected), expected);
}

static size_t count_commas(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == ',';
    return count;
}

static void the_longest_error_fits(void)
{
    struct sample sample = {.status = SAMPLE_REFUSED, .batch = 1};
    memset(sample.error, '"', sizeof sample.error - 1);
    size_t length = strlen(format(&sample));
    CHECK(length > 2 * (sizeof sample.error - 1));
    CHECK(length < ROW_MAX_BYTES);
    CHECK_TEXT(row + length - 2, "\r\n");
}

int main(void)
{
    configuration = configuration_make(8192, 4096);
    configuration.touched = 4096;
    struct sample sample = {.status = SAMPLE_OK, .batch = 1};
    char header[ROW_MAX_BYTES];
    struct text text = text_in(header, sizeof header);
    row_add_header(&text);
    CHECK_EQUAL(count_commas(format(&sample)), count_commas(header));
    CHECK_EQUAL(text.length, strlen(header));
    a_full_row();
    a_row_without_a_sample();
    the_end_of_a_row();
    the_longest_error_fits();
    return check_result();
}
