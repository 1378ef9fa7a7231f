/* What the kernel knows and the headers of older distributions lack: advice for madvise(2), and two
 * questions by ioctl(2) about a process's memory. */
#ifndef UAPI_H
#define UAPI_H

#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#ifndef MADV_COLD /* Linux 5.4 */
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ /* 5.14 */
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED /* 5.18 */
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_GUARD_INSTALL /* 6.13 */
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

/* Of /proc/PID/pagemap, PAGEMAP_SCAN, Linux 6.7 (Documentation/admin-guide/mm/pagemap.rst): runs of
 * pages alike in what is asked for. A category that the kernel does not know is refused by EINVAL.
 */
struct uapi_run {
    uint64_t start, end, categories;
};

struct uapi_scan {
    uint64_t size, flags, start, end, walk_end, runs, run_count, most_pages;
    uint64_t inverted, all_of, any_of, returned; /* categories */
};

enum {
    UAPI_FILE = 1 << 2,
    UAPI_PRESENT = 1 << 3,
    UAPI_SWAPPED = 1 << 4,
    UAPI_ZERO_PAGE = 1 << 5,
    UAPI_GUARD = 1 << 8, /* 6.15 */
};

#define UAPI_SCAN _IOWR('f', 16, struct uapi_scan)

/* Of /proc/PID/maps, PROCMAP_QUERY, Linux 6.11 (Documentation/filesystems/proc.rst): the mapping at
 * an address. */
struct uapi_query {
    uint64_t size, query_flags, query_addr;
    uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
    uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
    uint64_t vma_name_addr, build_id_addr;
};

enum { UAPI_COVERING_OR_NEXT = 0x10 };

#define UAPI_QUERY _IOWR('f', 17, struct uapi_query)

#endif
