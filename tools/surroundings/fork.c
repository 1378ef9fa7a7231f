/* A fork copies mappings and page tables, and charges the copy as the original is charged; a page
 * is copied when one of the two writes to it. Every cell is made once a repeat, in a random order.
 */
#include "parts.h"
#include "row.h"
#include "system/copies.h"
#include "system/copy.h"
#include "system/meter.h"
#include "system/vm.h"
#include "workload.h"

enum amount { NOTHING_TOUCHED, ALL_TOUCHED, EVERY_SECOND_PAGE };

struct cell {
    const struct subject *subject;
    enum amount amount;
    enum copy_kind kind;
    size_t size;
};

enum { CELLS_MOST = SUBJECTS_MOST * VALUES_MAX * 4 + VALUES_MAX };

struct cells {
    struct cell list[CELLS_MOST];
    size_t count;
};

static void add(struct cells *cells, struct cell cell)
{
    cells->list[cells->count++] = cell;
}

/* What a copy is told of a range matters where the range holds something. */
static void add_of_size(struct cells *cells, const struct subject *subject, size_t size)
{
    add(cells, (struct cell){subject, NOTHING_TOUCHED, COPY_SHARED, size});
    for (const struct kind *kind = copy_kinds; kind->name != NULL; kind++)
        add(cells, (struct cell){subject, ALL_TOUCHED, (enum copy_kind)kind->value, size});
}

/* Touching every second page makes a mapping of each page where pages are committed one by one. */
static void add_of_mappings(struct cells *cells, const struct surroundings *surroundings,
                            const struct subject *subject)
{
    for (size_t i = 0; i < surroundings->mappings.count; i++)
        add(cells, (struct cell){subject, EVERY_SECOND_PAGE, COPY_SHARED,
                                 (size_t)surroundings->mappings.values[i] * vm_page_bytes()});
}

static void list_cells(struct cells *cells, const struct surroundings *surroundings)
{
    cells->count = 0;
    for (size_t i = 0; i < surroundings->subject_count; i++) {
        const struct subject *subject = &surroundings->subjects[i];
        for (size_t j = 0; j < surroundings->sizes.count; j++)
            add_of_size(cells, subject, surroundings->sizes.values[j]);
        if (subject->strategy->step == STEP_PAGE)
            add_of_mappings(cells, surroundings, subject);
    }
}

static const char *state_name(const struct cell *cell)
{
    switch (cell->amount) {
    case ALL_TOUCHED: return "touched";
    case EVERY_SECOND_PAGE: return "every second page touched";
    case NOTHING_TOUCHED: break;
    }
    return cell->subject->strategy->reserve == NULL ? "committed" : "reserved";
}

static size_t pages_touched(const struct cell *cell)
{
    size_t pages = cell->size / vm_page_bytes();
    return cell->amount == ALL_TOUCHED       ? pages
           : cell->amount == NOTHING_TOUCHED ? 0
                                             : (pages + 1) / 2;
}

static int hold(struct holding *holding, const struct cell *cell)
{
    size_t pages = pages_touched(cell);
    int error = holding_begin(holding, cell->subject, cell->size);
    if (error != 0 || pages == 0)
        return error;
    return cell->amount == ALL_TOUCHED ? holding_touch(holding, pages)
                                       : holding_touch_alternate(holding, pages);
}

/* --- A copy --- */

static void write_pages(unsigned char *base, size_t count, size_t stride)
{
    for (size_t i = 0; i < count; i++)
        *(volatile unsigned char *)(base + i * stride) = 2;
}

/* The faults are read twice before, since after a fork the first writes of this code itself copy
 * pages. */
static int write_again(const struct holding *holding, const struct cell *cell, struct row *row)
{
    struct meter_faults before, after;
    size_t stride = vm_page_bytes() * (cell->amount == EVERY_SECOND_PAGE ? 2 : 1);
    int error = meter_read_faults(&after);
    if (error == 0)
        error = meter_read_faults(&before);
    if (error != 0)
        return error;
    uint64_t start_ns = meter_clock_ns();
    write_pages(holding->cycle.region.base, pages_touched(cell), stride);
    row->copy_ns = row_known(meter_clock_ns() - start_ns);
    error = meter_read_faults(&after);
    row->copy_faults =
        (struct meter_count){after.minor.value - before.minor.value, after.minor.known};
    return error;
}

static int read_own(const struct holding *holding, struct row *row)
{
    struct maps_memory memory;
    const struct region *region = &holding->cycle.region;
    int error = maps_read(region->base, region->size, &memory);
    row->commit_bytes = row_known(memory.region_commit_bytes);
    row->region_count = row_known(memory.region_count);
    return error;
}

static int copy(const struct holding *holding, const struct cell *cell, struct row *row)
{
    struct copy copy;
    const struct region *region = &holding->cycle.region;
    int error = copy_advise(cell->kind, region->base, region->size);
    if (error == 0)
        error = read_own(holding, row);
    if (error == 0)
        error = copy_make(region->base, region->size, &copy);
    if (error != 0)
        return error;
    row->ns = row_known(copy.ns);
    row->copy_commit_bytes = row_known(copy.memory.region_commit_bytes);
    row->copy_region_count = row_known(copy.memory.region_count);
    error = write_again(holding, cell, row);
    int ended = copy_end(&copy);
    return error != 0 ? error : ended;
}

static int take(const struct cell *cell, uint64_t repeat)
{
    struct holding holding;
    struct row row = row_make("fork", cell->subject);
    row.way = kind_name(copy_kinds, (int)cell->kind);
    row.state = state_name(cell);
    row.size_bytes = row_known(cell->size);
    row.repeat = repeat;
    int error = hold(&holding, cell), status;
    if (error != 0) {
        status = row_print_refusal(&row, &holding, error);
    } else {
        error = copy(&holding, cell, &row);
        status = error == 0             ? row_print(&row)
                 : vm_is_refusal(error) ? row_print_error(&row, "refused", error)
                                        : row_broke("fork", error);
    }
    error = holding_end(&holding);
    return error == 0 ? status : row_broke("giving memory back", error);
}

static int print_unsupported(void)
{
    struct row row = row_make("fork", NULL);
    return row_print_unsupported(&row, copies_unsupported());
}

int fork_run(const struct surroundings *surroundings)
{
    static struct cells cells;
    uint64_t random = surroundings->seed;
    int status = TOOL_TAKEN;
    if (copies_unsupported() != NULL)
        return print_unsupported();
    for (uint64_t repeat = 1; repeat <= surroundings->repeat && status == TOOL_TAKEN; repeat++) {
        list_cells(&cells, surroundings);
        for (size_t left = cells.count; left > 0 && status == TOOL_TAKEN; left--) {
            size_t drawn = (size_t)(workload_random(&random) % left);
            struct cell cell = cells.list[drawn];
            cells.list[drawn] = cells.list[left - 1];
            status = take(&cell, repeat);
        }
    }
    return status;
}
