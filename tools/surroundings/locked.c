/* Under mlockall(MCL_FUTURE) what becomes accessible becomes resident at once, and some calls on it
 * are refused: what is left of each strategy's laziness, before the first touch and behind some. */
#include "parts.h"
#include "row.h"
#include "system/calls.h"
#include "system/lock.h"
#include "system/vm.h"

/* In steps of 16 pages, a touch of 33 leaves 15 committed that are not touched. */
enum { PAGES = 64, TOUCHED = 33 };

struct moment {
    const char *name;
    size_t pages; /* touched */
};
static const struct moment moments[] = {{"untouched", 0}, {"33 pages touched", TOUCHED}, {NULL, 0}};

/* Up to the moment; faults are the strategy's own. */
static int come_to(struct holding *holding, const struct subject *subject,
                   const struct moment *moment)
{
    int error = holding_begin(holding, subject, PAGES * vm_page_bytes());
    return error == 0 && moment->pages > 0 ? holding_touch(holding, moment->pages) : error;
}

static int look(const struct holding *holding, struct row *row)
{
    const struct region *region = &holding->cycle.region;
    struct maps_memory maps;
    struct calls_memory memory;
    if (region->base == NULL)
        return 0;
    int error = maps_read(region->base, region->size, &maps);
    if (error == 0)
        error = calls_read_memory(region->base, region->size, &memory);
    if (error != 0)
        return error;
    row->commit_bytes = row_known(maps.region_commit_bytes);
    row->region_count = row_known(maps.region_count);
    row->resident_bytes = memory.resident_bytes;
    row->locked_bytes = memory.locked_bytes;
    return 0;
}

/* What is refused is a row, with what was reached. */
static int print(struct row *row, struct holding *holding, int error)
{
    row->handled_faults = row_known(holding->sample.handled_faults);
    row->minor_faults = holding->sample.minor_faults;
    int failed = look(holding, row);
    if (failed != 0)
        return row_broke("reading memory", failed);
    return error != 0 ? row_print_refusal(row, holding, error) : row_print(row);
}

static int take(const struct subject *subject, const struct kind *lock, const struct moment *moment)
{
    struct holding holding;
    struct row row = row_make("locked", subject);
    row.way = lock->name;
    row.state = moment->name;
    row.size_bytes = row_known(PAGES * vm_page_bytes());
    int error = lock_begin((enum lock_kind)lock->value);
    if (error != 0) /* EPERM to who may lock nothing (mlockall(2)) */
        return row_print_error(&row, "refused", error);
    error = come_to(&holding, subject, moment);
    int status = print(&row, &holding, error);
    error = holding_end(&holding);
    int unlocked = lock_end();
    error = error != 0 ? error : unlocked;
    return error == 0 ? status : row_broke("giving memory back", error);
}

static int print_unsupported(void)
{
    struct row row = row_make("locked", NULL);
    return row_print_unsupported(&row, lock_unsupported());
}

int locked_run(const struct surroundings *surroundings)
{
    int status = TOOL_TAKEN;
    if (lock_unsupported() != NULL)
        return print_unsupported();
    for (size_t i = 0; i < surroundings->subject_count; i++)
        for (const struct kind *lock = lock_kinds; lock->name != NULL; lock++)
            for (const struct moment *moment = moments;
                 moment->name != NULL && status == TOOL_TAKEN; moment++)
                status = take(&surroundings->subjects[i], lock, moment);
    return status;
}
