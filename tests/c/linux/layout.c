/* Makes a region of every state at known places, and holds them until standard input ends, so that
 * walk can be asked about them. Between two of them lies a page that is free.
 *
 * usage: layout FILE, of at least two pages; prints the address from which the test counts pages,
 * and whether this kernel has guards. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "system/vm.h"

enum { PAGES = 96, GUARD_INSTALL = 102, GUARD_REMOVE = 103 }; /* madvise(2), Linux 6.13 */

static unsigned char *base;
static size_t page;

static void check(int failed, const char *what)
{
    if (failed) {
        perror(what);
        exit(1);
    }
}

/* Maps pages [at, at + count); touches the first `touched` of them. */
static void map(size_t at, size_t count, int protection, int flags, int file, size_t touched)
{
    void *start = mmap(base + at * page, count * page, protection, flags | MAP_FIXED, file, 0);
    check(start == MAP_FAILED, "mmap");
    for (size_t i = 0; i < touched; i++)
        ((volatile unsigned char *)start)[i * page] = 1;
}

static void protect(size_t at, size_t count, int protection)
{
    check(mprotect(base + at * page, count * page, protection) != 0, "mprotect");
}

static int advise(size_t at, size_t count, int advice)
{
    return madvise(base + at * page, count * page, advice);
}

static void map_private(void)
{
    int anonymous = MAP_PRIVATE | MAP_ANONYMOUS, usable = PROT_READ | PROT_WRITE;
    map(1, 3, PROT_NONE, anonymous, -1, 0);
    map(5, 8, usable, anonymous, -1, 3);
    map(14, 8, usable, anonymous, -1, 5);
    protect(14, 8, PROT_NONE);
    map(23, 4, usable, anonymous, -1, 0);
    protect(23, 4, PROT_READ);
    map(28, 6, usable, anonymous | MAP_NORESERVE, -1, 2);
    map(60, 2, usable, anonymous | MAP_GROWSDOWN, -1, 2);
}

static void map_files(int file)
{
    map(35, 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 1);
    map(63, 2, PROT_READ, MAP_PRIVATE, file, 0);
    map(66, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    map(69, 1, PROT_READ, MAP_SHARED, file, 0);
    map(71, 2, PROT_NONE, MAP_PRIVATE, file, 0);
}

/* All sixteen pages are touched; a guard takes what its page held. The guard on the last of them is
 * taken away again. */
static int map_guards(void)
{
    map(40, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 16);
    if (advise(44, 1, GUARD_INSTALL) != 0)
        return 0;
    advise(48, 1, GUARD_INSTALL);
    advise(49, 1, GUARD_INSTALL);
    advise(55, 1, GUARD_INSTALL);
    advise(55, 1, GUARD_REMOVE);
    map(75, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    advise(77, 1, GUARD_INSTALL);
    advise(80, 1, GUARD_INSTALL);
    map(57, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    advise(57, 2, GUARD_INSTALL);
    return 1;
}

int main(int argc, char **argv)
{
    int file = argc == 2 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    page = vm_page_bytes();
    check(file < 0 || vm_use_pages(VM_PAGES_SMALL) != 0, "layout FILE");
    base = mmap(NULL, PAGES * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(base == MAP_FAILED || munmap(base, PAGES * page) != 0, "mmap");
    map_private();
    map_files(file);
    int guards = map_guards();
    printf("%" PRIuPTR " %d\n", (uintptr_t)base, guards);
    fflush(stdout);
    return getchar() == EOF ? 0 : 1;
}
