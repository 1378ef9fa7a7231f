/* What POSIX does not say of threads: their numbers and processors on Linux. */
#define _GNU_SOURCE
#include "system/thread.h"

#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(cpu_set_t) == sizeof(struct thread_places), "the kernel's own bits");

unsigned thread_number(void)
{
    return (unsigned)syscall(SYS_gettid);
}

/* No signal is sent: tgkill(2). After fork(2) the child has its own number, and none of the others.
 */
bool thread_lives(unsigned number)
{
    return syscall(SYS_tgkill, getpid(), (pid_t)number, 0) == 0;
}

void thread_read_places(struct thread_places *places)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    memcpy(places, &set, sizeof set);
}

void thread_allow(const struct thread_places *places)
{
    sched_setaffinity(0, sizeof *places, (const cpu_set_t *)(const void *)places);
}
