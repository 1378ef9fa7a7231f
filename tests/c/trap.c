/* The trap: faults are retried, abandoned, or not there at all. */
#include "system/trap.h"

#include <stddef.h>

#include "check.h"
#include "system/commit.h"
#include "system/vm.h"

struct scene {
    unsigned char *base;
    size_t page;
    int asked;
    enum trap_answer answer;
    const void *address;
};

static void write_two_pages(void *context)
{
    struct scene *scene = context;
    *(volatile unsigned char *)(scene->base + 5) = 1;
    *(volatile unsigned char *)(scene->base + scene->page + 7) = 1;
}

static enum trap_answer commit_page(void *context, const void *address)
{
    struct scene *scene = context;
    size_t offset = (size_t)((const unsigned char *)address - scene->base);
    scene->asked++;
    scene->address = address;
    if (scene->answer == TRAP_RETRY &&
        commit_pages((enum commit_kind)commit_kinds->value, VM_PAGES_SMALL,
                     scene->base + offset / scene->page * scene->page, scene->page) != 0)
        return TRAP_ABANDON;
    return scene->answer;
}

static enum trap_kind kind; /* the one being tested */

static bool run(struct scene *scene, enum trap_answer answer)
{
    bool completed = false;
    scene->answer = answer;
    scene->asked = 0;
    CHECK_EQUAL(trap_run(kind, write_two_pages, commit_page, scene, &completed), 0);
    return completed;
}

static void faults_are_put_to_the_handler(void)
{
    struct scene scene = {.page = vm_page_bytes()};
    void *base = NULL;
    CHECK_EQUAL(vm_reserve(4 * scene.page, VM_PAGES_SMALL, &base), 0);
    scene.base = base;

    CHECK(!run(&scene, TRAP_ABANDON));
    CHECK_EQUAL(scene.asked, 1);
    CHECK(scene.address == scene.base + 5);

    CHECK(!run(&scene, TRAP_ABANDON)); /* a second time: nothing is left blocked */
    CHECK_EQUAL(scene.asked, 1);

    CHECK(run(&scene, TRAP_RETRY));
    CHECK_EQUAL(scene.asked, 2);
    CHECK(scene.address == scene.base + scene.page + 7);
    CHECK_EQUAL(scene.base[5] + scene.base[scene.page + 7], 2);

    CHECK(run(&scene, TRAP_ABANDON)); /* committed now: nobody is asked */
    CHECK_EQUAL(scene.asked, 0);
    CHECK_EQUAL(vm_release(base, 4 * scene.page), 0);
}

int main(void)
{
    for (const struct kind *known = trap_kinds; known->name != NULL; known++) {
        kind = (enum trap_kind)known->value;
        faults_are_put_to_the_handler();
    }
    return check_result();
}
