/* A sample whose commit is refused in the middle of a cycle, in a fault and before a write: it
 * keeps what was reached, and the next sample is as if nothing had been. The refusal is acted by
 * the strategy, with the code that this system really gives. */
#include "sample.h"

#include "check.h"
#include "system/trap.h"
#include "system/vm.h"

enum { PAGES = 16, REACHED = 5 };

static int refusal;

static int refuse(struct region *region)
{
    region->failed_call = "commit";
    region->error = refusal;
    return refusal;
}

static int commit_some(struct region *region, size_t offset)
{
    if (region->commit_calls == REACHED)
        return refuse(region);
    return region_commit(region, offset, offset + region->page);
}

static int touch_only(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, workload_nothing);
}

static int commit_and_touch(struct region *region, const struct workload *workload)
{
    return workload_touch(region, workload, commit_some);
}

static const struct strategy in_a_fault = {
    .name = "fault", .reserve = region_reserve, .touch = touch_only, .fault = commit_some};
static const struct strategy before_a_write = {
    .name = "chunked", .reserve = region_reserve, .touch = commit_and_touch};
static const struct strategy plain = {
    .name = "upfront", .commit = region_reserve_committed, .touch = touch_only};

static void check_refused(const struct strategy *strategy, enum trap_kind trap, uint64_t handled)
{
    size_t page = vm_page_bytes();
    struct configuration configuration = configuration_make(PAGES * page, page);
    configuration.trap = trap;
    struct sample sample;
    CHECK(sample_take(strategy, &configuration, 1, &sample));
    CHECK_EQUAL(sample.status, SAMPLE_REFUSED);
    CHECK(strncmp(sample.error, "commit of ", 10) == 0);
    CHECK_EQUAL(sample.batch, 1);
    CHECK_EQUAL(sample.commit_calls, REACHED);
    CHECK_EQUAL(sample.handled_faults, handled);
    CHECK_EQUAL(sample.commit_bytes.value, REACHED * page);
    CHECK_EQUAL(sample.released_commit_bytes.value, 0);

    CHECK(sample_take(&plain, &configuration, 1, &sample));
    CHECK_EQUAL(sample.status, SAMPLE_OK);
    CHECK_EQUAL(sample.commit_bytes.value, PAGES * page);
}

int main(void)
{
    size_t page = vm_page_bytes();
    void *base;
    refusal = vm_reserve_committed(SIZE_MAX / page * page, VM_PAGES_SMALL, &base);
    CHECK(vm_is_refusal(refusal));
    for (const struct kind *trap = trap_kinds; trap->name != NULL; trap++)
        check_refused(&in_a_fault, (enum trap_kind)trap->value, REACHED);
    check_refused(&before_a_write, (enum trap_kind)trap_kinds->value, 0);
    return check_result();
}
