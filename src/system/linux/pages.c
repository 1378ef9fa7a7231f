/* Which sizes of pages this machine's settings allow. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/vm.h"

#define THP_FOLDER "/sys/kernel/mm/transparent_hugepage/"

/* False if there is no such file; else its first line is in `text`. */
static bool read_setting(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t length = fread(text, 1, size - 1, file);
    fclose(file);
    text[length] = '\0';
    return true;
}

static const char *thp_unsupported(void)
{
    char setting[64];
    if (!read_setting(THP_FOLDER "enabled", setting, sizeof setting))
        return "this kernel has no transparent huge pages";
    return strstr(setting, "[never]") != NULL ? "transparent huge pages are set to never" : NULL;
}

/* Each size has a file of its own, which may leave the choice to the one for all
 * (Documentation/admin-guide/mm/transhuge.rst). */
static bool may_have_thp(unsigned kib)
{
    char path[128], setting[64];
    snprintf(path, sizeof path, THP_FOLDER "hugepages-%ukB/enabled", kib);
    if (!read_setting(path, setting, sizeof setting) || strstr(setting, "[never]") != NULL)
        return false;
    return strstr(setting, "[inherit]") == NULL || thp_unsupported() == NULL;
}

static const char *thp_64k_unsupported(void)
{
    enum { WANTED_KIB = 64, LARGEST_KIB = 512 * 1024 };
    if (!may_have_thp(WANTED_KIB))
        return "transparent huge pages of 64 KiB are not enabled (hugepages-64kB/enabled)";
    for (unsigned kib = 2 * WANTED_KIB; kib <= LARGEST_KIB; kib *= 2)
        if (may_have_thp(kib))
            return "transparent huge pages larger than 64 KiB are enabled too";
    return NULL;
}

static unsigned long long read_number(const char *path)
{
    char text[32] = "";
    return read_setting(path, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
}

/* The pool holds what is set aside, and what may be added to it when it is asked for
 * (Documentation/admin-guide/mm/hugetlbpage.rst). */
static const char *huge_unsupported(void)
{
    unsigned long long pages = read_number("/proc/sys/vm/nr_hugepages") +
                               read_number("/proc/sys/vm/nr_overcommit_hugepages");
    return pages == 0 ? "the pool of huge pages is empty (vm.nr_hugepages)" : NULL;
}

const char *vm_pages_unsupported(enum vm_pages pages)
{
    switch (pages) {
    case VM_PAGES_SMALL: break;
    case VM_PAGES_THP: return thp_unsupported();
    case VM_PAGES_THP_64K: return thp_64k_unsupported();
    case VM_PAGES_HUGE: return huge_unsupported();
    }
    return NULL;
}

static size_t huge_page_bytes(void)
{
    char line[128];
    size_t kib = 0;
    FILE *file = fopen("/proc/meminfo", "re");
    if (file == NULL)
        return vm_page_bytes();
    while (kib == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "Hugepagesize:", 13) == 0)
            kib = (size_t)strtoull(line + 13, NULL, 10);
    fclose(file);
    return kib > 0 ? kib * 1024 : vm_page_bytes();
}

size_t vm_pages_unit(enum vm_pages pages)
{
    return pages == VM_PAGES_HUGE ? huge_page_bytes() : vm_page_bytes();
}

const char *vm_pages_unreservable(enum vm_pages pages)
{
    (void)pages;
    return NULL;
}
