/* The same answers as memory_find and memory_touched from /proc/TID/maps and pagemap read as they
 * always could be, for kernels that lack the queries. Slower by what is listed in vain; and a page
 * that was read and never written (the zero page) can't be told from a touched one. Return 0 or
 * errno. `path`, unless it is NULL, gets the path of its file, as long as one of memory_code. */
#ifndef LISTING_H
#define LISTING_H

#include <stdint.h>

#include "memory.h"

int listing_find(int maps, uint64_t address, struct mapping *mapping, char *path);
int listing_touched(int maps, int pages, uint64_t start, uint64_t end, uint64_t most,
                    struct runs *runs);

#endif
