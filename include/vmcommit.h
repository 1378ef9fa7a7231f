/* What a shared library defines to be measured by `custom`, next to vmcommit's own strategies:
 *
 *     custom --library ./mine.so --size 4K..1G*4 --chunk 64K,1M
 *
 * Each function returns 0, or the system's own error code (errno, GetLastError); a code by which
 * the system refuses memory (ENOMEM) makes a row `refused`, any other ends the run. The timed
 * windows hold one call of reserve, calls of ensure and one of release, and nothing else of ours.
 */
#ifndef VMCOMMIT_H
#define VMCOMMIT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Gets a range of `size` bytes, whole pages, that starts on a page; it need not be usable yet. */
int vmcommit_reserve(size_t size, void **base);

/* Makes [base + from, base + to) readable and writable. Called before the first write beyond what
 * was ensured, by steps of --chunk: `from` is where the last call ended, `to` at most the size. */
int vmcommit_ensure(void *base, size_t from, size_t to);

/* Gives the whole range back. */
int vmcommit_release(void *base, size_t size);

#ifdef __cplusplus
}
#endif

#endif
