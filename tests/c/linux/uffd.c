/* Linux: a userfaultfd, told by a signal: what is supplied is there, what isn't abandons the body;
 * the signal goes to whoever had it otherwise. tests/cli has the thread, which a process has but
 * once. */
#define _GNU_SOURCE
#include "system/linux/uffd.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>

#include "check.h"
#include "system/posix/trap.h"

struct scene {
    unsigned char *base;
    size_t page;
    enum trap_answer answer;
    int asked;
};

static void write_three_pages(void *context)
{
    struct scene *scene = context;
    for (size_t page = 0; page < 3; page++)
        *(volatile unsigned char *)(scene->base + page * scene->page + 5) += 1;
}

static enum trap_answer supply_two_pages(void *context, const void *address)
{
    struct scene *scene = context;
    size_t offset = (size_t)((const unsigned char *)address - scene->base);
    unsigned char *from = scene->base + offset / (2 * scene->page) * (2 * scene->page);
    scene->asked++;
    if (scene->answer == TRAP_RETRY)
        CHECK_EQUAL(uffd_supply(COMMIT_COPY, from, 2 * scene->page), 0);
    return scene->answer;
}

static bool run(struct scene *scene, enum trap_kind kind, enum trap_answer answer)
{
    bool completed = false;
    scene->answer = answer;
    scene->asked = 0;
    CHECK_EQUAL(trap_run(kind, write_three_pages, supply_two_pages, scene, &completed), 0);
    return completed;
}

static sigjmp_buf before_ours;

static void on_bus(int number)
{
    (void)number;
    siglongjmp(before_ours, 1);
}

/* A trap for SIGSEGV is not asked about a SIGBUS, and a foreign one goes to who was there. */
static int asked_until_the_previous(struct scene *scene, enum trap_kind kind)
{
    if (sigsetjmp(before_ours, 1) == 0) {
        run(scene, kind, TRAP_FOREIGN);
        return -1;
    }
    return scene->asked;
}

static void a_foreign_fault_goes_to_who_was_there(struct scene *scene)
{
    signal(SIGBUS, on_bus);
    CHECK_EQUAL(asked_until_the_previous(scene, TRAP_SIGBUS), 1);
    CHECK_EQUAL(asked_until_the_previous(scene, TRAP_SIGNAL), 0);
}

static void what_is_supplied_is_there(struct scene *scene)
{
    CHECK(!run(scene, TRAP_SIGBUS, TRAP_ABANDON));
    CHECK_EQUAL(scene->asked, 1);
    CHECK(run(scene, TRAP_SIGBUS, TRAP_RETRY));
    CHECK_EQUAL(scene->asked, 2);
    for (size_t page = 0; page < 4; page++)
        CHECK_EQUAL(scene->base[page * scene->page + 5], page < 3);
    CHECK(run(scene, TRAP_SIGBUS, TRAP_ABANDON)); /* nobody is asked */
    CHECK_EQUAL(scene->asked, 0);
}

static void what_is_there_is_not_supplied(const struct scene *scene)
{
    CHECK_EQUAL(uffd_supply(COMMIT_ZEROPAGE, scene->base, scene->page), EEXIST);
    CHECK_EQUAL(trap_put(scene->base), TRAP_FOREIGN); /* no thread is told of anything */
}

int main(void)
{
    struct scene scene = {.page = vm_page_bytes()};
    void *base = NULL;
    if (uffd_unsupported() != NULL)
        return check_result();
    CHECK_EQUAL(uffd_prepare(TRAP_SIGBUS, COMMIT_COPY, 2 * scene.page), 0);
    CHECK_EQUAL(uffd_map(4 * scene.page, &base), 0);
    scene.base = base;
    a_foreign_fault_goes_to_who_was_there(&scene);
    what_is_supplied_is_there(&scene);
    what_is_there_is_not_supplied(&scene);
    CHECK_EQUAL(vm_release(base, 4 * scene.page), 0);
    return check_result();
}
