/* A row of any part: cells that a part does not fill are empty. */
#ifndef ROW_H
#define ROW_H

#include "subject.h"

struct row {
    const char *part, *subject, *guard, *way, *state;
    struct meter_count size_bytes;
    uint64_t repeat;
    const char *status, *error;

    /* What a system call did. */
    const char *outcome;
    struct meter_count wanted_bytes, returned_bytes, stored_bytes, left_bytes;
    struct meter_count handled_faults;

    /* What was measured. */
    struct meter_count ns, commit_bytes, region_count, resident_bytes, locked_bytes, table_bytes;
    struct meter_count minor_faults;

    /* Of the copy, and of writing to what is shared with it. */
    struct meter_count copy_commit_bytes, copy_region_count, copy_faults, copy_ns;

    /* How many there were, at how many they would end, and by what. */
    struct meter_count count, most;
    const char *limit;

    char why[256]; /* what `error` points to, where the system said it */
};

enum { ROW_COLUMNS = 29 };
extern const struct column row_columns[ROW_COLUMNS];
extern const struct tool surroundings_tool;

/* One of a subject's memory, or of none where that is NULL; "ok", and nothing else is known. */
struct row row_make(const char *part, const struct subject *subject);

static inline struct meter_count row_known(uint64_t value)
{
    return (struct meter_count){value, true};
}

/* Keeps the system's text for an error. */
void row_keep_error(struct row *row, int error);

/* Each returns what is to be the program's exit status. Prints the row as it is; with a status and
 * the system's text for an error; as "unsupported", and why; as "refused", by what a holding failed
 * with; and what could not be done, on standard error. */
int row_print(const struct row *row);
int row_print_error(struct row *row, const char *status, int error);
int row_print_unsupported(struct row *row, const char *why);
int row_print_refusal(struct row *row, struct holding *holding, int error);
int row_broke(const char *what, int error);

#endif
