/* Copies of this process, each of which runs one function and ends with it. Systems without fork
 * have none. */
#ifndef COPIES_H
#define COPIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why this system has none, or NULL. */
const char *copies_unsupported(void);

/* Memory of zeros that a process and its copies see alike; NULL without. */
void *copies_share(size_t size);
void copies_unshare(void *shared, size_t size);

/* Starts a copy that runs body(context); waits for its end, and ends as it did where a signal ended
 * it. Return 0 or the system's error code. */
int copies_start(intptr_t *copy, void (*body)(void *context), void *context);
int copies_join(intptr_t copy);

/* True if it has ended; it is waited for by copies_join all the same. */
bool copies_ended(intptr_t copy);

#endif
