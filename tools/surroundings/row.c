/* One table of columns for all parts, and how a row is printed. */
#include "row.h"

#include "system/vm.h"

#define COLUMN(name, type)                                                                         \
    {                                                                                              \
#name, columns_add_##type##_at, offsetof(struct row, name)                                 \
    }
const struct column row_columns[ROW_COLUMNS] = {
    COLUMN(part, text),
    COLUMN(subject, text),
    COLUMN(guard, text),
    COLUMN(way, text),
    COLUMN(state, text),
    COLUMN(size_bytes, bytes),
    COLUMN(repeat, number),
    COLUMN(status, text),
    COLUMN(error, text),
    COLUMN(outcome, text),
    COLUMN(wanted_bytes, bytes),
    COLUMN(returned_bytes, bytes),
    COLUMN(stored_bytes, bytes),
    COLUMN(left_bytes, bytes),
    COLUMN(handled_faults, bytes),
    COLUMN(ns, bytes),
    COLUMN(commit_bytes, bytes),
    COLUMN(region_count, bytes),
    COLUMN(resident_bytes, bytes),
    COLUMN(locked_bytes, bytes),
    COLUMN(table_bytes, bytes),
    COLUMN(minor_faults, bytes),
    COLUMN(copy_commit_bytes, bytes),
    COLUMN(copy_region_count, bytes),
    COLUMN(copy_faults, bytes),
    COLUMN(copy_ns, bytes),
    COLUMN(count, bytes),
    COLUMN(most, bytes),
    COLUMN(limit, text),
};

struct row row_make(const char *part, const struct subject *subject)
{
    return (struct row){.part = part,
                        .subject = subject != NULL ? subject->strategy->name : "",
                        .guard = subject != NULL ? subject->guard_name : "",
                        .way = "",
                        .state = "",
                        .repeat = 1,
                        .status = "ok",
                        .error = "",
                        .outcome = "",
                        .limit = ""};
}

int row_print(const struct row *row)
{
    return tool_print_row(&surroundings_tool, row);
}

void row_keep_error(struct row *row, int error)
{
    vm_error_text(error, row->why, sizeof row->why);
    row->error = row->why;
}

int row_print_error(struct row *row, const char *status, int error)
{
    row->status = status;
    row_keep_error(row, error);
    return row_print(row);
}

int row_print_unsupported(struct row *row, const char *why)
{
    row->status = "unsupported";
    row->error = why;
    return row_print(row);
}

int row_print_refusal(struct row *row, struct holding *holding, int error)
{
    row->status = "refused";
    cycle_describe_failure(&holding->cycle, error, row->why, sizeof row->why);
    row->error = row->why;
    return row_print(row);
}

int row_broke(const char *what, int error)
{
    return tool_broke(&surroundings_tool, what, error);
}
