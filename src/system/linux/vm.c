/* Virtual memory on Linux: private anonymous mappings. */
#define _GNU_SOURCE
#include "system/vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "system/linux/mapping.h"

size_t vm_page_bytes(void)
{
    static size_t page_bytes;
    if (page_bytes == 0)
        page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    return page_bytes;
}

/* Small pages by a switch of the process, so that a cycle holds only the calls that a program
 * makes: MADV_NOHUGEPAGE would add one to each reservation (prctl(2), PR_SET_THP_DISABLE). */
int vm_use_pages(enum vm_pages pages)
{
    return prctl(PR_SET_THP_DISABLE, !mapping_invites(pages), 0, 0, 0) == 0 ? 0 : errno;
}

/* Without MAP_NORESERVE: with it the later mprotect would never be charged
 * (Documentation/mm/overcommit-accounting.rst). */
int vm_reserve(size_t size, enum vm_pages pages, void **base)
{
    return mapping_make(NULL, size, PROT_NONE, 0, pages, base);
}

int vm_reserve_committed(size_t size, enum vm_pages pages, void **base)
{
    return mapping_make(NULL, size, PROT_READ | PROT_WRITE, 0, pages, base);
}

int vm_release(void *base, size_t size)
{
    return munmap(base, size) == 0 ? 0 : errno;
}

static char *map_filler(char *at, size_t size)
{
    char *filler =
        mmap(at, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    return filler != MAP_FAILED ? filler : NULL;
}

static unsigned log2_of(size_t number)
{
    unsigned bits = 0;
    while (number >>= 1)
        bits++;
    return bits;
}

/* A page of page tables has entries of 8 bytes: of 4 KiB, one of the lowest level maps 2 MiB and
 * one of the next 1 GiB. It goes when the last mapping in there does. New mappings end where the
 * lowest hole that holds them ends (mmap(2) tells nothing of this; mm/mmap.c, vm_unmapped_area,
 * does), so that hole's end is filled up to such a border. If that is a border of the next level
 * too, a page below it is read, so that there is a page of that level, and the region lies below
 * that. The filler is private and can't be written to, which is neither charged nor merged with a
 * reservation. */
void vm_place(size_t size, unsigned levels)
{
    enum { TRIES = 1000 };
    const unsigned level_bits = log2_of(vm_page_bytes() / sizeof(uint64_t));
    const uint64_t table = (uint64_t)vm_page_bytes() << (level_bits * levels);
    for (int i = 0; i < TRIES; i++) {
        char *base = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED)
            return;
        munmap(base, size);
        uint64_t end = (uintptr_t)base + size;
        bool lonely = end % (table << level_bits) == 0;
        uint64_t beyond = lonely ? table : end % table;
        if (beyond == 0)
            return;
        char *filler = map_filler(base + size - beyond, (size_t)beyond);
        if (filler == NULL && map_filler(base, size) == NULL)
            return;
        if (filler != NULL && lonely)
            (void)*(volatile char *)filler;
    }
}

/* In huge pages where they can be had: that is several times faster, and what it frees is what the
 * kernel hands out next. */
void vm_warm(size_t size, enum vm_pages pages)
{
    size_t page = vm_page_bytes();
    unsigned char *base =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return;
    vm_use_pages(VM_PAGES_THP);
    madvise(base, size, MADV_HUGEPAGE);
    for (size_t offset = 0; offset < size; offset += page)
        *(volatile unsigned char *)(base + offset) = 1;
    munmap(base, size);
    vm_use_pages(pages);
}

/* ENOMEM: the commit limit, RLIMIT_DATA, RLIMIT_AS or vm.max_map_count (mprotect(2), mmap(2)). */
bool vm_is_refusal(int error)
{
    return error == ENOMEM || error == EAGAIN;
}

int vm_out_of_memory(void)
{
    return ENOMEM;
}

/* Other mappings of the process count too, so the region's own may stay a little below the limit
 * (Documentation/admin-guide/sysctl/vm.rst). */
const char *vm_refusal_cause(int error, uint64_t region_count)
{
    enum { OTHERS = 200 };
    unsigned long long limit = 0;
    char text[32] = "";
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    if (file == NULL)
        return NULL;
    if (fgets(text, sizeof text, file) != NULL)
        limit = strtoull(text, NULL, 10);
    fclose(file);
    return error == ENOMEM && limit > 0 && region_count + OTHERS >= limit
               ? "vm.max_map_count mappings are reached"
               : NULL;
}

void vm_error_text(int error, char *text, size_t size)
{
    snprintf(text, size, "%s", strerror(error));
}
