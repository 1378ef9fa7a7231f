/* The parser of the command line: what it takes, and that it refuses everything else by name. */
#include "options.h"

#include "check.h"

static struct options options;
static char message[512];

static int nothing(struct region *region, size_t offset)
{
    (void)region;
    (void)offset;
    return 0;
}

static bool load(const char *path, char *text, size_t size)
{
    (void)path;
    (void)text;
    (void)size;
    return true;
}

/* Takes every option. */
static const struct strategy all = {.purges = true,
                                    .threads = true,
                                    .name = "all",
                                    .step = STEP_CHUNK,
                                    .guarded = true,
                                    .grows = true,
                                    .fault = nothing,
                                    .load = load};

static bool parse(const char *option, const char *value)
{
    char *argv[] = {"harness", (char *)option, (char *)value, NULL};
    message[0] = '\0';
    return options_parse(&all, 3, argv, &options, message, sizeof message);
}

static void sizes_are_read(void)
{
    static const struct {
        const char *text;
        size_t bytes;
    } good[] = {
        {"1", 1}, {"4096", 4096}, {"4K", 4096}, {"1M", (size_t)1 << 20}, {"1G", (size_t)1 << 30},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        size_t bytes = 0;
        CHECK(values_parse_size(good[i].text, &bytes));
        CHECK_EQUAL(bytes, good[i].bytes);
    }
}

/* What the machine's own addresses can count is taken, and not a byte more. */
static void the_largest_size_is_taken(void)
{
    char text[32];
    size_t bytes = 0;
    snprintf(text, sizeof text, "%" PRIu64, (uint64_t)PTRDIFF_MAX);
    CHECK(values_parse_size(text, &bytes));
    CHECK_EQUAL(bytes, PTRDIFF_MAX);
    snprintf(text, sizeof text, "%" PRIu64, (uint64_t)PTRDIFF_MAX + 1);
    CHECK(!values_parse_size(text, &bytes));
    snprintf(text, sizeof text, "%" PRIu64 "G", (uint64_t)PTRDIFF_MAX >> 30);
    CHECK(values_parse_size(text, &bytes));
    CHECK_EQUAL(bytes, (PTRDIFF_MAX >> 30) * ((size_t)1 << 30));
    snprintf(text, sizeof text, "%" PRIu64 "G", ((uint64_t)PTRDIFF_MAX >> 30) + 1);
    CHECK(!values_parse_size(text, &bytes));
    CHECK_EQUAL(bytes, (PTRDIFF_MAX >> 30) * ((size_t)1 << 30));
}

static void sizes_are_refused(void)
{
    static const char *const bad[] = {
        "",
        "0",
        "0K",
        "K",
        "4k",
        "4KB",
        "4KiB",
        "4T",
        "-1",
        "+4K",
        " 4K",
        "4K ",
        "4 K",
        "1e3",
        "0x10",
        "4.5K",
        "4,5K",
        "9223372036854775808",
        "4KK",
        "K4",
        "4K junk",
        "8589934592G",
        "18446744073709551616",
        "99999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t bytes = 77;
        CHECK(!values_parse_size(bad[i], &bytes));
        CHECK_EQUAL(bytes, 77);
    }
}

static void check_sizes(const char *text, size_t count, size_t first, size_t last)
{
    CHECK(parse("--size", text));
    CHECK_TEXT(message, "");
    CHECK_EQUAL(options.sizes.count, count);
    CHECK_EQUAL(options.sizes.values[0], first);
    CHECK_EQUAL(options.sizes.values[count - 1], last);
}

static void lists_and_ranges(void)
{
    const size_t K = 1024, M = K * K, G = K * M;
    check_sizes("4K", 1, 4 * K, 4 * K);
    check_sizes("64K,4K,1M", 3, 64 * K, M);
    check_sizes("4K..4K", 1, 4 * K, 4 * K);
    check_sizes("4K..16K", 3, 4 * K, 16 * K);
    check_sizes("4K..1G", 19, 4 * K, G);
    check_sizes("4K..1G*4", 10, 4 * K, G);
    if (SIZE_MAX > UINT32_MAX)
        check_sizes("4G..4611686018427387904", 31, (size_t)((uint64_t)4 << 30),
                    (size_t)((uint64_t)1 << 62));
    check_sizes("4K..1M*3", 6, 4 * K, 972 * K);
    check_sizes("12K..100K", 4, 12 * K, 96 * K);
    check_sizes("4K,64K..256K*4,1G", 4, 4 * K, G);
}

static void check_refused(const char *option, const char *value, const char *expected)
{
    CHECK(!parse(option, value));
    CHECK_TEXT(message, expected);
}

static void refusals_name_option_value_and_remedy(void)
{
    check_refused("--size", "4KB",
                  "--size: '4KB' is no size; use bytes or K, M, G, as in 64K; 4K..4G; 4K..4G*4");
    check_refused("--size", "", "--size: '' is an empty list; name at least one value");
    check_refused("--size", "4K,",
                  "--size: '' is no size; use bytes or K, M, G, as in 64K; 4K..4G; 4K..4G*4");
    check_refused("--size", "4K..",
                  "--size: '4K..' is no size; use bytes or K, M, G, as in 64K; 4K..4G; 4K..4G*4");
    check_refused(
        "--size", "4K...8K",
        "--size: '4K...8K' is no size; use bytes or K, M, G, as in 64K; 4K..4G; 4K..4G*4");
    check_refused("--size", "8K..4K",
                  "--size: '8K..4K' runs downwards; put the smaller size first");
    check_refused("--size", "4K..8K*1",
                  "--size: '4K..8K*1' has no factor of 2 or more behind its *");
    check_refused("--size", "4K..8K*", "--size: '4K..8K*' has no factor of 2 or more behind its *");
    check_refused("--size", "4K,8K,4K",
                  "--size: '4K' gives 4096 bytes a second time; name each size once");
    check_refused("--size", "5000",
                  "--size: '5000' gives 5000 bytes, which is no multiple of the page size, 4096");
    check_refused("--chunk", "1K",
                  "--chunk: '1K' gives 1024 bytes, which is no multiple of the page size, 4096");
    check_refused("--touch", "0",
                  "--touch: '0' is no part; use a number above 0 and up to 1, as in 0.1");
    check_refused("--pages", "large",
                  "--pages: 'large' is no kind of pages here; use small, thp, thp-64K or huge");
    check_refused("--purge-step", "4K,8K", "--purge-step: '4K,8K' gives 2 sizes; name one");
    check_refused("--purge-step", "100",
                  "--purge-step: '100' gives 100 bytes, which is no multiple of the page size, "
                  "4096");
    check_refused("--purge-step", "64K",
                  "--purge-step: '65536': nothing is given back without --purge; name a kind");
    check_refused("--threads", "0",
                  "--threads: '0' is out of range; use whole numbers from 1 to 256");
    check_refused("--threads", "257",
                  "--threads: '257' is out of range; use whole numbers from 1 to 256");
    check_refused("--threads", "1,2,2",
                  "--threads: '2' comes a second time; name each number once");
    check_refused("--threads", "2x",
                  "--threads: '2x' is out of range; use whole numbers from 1 to 256");
    check_refused("--share", "all",
                  "--share: 'all' is no way to share here; use own, stripes or pages");
    check_refused("--processes=2", NULL, "--processes: '2': it takes no value; leave it out");
    check_refused("--growth", "triple",
                  "--growth: 'triple' is no way to grow here; use fixed or double");
    check_refused("--repeat", "0",
                  "--repeat: '0' is no number of samples; use a whole number from 1");
    check_refused("--seed", "-1", "--seed: '-1' is no seed; use a whole number from 0 to 2^64 - 1");
    check_refused("--output", "", "--output: '' is no file; name one, or - for standard output");
    check_refused("--output", NULL, "--output: no value; --help says what it takes");
    check_refused("--sizes", "4K", "--sizes: no such option; --help lists them");
    check_refused("4K", NULL, "4K: no such option; --help lists them");
    check_refused("", NULL, ": no such option; --help lists them");
}

static void parts_are_exact(void)
{
    static const struct {
        const char *text;
        uint32_t part;
    } good[] = {{"1", 1000000},  {"1.0", 1000000}, {"0.1", 100000},
                {"0.5", 500000}, {"0.000001", 1},  {"0.25", 250000}};
    static const char *const bad[] = {"",     "0",   "0.0", "1.1",       "2",    "0.",  ".5",
                                      "-0.1", "10%", "0,1", "0.0000001", "1e-1", "nan", "0.1 "};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        CHECK(parse("--touch", good[i].text));
        CHECK_EQUAL(options.touches.values[0], good[i].part);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!parse("--touch", bad[i]));
}

static void defaults(void)
{
    char *argv[] = {"harness", NULL};
    CHECK(options_parse(&all, 1, argv, &options, message, sizeof message));
    CHECK_EQUAL(options.sizes.count, 10);
    CHECK_EQUAL(options.sizes.values[9], (size_t)1 << 30);
    CHECK_EQUAL(options.chunks.values[0], 65536);
    CHECK_EQUAL(options.touches.values[0], VALUES_WHOLE);
    CHECK_EQUAL(options.common.pages, VM_PAGES_SMALL);
    CHECK_EQUAL(options.common.commit, commit_kinds->value);
    CHECK_EQUAL(options.common.growth, GROWTH_FIXED);
    CHECK_EQUAL(options.repeat, 10);
    CHECK_EQUAL(options.threads.count, 1);
    CHECK_EQUAL(options.threads.values[0], 1);
    CHECK_TEXT(options.output, "-");
}

static void check_refused_together(char *first, char *second, char *third, char *fourth,
                                   const char *expected)
{
    char *argv[] = {"harness", first, second, third, fourth, NULL};
    CHECK(!options_parse(&all, 5, argv, &options, message, sizeof message));
    CHECK_TEXT(message, expected);
}

static void threads_are_read(void)
{
    CHECK(parse("--threads", "1,2,256"));
    CHECK_EQUAL(options.threads.count, 3);
    CHECK_EQUAL(options.threads.values[2], 256);
    CHECK_EQUAL(options.common.share, SHARE_OWN);
    CHECK(parse("--processes", NULL));
    CHECK_EQUAL(options.common.share, SHARE_PROCESSES);
    check_refused_together("--threads", "2", "--trace", "x",
                           "--threads: --trace follows the touches of one thread; leave --trace "
                           "out");
    check_refused_together("--threads", "1,2", "--staircase", "x",
                           "--threads: --staircase follows the touches of one thread; leave "
                           "--staircase out");
    check_refused_together("--share", "stripes", "--processes", "--turns",
                           "--processes: processes have no region in common; leave --share out");
    check_refused_together("--share=pages", "--purge", (char *)purge_kinds[1].name, "--size=4K",
                           "--share: 'pages' are not given back under other threads; use own or "
                           "stripes with --purge");
    check_refused_together("--turns", "--processes", "--size", "4K",
                           "--turns: processes end with each turn; use threads");
    check_refused_together("--turns", "--size=4K", "--threads", "1,2",
                           "--turns: 2 configurations asked for; name one --size, one --chunk, one "
                           "--touch and one number of --threads");
}

static const struct kind own_commits[] = {{"hope", 7}, {"prayer", 8}, {NULL, 0}};
static const struct strategy of_its_own = {.name = "own", .commits = own_commits};

/* And takes no others, the system's among them; the default is the first of its own. */
static void a_strategy_may_have_kinds_of_its_own(void)
{
    char *system[] = {"harness", "--commit", (char *)commit_kinds->name, NULL};
    char *own[] = {"harness", "--commit", "prayer", NULL};
    CHECK(options_parse(&of_its_own, 3, own, &options, message, sizeof message));
    CHECK_EQUAL(options.common.commit, 8);
    own[1] = NULL;
    CHECK(options_parse(&of_its_own, 1, own, &options, message, sizeof message));
    CHECK_EQUAL(options.common.commit, 7);
    CHECK(!options_parse(&of_its_own, 3, system, &options, message, sizeof message));
    CHECK(strstr(message, "is no way to commit here; use hope or prayer") != NULL);
}

static void values_may_follow_an_equals_sign(void)
{
    CHECK(parse("--size=8K", NULL));
    CHECK_EQUAL(options.sizes.values[0], 8192);
    CHECK_EQUAL(options.answer, ANSWER_NONE);
    CHECK(parse("--help", NULL));
    CHECK_EQUAL(options.answer, ANSWER_HELP);
    CHECK(parse("--version", NULL));
    CHECK_EQUAL(options.answer, ANSWER_VERSION);
    CHECK(parse("--describe", NULL));
    CHECK_EQUAL(options.answer, ANSWER_DESCRIBE);
}

int main(void)
{
    sizes_are_read();
    the_largest_size_is_taken();
    sizes_are_refused();
    lists_and_ranges();
    refusals_name_option_value_and_remedy();
    parts_are_exact();
    defaults();
    threads_are_read();
    a_strategy_may_have_kinds_of_its_own();
    values_may_follow_an_equals_sign();
    return check_result();
}
