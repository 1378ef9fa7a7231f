/* Accesses that a workload's handler must not answer, under that workload's trap: they must end the
 * process as if there were none.
 *
 * usage: stray list|buffer CASE TRAP; the cases are below. Prints a line where the process lives.
 */
#include <stdio.h>
#include <string.h>

#include "nodes.h"
#include "ring.h"
#include "system/vm.h"

struct scene {
    struct nodes nodes;
    struct ring ring;
    unsigned char *wanted;
};

static void access_it(void *context)
{
    *(volatile unsigned char *)((struct scene *)context)->wanted = 1;
}

static enum trap_answer answer_list(void *context, const void *address)
{
    return nodes_answer(&((struct scene *)context)->nodes, address);
}

static enum trap_answer answer_buffer(void *context, const void *address)
{
    return ring_answer(&((struct scene *)context)->ring, address);
}

/* A page is committed, so that the second is the list's next. */
static bool set_list(struct scene *scene, const char *name)
{
    size_t page = vm_page_bytes();
    struct configuration range = configuration_make(64 * page, page);
    if (nodes_make(&scene->nodes, NODES_CHECK, 64, &range) != 0 ||
        nodes_append(&scene->nodes, 1) != 0)
        return false;
    unsigned char *base = scene->nodes.region.base;
    if (strcmp(name, "next") == 0)
        scene->wanted = base + page; /* the control: this is mended */
    else if (strcmp(name, "jump") == 0)
        scene->wanted = base + 2 * page;
    else if (strcmp(name, "wild") != 0)
        return false;
    return true;
}

/* A page that is reserved beside it stands for any that is not the ring's. */
static bool set_buffer(struct scene *scene, const char *name)
{
    size_t page = vm_page_bytes();
    struct ring_limits limits = {.size = 8 * page, .high = 4 * page, .low = page};
    void *other;
    if (ring_make(&scene->ring, RING_PROTECT, GUARD_AUTO, &limits) != 0)
        return false;
    unsigned char *mark = ring_at(&scene->ring, scene->ring.mark);
    if (strcmp(name, "mark") == 0)
        scene->wanted = mark; /* the control */
    else if (strcmp(name, "above") == 0) {
        scene->ring.mark -= page; /* then the page above it is not its own */
        scene->wanted = mark;
    } else if (strcmp(name, "other") == 0 && vm_reserve(page, VM_PAGES_SMALL, &other) == 0)
        scene->wanted = other;
    else if (strcmp(name, "wild") != 0)
        return false;
    return true;
}

int main(int argc, char **argv)
{
    static struct scene scene;
    int trap;
    bool completed;
    if (argc != 4 || !kind_find(trap_kinds, argv[3], &trap) || vm_use_pages(VM_PAGES_SMALL) != 0)
        return 2;
    bool list = strcmp(argv[1], "list") == 0;
    if (!(list ? set_list(&scene, argv[2]) : set_buffer(&scene, argv[2])))
        return 2;
    int error = trap_run((enum trap_kind)trap, access_it, list ? answer_list : answer_buffer,
                         &scene, &completed);
    printf("lives on\n");
    return error == 0 && completed ? 0 : 1;
}
