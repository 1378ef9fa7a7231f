#define _GNU_SOURCE
#include "calls.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "system/linux/uapi.h"
#include "system/vm.h"

#define HUGETLBFS 0x958458f6u /* statfs(2) */

enum {
    NUMBER_CLONE3 = 435, /* these have one number on all architectures */
    NUMBER_PROCESS_MADVISE = 440,
    NUMBER_PROCESS_MRELEASE = 448,
    NUMBER_MAP_SHADOW_STACK = 453,
    NUMBER_MSEAL = 462,
    REMAP_KEEPS = 4, /* MREMAP_DONTUNMAP, Linux 5.7 */
};

const struct call calls[] = {
    {SYS_mmap, "mmap", CALL_MMAP, 6},
    {SYS_munmap, "munmap", CALL_MUNMAP, 2},
    {SYS_mprotect, "mprotect", CALL_MPROTECT, 3},
    {SYS_pkey_mprotect, "pkey_mprotect", CALL_MPROTECT, 4},
    {SYS_brk, "brk", CALL_BRK, 1},
    {SYS_mremap, "mremap", CALL_MREMAP, 5},
    {SYS_madvise, "madvise", CALL_MADVISE, 3},
    {SYS_shmat, "shmat", CALL_SHMAT, 3},
    {SYS_shmdt, "shmdt", CALL_SHMDT, 1},
    {SYS_io_setup, "io_setup", CALL_AIO_MAKE, 2},
    {SYS_io_destroy, "io_destroy", CALL_AIO_END, 1},
    {NUMBER_MAP_SHADOW_STACK, "map_shadow_stack", CALL_SHADOW_STACK, 3},
    {SYS_mlock, "mlock", CALL_LOCK, 2},
    {SYS_mlock2, "mlock2", CALL_LOCK, 3},
    {SYS_munlock, "munlock", CALL_LOCK, 2},
    {SYS_mlockall, "mlockall", CALL_OTHER, 1},
    {SYS_munlockall, "munlockall", CALL_OTHER, 0},
    {SYS_remap_file_pages, "remap_file_pages", CALL_OTHER, 5},
    {NUMBER_PROCESS_MADVISE, "process_madvise", CALL_OTHER, 5},
    {NUMBER_PROCESS_MRELEASE, "process_mrelease", CALL_OTHER, 2},
    {NUMBER_MSEAL, "mseal", CALL_OTHER, 3},
#ifdef SYS_fork /* older architectures alone have these */
    {SYS_fork, "fork", CALL_FORK, 0},
    {SYS_vfork, "vfork", CALL_VFORK, 0},
#endif
    {SYS_clone, "clone", CALL_CLONE, 1},
    {NUMBER_CLONE3, "clone3", CALL_CLONE3, 2},
    {SYS_ptrace, "ptrace", CALL_TRACE, 2},
    {SYS_seccomp, "seccomp", CALL_FILTER, 1},
};
const size_t call_count = sizeof calls / sizeof *calls;

const struct call *calls_find(uint64_t number)
{
    for (size_t i = 0; i < call_count; i++)
        if ((uint64_t)calls[i].number == number)
            return &calls[i];
    return NULL;
}

bool call_makes_task(const struct call *call)
{
    return call->kind >= CALL_FORK && call->kind <= CALL_CLONE3;
}

bool call_grows(const struct task *task)
{
    const uint64_t *a = task->arguments;
    switch (task->call->kind) {
    case CALL_MMAP: return true;
    case CALL_MPROTECT: return (a[2] & PROT_WRITE) != 0;
    case CALL_BRK: return a[0] > task->space->brk;
    case CALL_MREMAP: return a[2] > a[1];
    default: return false;
    }
}

static uint64_t read_word(pid_t tid, uint64_t address)
{
    uint64_t word = 0;
    struct iovec here = {&word, sizeof word}, there = {(void *)(uintptr_t)address, sizeof word};
    return process_vm_readv(tid, &here, 1, &there, 1, 0) == sizeof word ? word : 0;
}

uint64_t call_clone_flags(const struct task *task)
{
    switch (task->call->kind) {
    case CALL_VFORK: return CLONE_VM | CLONE_VFORK;
    case CALL_CLONE: return task->arguments[0]; /* as on all architectures but s390 and cris */
    case CALL_CLONE3: return read_word(task->tid, task->arguments[0]);
    default: return 0;
    }
}

static bool set_first_argument(pid_t tid, uint64_t value)
{
#if defined __x86_64__
    return ptrace(PTRACE_POKEUSER, tid, offsetof(struct user, regs.rdi), value) == 0;
#else
    (void)tid, (void)value;
    return false;
#endif
}

bool call_set_clone_flags(const struct task *task, uint64_t flags)
{
    uint64_t address = task->arguments[0];
    if (task->call->kind != CALL_CLONE3)
        return set_first_argument(task->tid, flags);
    struct iovec here = {&flags, sizeof flags}, there = {(void *)(uintptr_t)address, sizeof flags};
    return process_vm_writev(task->tid, &here, 1, &there, 1, 0) == sizeof flags;
}

static uint64_t whole_pages(uint64_t bytes)
{
    uint64_t page = vm_page_bytes();
    return (bytes + page - 1) / page * page;
}

struct run call_range(uint64_t start, uint64_t length)
{
    return (struct run){start, start + whole_pages(length)};
}

static bool gives_back(const uint64_t *arguments)
{
    switch (arguments[2]) {
    case MADV_DONTNEED:
    case MADV_REMOVE:
    case MADV_DONTNEED_LOCKED:
    case MADV_GUARD_INSTALL: return true;
    default: return false;
    }
}

/* What a call cuts out of what is mapped or gives back of what was touched; empty if nothing. */
static struct run range_given_back(const struct task *task)
{
    const uint64_t *a = task->arguments;
    switch (task->call->kind) {
    case CALL_MMAP: return (a[3] & MAP_FIXED) != 0 ? call_range(a[0], a[1]) : call_range(0, 0);
    case CALL_MUNMAP:
    case CALL_MREMAP: return call_range(a[0], a[1]);
    case CALL_MADVISE:
        return gives_back(a) || a[2] == MADV_FREE ? call_range(a[0], a[1]) : call_range(0, 0);
    case CALL_BRK:
        return a[0] != 0 && a[0] < task->space->brk
                   ? (struct run){whole_pages(a[0]), whole_pages(task->space->brk)}
                   : call_range(0, 0);
    default: return call_range(0, 0);
    }
}

static void log_touched(struct log *log, const struct space *space, char kind,
                        const struct runs *runs)
{
    if (runs->count == 0)
        return;
    log_add(log, "%c", kind);
    log_add_time(log);
    log_add(log, " %u", space->number);
    log_add_runs(log, runs);
    log_end(log);
}

void call_update_touched(struct log *log, struct space *space, uint64_t start, uint64_t end)
{
    struct runs now = {0}, more = {0}, lost = {0};
    if (memory_touched(&space->memory, start, end, 0, &now) == 0 &&
        runs_minus(&now, start, end, &space->touched, &more) &&
        runs_minus(&space->touched, start, end, &now, &lost)) {
        for (size_t i = 0; i < lost.count; i++)
            runs_remove(&space->touched, lost.items[i].start, lost.items[i].end);
        runs_add(&space->touched, &more);
        log_touched(log, space, 'l', &lost);
        log_touched(log, space, 't', &more);
    }
    runs_free(&now);
    runs_free(&more);
    runs_free(&lost);
}

/* Whether a mapping was ever written to, which no flag tells, decides what becomes of its charge:
 * to know one touched page in it is enough. */
static void find_a_touch(struct space *space, const struct mapping *mapping, struct runs *pages)
{
    if (!runs_meet(&space->touched, mapping->start, mapping->end))
        memory_touched(&space->memory, mapping->start, mapping->end, 1, pages);
}

/* Logs the bounds of the mappings in a range: of those that reach beyond it, or of all. */
static void log_bounds(struct log *log, struct task *task, struct run run, bool all)
{
    struct space *space = task->space;
    struct mapping mapping;
    struct runs pages = {0};
    uint64_t at = run.start;
    log_add(log, "v %u %d", space->number, (int)task->tid);
    size_t empty = log->length;
    while (at < run.end && memory_find(&space->memory, at, &mapping) == 0 &&
           mapping.start < run.end) {
        at = all || mapping.end >= run.end ? mapping.end : run.end - 1;
        if (!all && mapping.start >= run.start && mapping.end <= run.end)
            continue;
        log_add(log, " %" PRIx64 "-%" PRIx64, mapping.start, mapping.end);
        find_a_touch(space, &mapping, &pages);
    }
    if (log->length > empty)
        log_end(log);
    log->length = 0;
    runs_add(&space->touched, &pages);
    log_touched(log, space, 't', &pages);
    runs_free(&pages);
}

/* What shmdt and io_destroy unmap: every mapping of the file that is mapped at `address`, as far
 * from there as it is into the file (ipc/shm.c, ksys_shmdt). Parts of it may be gone. */
static void log_segment(struct log *log, const struct task *task, uint64_t address)
{
    struct mapping mapping, first = {0};
    log_add(log, "v %u %d", task->space->number, (int)task->tid);
    for (uint64_t at = address; memory_find(&task->space->memory, at, &mapping) == 0;
         at = mapping.end) {
        if ((mapping.access & MAPPING_SHARED) == 0 || mapping.start - address != mapping.offset)
            continue;
        if (first.end == 0)
            first = mapping;
        if (mapping.inode == first.inode && mapping.device == first.device)
            log_add(log, " %" PRIx64 "-%" PRIx64, mapping.start, mapping.end);
    }
    log_end(log);
}

/* The stack grows without a call: seen where its pointer lies below its start. */
static void look_at_stack(struct log *log, struct space *space, uint64_t pointer)
{
    struct mapping stack;
    if (pointer >= space->stack.start || pointer + ((uint64_t)1 << 32) < space->stack.start ||
        memory_find(&space->memory, pointer, &stack) != 0 || stack.end != space->stack.end)
        return;
    space->stack.start = stack.start;
    log_add(log, "g");
    log_add_time(log);
    log_add(log, " %u %" PRIx64 "-%" PRIx64, space->number, stack.start, stack.end);
    log_end(log);
}

/* Advice that becomes a flag of mappings, and so may split them (mm/madvise.c). */
static bool splits(const uint64_t *arguments)
{
    switch (arguments[2]) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_MERGEABLE:
    case MADV_UNMERGEABLE:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK: return true;
    default: return false;
    }
}

/* Where a mapping is split, both parts remember that it was written to, and one of them may hold
 * the only page that shows it. */
static void enter_split(struct log *log, struct task *task, bool scan)
{
    const uint64_t *a = task->arguments;
    struct run run = call_range(a[0], a[1]);
    switch (task->call->kind) {
    case CALL_MPROTECT: log_bounds(log, task, run, (a[2] & PROT_WRITE) == 0); break;
    case CALL_LOCK: log_bounds(log, task, run, false); break;
    case CALL_MADVISE:
        if (splits(a) || !scan)
            log_bounds(log, task, run, !splits(a));
        break;
    case CALL_MREMAP:
        log_bounds(log, task, run, (a[3] & REMAP_KEEPS) != 0);
        if ((a[3] & MREMAP_FIXED) != 0)
            log_bounds(log, task, call_range(a[4], a[2]), false);
        break;
    default: log_bounds(log, task, range_given_back(task), false); break;
    }
}

void call_enter(struct log *log, struct task *task, uint64_t stack_pointer, bool scan)
{
    const uint64_t *a = task->arguments;
    struct run run = range_given_back(task);
    look_at_stack(log, task->space, stack_pointer);
    if (task->call->kind == CALL_SHMDT || task->call->kind == CALL_AIO_END) {
        log_segment(log, task, a[0]);
        return;
    }
    enter_split(log, task, scan);
    if (task->call->kind == CALL_MPROTECT && a[2] == PROT_NONE)
        run = call_range(a[0], a[1]);
    if (scan && run.start < run.end)
        call_update_touched(log, task->space, run.start, run.end);
}

/* What is mapped in a range after a call that failed half-way, with its access. */
static void log_mapped(struct log *log, const struct task *task, struct run run)
{
    struct mapping mapping;
    log_add(log, "h %u %d %" PRIx64 "-%" PRIx64, task->space->number, (int)task->tid, run.start,
            run.end);
    for (uint64_t at = run.start;
         at < run.end && memory_find(&task->space->memory, at, &mapping) == 0 &&
         mapping.start < run.end;
         at = mapping.end)
        log_add(log, " %" PRIx64 "-%" PRIx64 ":%u", mapping.start, mapping.end, mapping.access);
    log_end(log);
}

/* What may have been done of a call that failed. */
static void look_after_failure(struct log *log, struct task *task)
{
    const uint64_t *a = task->arguments;
    switch (task->call->kind) {
    case CALL_MMAP:
        if ((a[3] & MAP_FIXED) != 0)
            log_mapped(log, task, range_given_back(task));
        break;
    case CALL_MPROTECT: log_mapped(log, task, call_range(a[0], a[1])); break;
    case CALL_MREMAP:
        log_mapped(log, task, call_range(a[0], a[1]));
        if ((a[3] & MREMAP_FIXED) != 0)
            log_mapped(log, task, call_range(a[4], a[2]));
        break;
    default: break;
    }
}

static void remap_touched(struct runs *touched, const uint64_t *a, uint64_t to)
{
    struct run old = call_range(a[0], a[1]), new = call_range(to, a[2]);
    uint64_t kept =
        old.end - old.start < new.end - new.start ? old.end - old.start : new.end - new.start;
    if (to != old.start) {
        runs_remove(touched, new.start, new.end);
        runs_move(touched, old.start, to, kept);
    }
    runs_remove(touched, old.start + kept, old.end);
}

/* Where a call put a mapping whose size its arguments don't tell. */
static void log_new_mapping(struct log *log, const struct task *task, uint64_t address)
{
    struct mapping mapping;
    if (memory_find(&task->space->memory, address, &mapping) != 0 || mapping.start > address)
        return;
    log_add(log, "a %u %d %" PRIx64 "-%" PRIx64 ":%u", task->space->number, (int)task->tid, address,
            mapping.end, mapping.access);
    log_end(log);
}

static void follow(struct log *log, struct task *task, uint64_t result)
{
    struct space *space = task->space;
    struct run run = range_given_back(task);
    switch (task->call->kind) {
    case CALL_MMAP:
        run = call_range(result, task->arguments[1]);
        runs_remove(&space->touched, run.start, run.end);
        break;
    case CALL_MUNMAP: runs_remove(&space->touched, run.start, run.end); break;
    case CALL_MADVISE:
        if (gives_back(task->arguments))
            runs_remove(&space->touched, run.start, run.end);
        break;
    case CALL_BRK:
        if (result < space->brk)
            runs_remove(&space->touched, run.start, run.end);
        space->brk = result;
        break;
    case CALL_MREMAP: remap_touched(&space->touched, task->arguments, result); break;
    case CALL_SHMAT:
    case CALL_SHADOW_STACK: log_new_mapping(log, task, result); break;
    case CALL_AIO_MAKE: log_new_mapping(log, task, read_word(task->tid, task->arguments[1])); break;
    default: break;
    }
}

/* A file that is mapped: "t" if it is made of huge pages and never charged, "z" if it is /dev/zero
 * and its mappings are anonymous (drivers/char/mem.c, mmap_zero), else "-"; and its path. */
static void log_file(struct log *log, const struct task *task)
{
    char link[64], path[4096];
    struct statfs system;
    struct stat file;
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)task->tid, (int)task->arguments[4]);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = '\0';
    bool zero = stat(link, &file) == 0 && S_ISCHR(file.st_mode) && file.st_rdev == makedev(1, 5);
    bool huge = statfs(link, &system) == 0 && (unsigned long)system.f_type == HUGETLBFS;
    for (char *at = path; *at != '\0'; at++)
        if (*at == '\n')
            *at = '?';
    log_add(log, " %s %s", huge ? "t" : zero ? "z" : "-", path);
}

void call_leave(struct log *log, struct task *task, int64_t result, uint64_t cpu_ns, bool scan)
{
    const struct call *call = task->call;
    bool failed = result < 0 && result >= -4095;
    if (!failed)
        follow(log, task, (uint64_t)result);
    else if (result == -ENOMEM || result == -EACCES || call->kind == CALL_MREMAP)
        look_after_failure(log, task);
    log_add(log, "c");
    log_add_time(log);
    log_add(log, " %u %d %s ", task->space->number, (int)task->tid, call->name);
    log_add(log, failed ? "%" PRId64 : "%" PRIx64, result);
    log_add(log, " %" PRIu64, cpu_ns);
    for (int i = 0; i < call->arguments; i++)
        log_add(log, " %" PRIx64, task->arguments[i]);
    if (call->kind == CALL_MMAP && (task->arguments[3] & MAP_ANONYMOUS) == 0)
        log_file(log, task);
    log_end(log);
    if (failed && scan && call->kind == CALL_MADVISE) {
        struct run run = range_given_back(task);
        call_update_touched(log, task->space, run.start, run.end);
    }
}
