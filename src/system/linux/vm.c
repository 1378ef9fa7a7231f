/* Virtual memory on Linux: private anonymous mappings, committed by mprotect. */
#define _GNU_SOURCE
#include "system/vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* linux/mman.h of 6.13; older headers lack them. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

const struct kind vm_pages_kinds[] = {
    {"small", VM_PAGES_SMALL},
    {"thp", VM_PAGES_THP},
    {NULL, 0},
};
static enum vm_pages chosen_pages = VM_PAGES_SMALL;

const struct kind vm_commit_kinds[] = {{"mprotect", 0}, {NULL, 0}};

size_t vm_page_bytes(void)
{
    static size_t page_bytes;
    if (page_bytes == 0)
        page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    return page_bytes;
}

/* Small pages by a switch of the process, so that a cycle holds only the calls that a program
 * makes: MADV_NOHUGEPAGE would add one to each reservation (prctl(2), PR_SET_THP_DISABLE). */
static int forbid_huge_pages(bool forbid)
{
    return prctl(PR_SET_THP_DISABLE, forbid, 0, 0, 0) == 0 ? 0 : errno;
}

int vm_choose_pages(enum vm_pages pages)
{
    chosen_pages = pages;
    return forbid_huge_pages(pages == VM_PAGES_SMALL);
}

const char *vm_pages_unsupported(void)
{
    char setting[64];
    if (chosen_pages == VM_PAGES_SMALL)
        return NULL;
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
    if (file == NULL)
        return "this kernel has no transparent huge pages";
    size_t length = fread(setting, 1, sizeof setting - 1, file);
    fclose(file);
    setting[length] = '\0';
    return strstr(setting, "[never]") != NULL ? "transparent huge pages are set to never" : NULL;
}

static int map(size_t size, int protection, void **base)
{
    void *address = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED)
        return errno;
    if (chosen_pages == VM_PAGES_THP && madvise(address, size, MADV_HUGEPAGE) != 0) {
        int error = errno;
        munmap(address, size);
        return error;
    }
    *base = address;
    return 0;
}

/* Without MAP_NORESERVE: with it the later mprotect would never be charged
 * (Documentation/mm/overcommit-accounting.rst). */
int vm_reserve(size_t size, void **base)
{
    return map(size, PROT_NONE, base);
}

int vm_reserve_committed(size_t size, void **base)
{
    return map(size, PROT_READ | PROT_WRITE, base);
}

int vm_commit(void *address, size_t size)
{
    return mprotect(address, size, PROT_READ | PROT_WRITE) == 0 ? 0 : errno;
}

int vm_release(void *base, size_t size)
{
    return munmap(base, size) == 0 ? 0 : errno;
}

/* Two ways to a guard page. A lightweight guard is a marker in the page table of a committed page
 * (Linux 6.13); before it, the page past the committed end was simply left inaccessible. */
enum guard { GUARD_MADVISE, GUARD_PROT_NONE };
static const char *const guard_names[] = {"madvise", "prot_none"};
const struct kind vm_guard_kinds[] = {
    {"auto", -1}, {"madvise", GUARD_MADVISE}, {"prot_none", GUARD_PROT_NONE}, {NULL, 0}};
static enum guard chosen_guard = GUARD_PROT_NONE;

static bool kernel_has_lightweight_guards(void)
{
    size_t size = vm_page_bytes();
    void *page = NULL;
    if (vm_reserve_committed(size, &page) != 0)
        return false;
    bool has = madvise(page, size, MADV_GUARD_INSTALL) == 0;
    vm_release(page, size);
    return has;
}

bool vm_guard_choose(const char *name)
{
    if (strcmp(name, "auto") == 0)
        chosen_guard = kernel_has_lightweight_guards() ? GUARD_MADVISE : GUARD_PROT_NONE;
    else if (strcmp(name, guard_names[GUARD_MADVISE]) == 0)
        chosen_guard = GUARD_MADVISE;
    else if (strcmp(name, guard_names[GUARD_PROT_NONE]) == 0)
        chosen_guard = GUARD_PROT_NONE;
    else
        return false;
    return true;
}

const char *vm_guard_name(void)
{
    return guard_names[chosen_guard];
}

const char *vm_guard_unsupported(void)
{
    if (chosen_guard == GUARD_MADVISE && !kernel_has_lightweight_guards())
        return "this kernel has no MADV_GUARD_INSTALL (Linux 6.13)";
    return NULL;
}

size_t vm_guard_committed_bytes(void)
{
    return chosen_guard == GUARD_MADVISE ? vm_page_bytes() : 0;
}

int vm_guard_set(void *page)
{
    if (chosen_guard == GUARD_PROT_NONE)
        return 0;
    return madvise(page, vm_page_bytes(), MADV_GUARD_INSTALL) == 0 ? 0 : errno;
}

int vm_guard_clear(void *page)
{
    if (chosen_guard == GUARD_PROT_NONE)
        return 0;
    return madvise(page, vm_page_bytes(), MADV_GUARD_REMOVE) == 0 ? 0 : errno;
}

/* In huge pages where they can be had: that is several times faster, and what it frees is what the
 * kernel hands out next. */
void vm_warm(size_t size)
{
    size_t page = vm_page_bytes();
    unsigned char *base =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return;
    forbid_huge_pages(false);
    madvise(base, size, MADV_HUGEPAGE);
    for (size_t offset = 0; offset < size; offset += page)
        *(volatile unsigned char *)(base + offset) = 1;
    munmap(base, size);
    forbid_huge_pages(chosen_pages == VM_PAGES_SMALL);
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
