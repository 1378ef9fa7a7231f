/* What the suite asks of an operating system's virtual memory. One folder per system answers this
 * header; nothing here measures or counts.
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

/* How the pages of later reservations are sized: the system's base page only, or transparent huge
 * pages invited. Applies to the whole process. */
enum vm_pages { VM_PAGES_SMALL, VM_PAGES_THP };
extern const struct kind vm_pages_kinds[];
int vm_choose_pages(enum vm_pages pages);

/* Why the chosen pages can't be had on this machine; NULL when they can. */
const char *vm_pages_unsupported(void);

/* Address space only: inaccessible, and nothing is charged. */
int vm_reserve(size_t size, void **base);

/* Address space and commit in one call: readable, writable and charged from the start. */
int vm_reserve_committed(size_t size, void **base);

/* How that is done. */
extern const struct kind vm_commit_kinds[];

/* Makes part of a reservation readable and writable, and charges it. Committing twice succeeds.
 * Async-signal-safe. A refusal leaves the reservation as it was. */
int vm_commit(void *address, size_t size);

/* Gives back a whole reservation, whatever the state of its pages. */
int vm_release(void *base, size_t size);

/* A guard page: the next access to it faults. There may be several ways to one, each with a name;
 * "auto" is the best that the running system has. Choose before setting a guard: false if `name`
 * is none of vm_guard_kinds. */
extern const struct kind vm_guard_kinds[];
bool vm_guard_choose(const char *name);

/* The chosen way, never "auto"; and why this machine can't do it, or NULL. */
const char *vm_guard_name(void);
const char *vm_guard_unsupported(void);

/* Bytes of the guard page that must be committed before vm_guard_set: a page, or 0 where any
 * uncommitted page already is a guard. */
size_t vm_guard_committed_bytes(void);

/* Sets a guard on one page; clears it after a hit. Async-signal-safe. */
int vm_guard_set(void *page);
int vm_guard_clear(void *page);

/* Touches and releases `size` bytes, so that the physical memory behind the next cycle has been
 * touched a moment ago. A hypervisor may take free memory from its guest and give it back a page
 * at a time, which costs several times what is to be measured. Best effort. */
void vm_warm(size_t size);

/* True for the codes by which this system says that it will not commit (or reserve) any more; and
 * one of them, for an allocator that gave none. */
bool vm_is_refusal(int error);
int vm_out_of_memory(void);

/* What a refusal is owed to, if that can be told: `region_count` is how many regions the system
 * kept when it refused. NULL if it can't. */
const char *vm_refusal_cause(int error, uint64_t region_count);

/* The system's text for one of its error codes. */
void vm_error_text(int error, char *text, size_t size);

#endif
