/* mremap and MAP_GROWSDOWN. Room for what will grow is looked for by mapping and unmapping it. */
#define _GNU_SOURCE
#include "system/linux/grow.h"

#include <errno.h>
#include <sys/mman.h>

#include "system/vm.h"

/* Between a stack and an accessible mapping below it the kernel keeps as many pages free
 * (Documentation/admin-guide/kernel-parameters.txt, stack_guard_gap). */
enum { GAP_PAGES = 256 };

static int find_room(size_t size, char **base)
{
    void *room = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return errno;
    *base = room;
    return munmap(room, size) == 0 ? 0 : errno;
}

static int map_at(char *at, size_t size, int flags)
{
    void *mapped = mmap(at, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | flags, -1, 0);
    return mapped != MAP_FAILED ? 0 : errno;
}

int grow_map(size_t first, size_t size, void **base)
{
    char *room = NULL;
    int error = find_room(size, &room);
    if (error == 0)
        error = map_at(room, first, 0);
    *base = error == 0 ? room : NULL;
    return error;
}

int grow_in_place(void *base, size_t size, size_t larger)
{
    return mremap(base, size, larger, 0) != MAP_FAILED ? 0 : errno;
}

int grow_and_move(void *base, size_t size, size_t larger, void *target)
{
    void *moved = mremap(base, size, larger, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    return moved != MAP_FAILED ? 0 : errno;
}

int grow_map_stack(size_t size, void **base)
{
    size_t page = vm_page_bytes(), gap = GAP_PAGES * page;
    char *room = NULL;
    int error = find_room(gap + size, &room);
    if (error == 0)
        error = map_at(room + gap + size - page, page, MAP_GROWSDOWN);
    *base = error == 0 ? room + gap : NULL;
    return error;
}
