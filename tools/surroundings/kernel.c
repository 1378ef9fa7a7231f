/* The kernel asks no handler: a call that is given memory which is not committed fails or ends
 * early. Each call is made once at three places of each strategy's memory, with the strategy's
 * handler in place. */
#include <string.h>

#include "parts.h"
#include "row.h"
#include "system/access.h"
#include "system/vm.h"

enum { PAGES = 64, WANTED = 512, BYTE = 0x5a };

/* Where the call's memory begins, in bytes before the end of what is usable. */
struct place {
    const char *name;
    size_t before;
};
static const struct place places[] = {
    {"usable", WANTED}, {"across the end", WANTED / 2}, {"past the end", 0}, {NULL, 0}};

struct attempt {
    struct holding holding;
    const struct access_call *call;
    struct access access;
    unsigned char *address;
    size_t reachable; /* bytes from there that may be read and written */
    size_t done;
    int error; /* the call's */
};

/* `context` is the attempt's cycle. */
static void make_call(void *context)
{
    struct attempt *attempt = (void *)((char *)context - offsetof(struct attempt, holding.cycle));
    attempt->error =
        attempt->call->make(&attempt->access, attempt->address, WANTED, &attempt->done);
}

static size_t count_stored(const struct attempt *attempt)
{
    size_t stored = 0;
    for (size_t i = 0; i < attempt->reachable; i++)
        stored += attempt->address[i] == BYTE;
    return stored;
}

static int fill(const struct attempt *attempt)
{
    unsigned char bytes[WANTED];
    memset(bytes, BYTE, sizeof bytes);
    return attempt->call->stores ? attempt->call->fill(&attempt->access, bytes, sizeof bytes) : 0;
}

/* A call that reads memory keeps what it did not send. */
static size_t left_after(const struct attempt *attempt, size_t drained)
{
    return attempt->call->stores ? drained : WANTED - drained;
}

static const char *outcome(const struct row *row)
{
    uint64_t carried = row->returned_bytes.value, left = row->left_bytes.value;
    if (carried == WANTED)
        return "whole";
    if (carried + left < WANTED)
        return "lost";
    return carried > 0 ? "short" : "failed";
}

static int make_and_look(struct attempt *attempt, struct row *row)
{
    uint64_t handled = attempt->holding.cycle.region.handled_faults;
    size_t drained = 0;
    int error = fill(attempt);
    if (error == 0)
        error = cycle_trap(&attempt->holding.cycle, make_call);
    if (error == 0)
        error = attempt->call->drain(&attempt->access, &drained);
    row->wanted_bytes = row_known(WANTED);
    row->returned_bytes = row_known(attempt->done);
    row->stored_bytes = (struct meter_count){count_stored(attempt), attempt->call->stores};
    row->left_bytes = row_known(left_after(attempt, drained));
    row->handled_faults = row_known(attempt->holding.cycle.region.handled_faults - handled);
    row->outcome = outcome(row);
    return error;
}

static int carry_out(struct attempt *attempt, struct row *row)
{
    int error = attempt->call->open(&attempt->access);
    if (error != 0)
        return row_print_error(row, "unsupported", error);
    error = make_and_look(attempt, row);
    attempt->call->close(&attempt->access);
    if (error != 0)
        return row_broke(row->way, error);
    if (attempt->error != 0)
        row_keep_error(row, attempt->error);
    return row_print(row);
}

/* What is reached is zero before. */
static void aim(struct attempt *attempt, const struct place *place)
{
    const struct region *region = &attempt->holding.cycle.region;
    size_t end = SUBJECT_STEP_BYTES, usable = holding_usable(&attempt->holding);
    end = usable < end ? usable : end;
    attempt->address = region->base + end - place->before;
    attempt->reachable = usable > end ? WANTED : place->before;
    memset(attempt->address, 0, attempt->reachable);
}

static int try_call(const struct access_call *call, const struct place *place,
                    const struct subject *subject)
{
    struct attempt attempt = {.call = call};
    struct row row = row_make("kernel", subject);
    row.way = call->name;
    row.state = place->name;
    int error = holding_begin(&attempt.holding, subject, PAGES * vm_page_bytes());
    if (error == 0)
        error = holding_touch(&attempt.holding, 1);
    int status = TOOL_BROKE;
    if (error == 0) {
        aim(&attempt, place);
        status = carry_out(&attempt, &row);
    } else {
        row_broke(subject->strategy->name, error);
    }
    error = holding_end(&attempt.holding);
    return error == 0 ? status : row_broke("giving memory back", error);
}

static int run_subject(const struct subject *subject)
{
    int status = TOOL_TAKEN;
    for (const struct access_call *call = access_calls; call->name != NULL; call++)
        for (const struct place *place = places; place->name != NULL && status == TOOL_TAKEN;
             place++)
            status = try_call(call, place, subject);
    return status;
}

int kernel_run(const struct surroundings *surroundings)
{
    int status = TOOL_TAKEN;
    for (size_t i = 0; i < surroundings->subject_count && status == TOOL_TAKEN; i++)
        status = run_subject(&surroundings->subjects[i]);
    return status;
}
