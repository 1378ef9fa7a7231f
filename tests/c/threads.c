/* Two threads, each with a trap of its own at the same time: each handler is asked for its own
 * thread's faults alone, with its own context, and one trap's end leaves the other in force. */
#include <stdatomic.h>
#include <stddef.h>

#include "check.h"
#include "system/commit.h"
#include "system/thread.h"
#include "system/trap.h"
#include "system/vm.h"

enum { THREADS = 2, PAGES = 64 };

struct scene {
    enum trap_kind trap;
    unsigned char *base;
    size_t page;
    bool first; /* leaves while the other's body goes on */
    atomic_int asked, foreign;
    bool completed;
    int error;
};

static struct scene scenes[THREADS];
static atomic_int in_body, left;

static enum trap_answer commit_page(void *context, const void *address)
{
    struct scene *scene = context;
    size_t offset = (size_t)((const unsigned char *)address - scene->base);
    if (offset >= PAGES * scene->page) {
        atomic_fetch_add(&scene->foreign, 1);
        return TRAP_ABANDON;
    }
    atomic_fetch_add(&scene->asked, 1);
    return commit_pages((enum commit_kind)commit_kinds->value, VM_PAGES_SMALL,
                        scene->base + offset / scene->page * scene->page, scene->page) == 0
               ? TRAP_RETRY
               : TRAP_ABANDON;
}

static void touch(const struct scene *scene, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        *(volatile unsigned char *)(scene->base + i * scene->page) = 1;
}

/* Both are inside a trap before either faults; one goes on after the other has left its own. */
static void body(void *context)
{
    struct scene *scene = context;
    atomic_fetch_add(&in_body, 1);
    while (atomic_load(&in_body) < THREADS) {
    }
    touch(scene, 0, PAGES / 2);
    while (!scene->first && atomic_load(&left) == 0) {
    }
    touch(scene, PAGES / 2, PAGES);
}

static void run(void *context)
{
    struct scene *scene = context;
    scene->error = trap_run(scene->trap, body, commit_page, scene, &scene->completed);
    atomic_fetch_add(&left, 1);
}

static void prepare(struct scene *scene, enum trap_kind trap, bool first)
{
    void *base = NULL;
    *scene = (struct scene){.trap = trap, .page = vm_page_bytes(), .first = first};
    CHECK_EQUAL(vm_reserve(PAGES * scene->page, VM_PAGES_SMALL, &base), 0);
    scene->base = base;
}

static void check_traps(enum trap_kind a, enum trap_kind b)
{
    struct thread threads[THREADS];
    atomic_store(&in_body, 0);
    atomic_store(&left, 0);
    prepare(&scenes[0], a, true);
    prepare(&scenes[1], b, false);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(thread_start(&threads[i], run, &scenes[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        struct scene *scene = &scenes[i];
        CHECK_EQUAL(thread_join(&threads[i]), 0);
        CHECK_EQUAL(scene->error, 0);
        CHECK(scene->completed);
        CHECK_EQUAL(atomic_load(&scene->asked), PAGES);
        CHECK_EQUAL(atomic_load(&scene->foreign), 0);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(vm_release(scenes[i].base, PAGES * scenes[i].page), 0);
}

int main(void)
{
    for (const struct kind *a = trap_kinds; a->name != NULL; a++)
        for (const struct kind *b = trap_kinds; b->name != NULL; b++)
            for (int repeat = 0; repeat < 50; repeat++)
                check_traps((enum trap_kind)a->value, (enum trap_kind)b->value);
    return check_result();
}
