/* What the suite asks of an operating system's virtual memory. One folder a system answers the
 * headers here; nothing in vm, commit and guard measures or counts.
 *
 * Every function that returns int returns 0, or the system's own error code (errno, GetLastError).
 * Addresses and sizes are whole pages. */
#ifndef VM_H
#define VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/kind.h"

/* Bytes in a base page, a power of two. */
size_t vm_page_bytes(void);

/* How the pages of a reservation are sized. Small: the system's base page only. THP: transparent
 * huge pages invited; THP_64K: those of 64 KiB, and none larger (Linux 6.8). Huge: from a pool that
 * is set aside for them (hugetlb; MEM_LARGE_PAGES on Windows). No function here changes a setting
 * of the system. Libraries and allocators map their memory themselves: the system may make theirs
 * of transparent huge pages, but not of those in a pool. */
enum vm_pages { VM_PAGES_SMALL, VM_PAGES_THP, VM_PAGES_THP_64K, VM_PAGES_HUGE };
extern const struct kind vm_pages_kinds[];
extern const struct kind vm_others_pages_kinds[];
extern const struct kind vm_small_pages_kinds[];

/* Why such pages can't be had on this machine; NULL when they can. */
const char *vm_pages_unsupported(enum vm_pages pages);

/* Bytes that reservations of such pages, and what is committed of them, are multiples of. */
size_t vm_pages_unit(enum vm_pages pages);

/* Why such pages can't be reserved first and committed later; NULL when they can. */
const char *vm_pages_unreservable(enum vm_pages pages);

/* Lets the process have such pages, and no larger ones. To be called before vm_reserve. */
int vm_use_pages(enum vm_pages pages);

/* Address space only: inaccessible, and nothing is charged. */
int vm_reserve(size_t size, enum vm_pages pages, void **base);

/* Address space and commit in one call: readable, writable and charged from the start. */
int vm_reserve_committed(size_t size, enum vm_pages pages, void **base);

/* Gives back a whole reservation, whatever the state of its pages. */
int vm_release(void *base, size_t size);

/* Touches and releases `size` bytes, so that the physical memory behind the next cycle has been
 * touched a moment ago; leaves the process with `pages` in use. A hypervisor may take free memory
 * from its guest and give it back a page at a time, which costs several times what is to be
 * measured. Best effort. */
void vm_warm(size_t size, enum vm_pages pages);

/* Lays out the process's address space so that a region of `size` bytes which is reserved next has
 * page tables of its own, as a large reservation has, in as many of the lowest `levels`. Where it
 * lies by chance of a random layout decides otherwise whether a cycle makes and frees one more of
 * them. Best effort. */
void vm_place(size_t size, unsigned levels);

/* True for the codes by which this system says that it will not commit (or reserve) any more; and
 * one of them, for an allocator that gave none. */
bool vm_is_refusal(int error);
int vm_out_of_memory(void);

/* What a refusal is due to, where that is known: `region_count` is how many regions the system kept
 * when it refused. NULL where it isn't. */
const char *vm_refusal_cause(int error, uint64_t region_count);

/* The system's text for one of its error codes. */
void vm_error_text(int error, char *text, size_t size);

#endif
