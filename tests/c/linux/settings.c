/* Linux: what follows from the system's settings, by settings that are made up. The program's own
 * fopen stands before the system's. */
#define _GNU_SOURCE
#include <errno.h>

#include "check.h"
#include "sample.h"

static char *setting; /* what the file holds; NULL: there is no file */
static const char *opened;

FILE *fopen(const char *path, const char *mode)
{
    CHECK_TEXT(mode, "re");
    opened = path;
    return setting != NULL ? fmemopen(setting, strlen(setting), "r") : NULL;
}

static void huge_pages_may_be_missing_or_set_to_never(void)
{
    static char never[] = "always madvise [never]\n", madvise[] = "always [madvise] never\n",
                always[] = "[always] madvise never\n";
    setting = never;
    CHECK_TEXT(vm_pages_unsupported(VM_PAGES_THP), "transparent huge pages are set to never");
    CHECK_TEXT(opened, "/sys/kernel/mm/transparent_hugepage/enabled");
    setting = madvise;
    CHECK(vm_pages_unsupported(VM_PAGES_THP) == NULL);
    setting = always;
    CHECK(vm_pages_unsupported(VM_PAGES_THP) == NULL);
    setting = NULL;
    CHECK_TEXT(vm_pages_unsupported(VM_PAGES_THP), "this kernel has no transparent huge pages");
    opened = NULL;
    CHECK(vm_pages_unsupported(VM_PAGES_SMALL) == NULL);
    CHECK(opened == NULL); /* base pages are there without a look */
}

static int touches;

static int touch(struct region *region, const struct workload *workload)
{
    touches++;
    return workload_touch(region, workload, workload_nothing);
}

/* A sample that can't be is a row that says why; its cycle is not begun. */
static void a_sample_without_its_pages_is_unsupported(void)
{
    static char never[] = "always madvise [never]\n";
    const struct strategy strategy = {
        .name = "upfront", .commit = region_reserve_committed, .touch = touch};
    struct configuration configuration = configuration_make(vm_page_bytes(), vm_page_bytes());
    struct workload workload;
    struct sample sample;
    setting = never;
    configuration.pages = VM_PAGES_THP;
    CHECK(sample_take(&strategy, &configuration, 1, &sample));
    CHECK_EQUAL(sample.status, SAMPLE_UNSUPPORTED);
    CHECK_TEXT(sample.error, "transparent huge pages are set to never");
    CHECK_EQUAL(sample.batch, 0);
    CHECK(!sample_possible(&strategy, &configuration, 1, &workload, &sample));
    CHECK_EQUAL(sample.status, SAMPLE_UNSUPPORTED);
    sample_prepare(&strategy, &configuration);
    CHECK_EQUAL(touches, 0);
}

/* 200 mappings may be others'. */
static void a_refusal_is_due_to_the_limit_on_mappings_where_that_is_reached(void)
{
    static char limit[] = "65530\n", none[] = "none\n";
    setting = limit;
    CHECK_TEXT(vm_refusal_cause(ENOMEM, 65530), "vm.max_map_count mappings are reached");
    CHECK_TEXT(opened, "/proc/sys/vm/max_map_count");
    CHECK(vm_refusal_cause(ENOMEM, 65330) != NULL);
    CHECK(vm_refusal_cause(ENOMEM, 65329) == NULL);
    CHECK(vm_refusal_cause(EAGAIN, 65530) == NULL);
    setting = none;
    CHECK(vm_refusal_cause(ENOMEM, 65530) == NULL);
    setting = NULL;
    CHECK(vm_refusal_cause(ENOMEM, 65530) == NULL);
}

int main(void)
{
    huge_pages_may_be_missing_or_set_to_never();
    a_sample_without_its_pages_is_unsupported();
    a_refusal_is_due_to_the_limit_on_mappings_where_that_is_reached();
    return check_result();
}
