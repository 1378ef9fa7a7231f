/* Checks for the C tests: each failure prints where, what and both values; check_result() ends
 * main. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int check_count, check_failures;

static inline void check_fail(const char *file, int line, const char *what)
{
    check_failures++;
    printf("%s:%d: %s", file, line, what);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        check_count++;                                                                             \
        if (!(condition)) {                                                                        \
            check_fail(__FILE__, __LINE__, #condition);                                            \
            printf(" is false\n");                                                                 \
        }                                                                                          \
    } while (0)

#define CHECK_EQUAL(actual, expected)                                                              \
    do {                                                                                           \
        int64_t a_ = (int64_t)(actual), e_ = (int64_t)(expected);                                  \
        check_count++;                                                                             \
        if (a_ != e_) {                                                                            \
            check_fail(__FILE__, __LINE__, #actual);                                               \
            printf(" is %" PRId64 ", not %" PRId64 "\n", a_, e_);                                  \
        }                                                                                          \
    } while (0)

#define CHECK_TEXT(actual, expected)                                                               \
    do {                                                                                           \
        const char *a_ = (actual), *e_ = (expected);                                               \
        check_count++;                                                                             \
        if (strcmp(a_, e_) != 0) {                                                                 \
            check_fail(__FILE__, __LINE__, #actual);                                               \
            printf(" is\n  %s\nnot\n  %s\n", a_, e_);                                              \
        }                                                                                          \
    } while (0)

static inline int check_result(void)
{
    printf("%d checks, %d failed\n", check_count, check_failures);
    return check_failures != 0 || check_count == 0;
}

#endif
