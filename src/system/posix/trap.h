/* What else the trap offers where faults may reach a process in other ways than by a signal. */
#ifndef POSIX_TRAP_H
#define POSIX_TRAP_H

#include "system/trap.h"

/* Puts a fault to the handler of the TRAP_THREAD that runs, for a thread that learned of it.
 * TRAP_FOREIGN if there is none. */
enum trap_answer trap_put(const void *address);

#endif
