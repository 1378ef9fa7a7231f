/* act: does with memory what programs do, an act a line, so that record and its model can be held
 * against the kernel after every call.
 *
 * usage: act NAME..., or act stress SEED CALLS THREADS */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    RW = PROT_READ | PROT_WRITE,
    PLAIN = MAP_PRIVATE | MAP_ANONYMOUS,
    GUARDS = 102, /* MADV_GUARD_INSTALL */
};

static char *map(size_t pages, int protection, int flags)
{
    char *at = mmap(NULL, pages * PAGE, protection, flags, -1, 0);
    if (at == MAP_FAILED)
        abort();
    return at;
}

static void place(char *at, size_t pages, int protection, int flags)
{
    mmap(at, pages * PAGE, protection, flags | MAP_FIXED, -1, 0);
}

static void touch(char *at, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        *(volatile char *)(at + i * PAGE) = 1;
}

static void protect(char *at, size_t pages, int protection)
{
    if (mprotect(at, pages * PAGE, protection) != 0 && errno != ENOMEM && errno != EACCES)
        abort();
}

/* Committed in steps out of a reservation, as our own strategies do. */
static void steps(void)
{
    char *at = map(64, PROT_NONE, PLAIN);
    for (size_t i = 0; i < 64; i += 8) {
        protect(at + i * PAGE, 8, RW);
        touch(at + i * PAGE, 4);
    }
    munmap(at, 64 * PAGE);
}

static void unwritten(void)
{
    char *at = map(16, RW, PLAIN);
    protect(at, 8, PROT_NONE);  /* gives its charge back */
    protect(at, 8, RW);         /* and takes it again */
    touch(at + 10 * PAGE, 1);   /* one page written: */
    protect(at, 16, PROT_READ); /* all 16, one mapping, stay charged */
    protect(at, 16, RW);
    madvise(at, 16 * PAGE, MADV_DONTNEED);
    protect(at, 16, PROT_NONE); /* and so they do with no page left */
    munmap(at, 8 * PAGE);
    protect(at + 8 * PAGE, 8, PROT_READ);
}

/* A mapping that was written to merges with one that was not, and its own part goes. */
static void merged(void)
{
    char *at = map(24, PROT_NONE, PLAIN);
    protect(at, 8, RW);
    touch(at, 8);
    protect(at + 8 * PAGE, 8, RW);
    munmap(at, 8 * PAGE);
    protect(at + 8 * PAGE, 8, PROT_NONE);
    protect(at + 16 * PAGE, 8, RW);
    protect(at + 16 * PAGE, 8, PROT_NONE);
}

static void noreserve(void)
{
    char *at = map(32, RW, PLAIN | MAP_NORESERVE);
    touch(at, 32);
    protect(at, 16, PROT_NONE);
    protect(at, 16, RW);
    place(at + 8 * PAGE, 8, RW, PLAIN);
    place(at, 4, PROT_NONE, PLAIN | MAP_NORESERVE);
    protect(at, 4, RW);
}

static void uncharged(void)
{
    enum { PAGES = 16384 };
    char *at = map(PAGES, RW, PLAIN | MAP_NORESERVE);
    touch(at, PAGES);
    usleep(20000);
    munmap(at, (size_t)PAGES * PAGE);
}

static void holes(void)
{
    char *at = map(30, PROT_NONE, PLAIN);
    munmap(at + 10 * PAGE, 5 * PAGE);
    protect(at, 30, RW); /* fails at the hole, and has changed all before it */
    protect(at + 10 * PAGE, 20, RW);
    protect(at, 30, PROT_READ);
    munmap(at + 5 * PAGE, 20 * PAGE);
    madvise(at, 30 * PAGE, MADV_DONTNEED);
}

static void fixed(void)
{
    char *at = map(80, RW, PLAIN);
    touch(at, 64);
    place(at + 8 * PAGE, 8, PROT_NONE, PLAIN);
    place(at + 16 * PAGE, 8, RW, PLAIN | MAP_NORESERVE);
    place(at + 24 * PAGE, 8, PROT_READ, PLAIN);
    place(at + 32 * PAGE, 8, RW, MAP_SHARED | MAP_ANONYMOUS);
    place(at + 60 * PAGE, 8, RW, PLAIN);
    mmap(at, 4 * PAGE, RW, PLAIN | MAP_FIXED_NOREPLACE, -1, 0); /* refused */
    mmap(at, (size_t)1 << 46, RW, PLAIN | MAP_FIXED, -1, 0);    /* refused */
    munmap(at + 12 * PAGE, 24 * PAGE);
}

static void remaps(void)
{
    char *at = map(16, RW, PLAIN), *to = map(64, PROT_NONE, PLAIN);
    touch(at, 4);
    at = mremap(at, 16 * PAGE, 8 * PAGE, 0);
    at = mremap(at, 8 * PAGE, 400 * PAGE, MREMAP_MAYMOVE);
    at = mremap(at, 400 * PAGE, 32 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 16 * PAGE);
    mremap(at, 16 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
    mremap(at, 32 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    mremap(to, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 40 * PAGE);
    protect(to + 40 * PAGE, 8, PROT_NONE);
    mremap(to + 1, PAGE, PAGE, MREMAP_MAYMOVE);                               /* refused */
    mremap(to, (size_t)1 << 46, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to); /* refused */
    char *whole = map(24, PROT_NONE, PLAIN);
    protect(whole + 8 * PAGE, 8, RW);
    touch(whole + 8 * PAGE, 8);
    mremap(whole + 8 * PAGE, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    protect(whole + 8 * PAGE, 8, PROT_NONE); /* which starts afresh, and gives its charge back */
    char *shared = map(4, RW, MAP_SHARED | MAP_ANONYMOUS);
    mremap(shared, 0, 4 * PAGE, MREMAP_MAYMOVE);
}

static void heap(void)
{
    char *start = sbrk(0);
    sbrk(100 * PAGE + 123);
    touch(start + PAGE, 50);
    sbrk(-40 * PAGE);
    protect((char *)((uintptr_t)start / PAGE * PAGE) + 8 * PAGE, 4, PROT_NONE);
    sbrk(10);
    brk(start);
    sbrk((intptr_t)1 << 45); /* refused */
}

static void files(void)
{
    char name[] = "/tmp/act-XXXXXX";
    int file = mkstemp(name), read_only = open(name, O_RDONLY), zero = open("/dev/zero", O_RDWR);
    unlink(name);
    if (ftruncate(file, 64 * PAGE) != 0)
        abort();
    char *private = mmap(NULL, 16 * PAGE, RW, MAP_PRIVATE, file, 0);
    char *read = mmap(NULL, 16 * PAGE, PROT_READ, MAP_PRIVATE, read_only, 16 * PAGE);
    char *shared = mmap(NULL, 16 * PAGE, RW, MAP_SHARED, file, 0);
    char *zeros = mmap(NULL, 16 * PAGE, RW, MAP_PRIVATE, zero, 0);
    char *kept = mmap(NULL, 16 * PAGE, PROT_READ, MAP_SHARED, read_only, 0);
    touch(private, 4);
    protect(private, 16, PROT_READ);
    protect(read, 16, RW);
    protect(read, 8, PROT_NONE);
    touch(shared, 16);
    protect(shared, 8, PROT_NONE);
    protect(zeros, 8, PROT_NONE);
    protect(kept, 16, RW); /* refused: not opened for it */
    mmap(private + 2 * PAGE, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, file, 0);
    close(file);
    close(read_only);
    close(zero);
}

static void segments(void)
{
    int id = shmget(IPC_PRIVATE, 16 * PAGE, IPC_CREAT | 0600);
    char *at = shmat(id, NULL, 0), *again = shmat(id, NULL, SHM_RDONLY);
    touch(at, 16);
    munmap(at + 4 * PAGE, 4 * PAGE);
    shmdt(at);
    shmctl(id, IPC_RMID, NULL);
    shmdt(again);
}

static void discards(void)
{
    char *at = map(64, RW, PLAIN);
    touch(at, 64);
    madvise(at, 8 * PAGE, MADV_DONTNEED);
    madvise(at + 8 * PAGE, 8 * PAGE, MADV_FREE);
    madvise(at + 8 * PAGE, 8 * PAGE, MADV_PAGEOUT);
    madvise(at + 16 * PAGE, 8 * PAGE, MADV_REMOVE);
    madvise(at + 24 * PAGE, 8 * PAGE, MADV_COLD);
    protect(at, 16, PROT_NONE);
    char *guarded = map(24, PROT_NONE, PLAIN);
    protect(guarded + 8 * PAGE, 8, RW);
    madvise(guarded + 8 * PAGE, 4 * PAGE, GUARDS); /* as if it had been written to */
    protect(guarded + 8 * PAGE, 8, PROT_READ);
    char *populated = map(8, RW, PLAIN | MAP_POPULATE);
    protect(populated, 8, PROT_NONE);
    char *locked = map(8, RW, PLAIN);
    mlock(locked, 4 * PAGE);
    munlock(locked, 4 * PAGE);
    protect(locked, 8, PROT_NONE);
}

static __attribute__((noinline)) int descend(int depth)
{
    volatile char page[PAGE];
    page[0] = (char)depth;
    return depth == 0 ? page[0] : descend(depth - 1) + page[0];
}

static void stacks(void)
{
    char *at = map(64, PROT_NONE, PLAIN);
    descend(100);
    place(at + 48 * PAGE, 4, RW, PLAIN | MAP_GROWSDOWN);
    munmap(at, 48 * PAGE);
    protect(at + 50 * PAGE, 2, RW);
    place(at, 1, PROT_NONE, PLAIN);
}

static void child(void)
{
    char *at = map(16, RW, PLAIN);
    protect(at, 8, PROT_READ);
    heap();
    unwritten();
    _exit(0);
}

/* Children that no tracer is to follow (clone(2)). The call leaves registers and memory alone. */
static void untraced(void)
{
    uint64_t arguments[8] = {CLONE_UNTRACED, 0, 0, 0, SIGCHLD};
    if (syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0) == 0)
        child();
    if (syscall(SYS_clone3, arguments, sizeof arguments) == 0)
        child();
    int ended = 0;
    for (int status; wait(&status) > 0;)
        ended += status == 0;
    if (ended != 2 || arguments[0] != CLONE_UNTRACED)
        exit(1);
}

/* Processes that make as many calls each, at the same time. */
static void crowd(void)
{
    char *at = map(1, RW, PLAIN);
    touch(at, 1);
    for (int i = 0; i < 7 && fork() != 0; i++)
        ;
    for (int i = 0; i < 2000; i++)
        protect(at, 1, i % 2 == 0 ? PROT_READ : RW);
    while (wait(NULL) > 0)
        ;
}

static void forks(void)
{
    char *at = map(64, RW, PLAIN), *kept = map(8, RW, PLAIN), *empty = map(8, RW, PLAIN);
    touch(at, 16);
    touch(empty, 8);
    madvise(kept, 8 * PAGE, MADV_DONTFORK);
    madvise(empty, 8 * PAGE, MADV_WIPEONFORK);
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            protect(at, 64, PROT_NONE);
            protect(empty, 8, PROT_NONE);
            child();
        }
    while (wait(NULL) > 0)
        madvise(kept, 8 * PAGE, MADV_DOFORK);
    if (fork() == 0)
        _exit(0);
    wait(NULL);
    madvise(empty, 8 * PAGE, MADV_KEEPONFORK);
    if (fork() == 0)
        child();
    wait(NULL);
}

static void execs(void)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length < 0 ? 0 : length] = '\0';
    if (fork() == 0)
        execl(self, self, "steps", NULL);
    wait(NULL);
    pid_t pid = vfork();
    if (pid == 0) {
        execl(self, self, "unwritten", NULL);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    pid = vfork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
}

static volatile sig_atomic_t signalled;
static char *handled;

static void on_signal(int number)
{
    (void)number;
    signalled = 1;
    protect(handled, 8, signalled % 2 ? RW : PROT_NONE);
}

static void on_fault(int number)
{
    (void)number;
    protect(handled + 8 * PAGE, 8, RW);
}

static void signals(void)
{
    handled = map(16, PROT_NONE, PLAIN);
    signal(SIGUSR1, on_signal);
    signal(SIGSEGV, on_fault);
    for (int i = 0; i < 5; i++)
        raise(SIGUSR1);
    touch(handled + 8 * PAGE, 8);
    signal(SIGSEGV, SIG_DFL);
}

static void *thread(void *context)
{
    (void)context;
    for (int i = 0; i < 20; i++) {
        char *at = map(32, RW, PLAIN);
        touch(at, 8);
        protect(at, 16, PROT_NONE);
        free(malloc(300000));
        munmap(at, (size_t)(i % 2 + 1) * 8 * PAGE);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t made[8];
    for (int i = 0; i < 8; i++)
        if (pthread_create(&made[i], NULL, thread, NULL) != 0)
            abort();
    if (fork() == 0)
        _exit(0);
    for (int i = 0; i < 8; i++)
        pthread_join(made[i], NULL);
    wait(NULL);
}

static void *exec_now(void *path)
{
    execl(path, path, "steps", "unwritten", NULL);
    return NULL;
}

/* Another thread than the first becomes a program. */
static void thread_execs(void)
{
    static char self[4096];
    pthread_t made;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length < 0 ? 0 : length] = '\0';
    if (pthread_create(&made, NULL, exec_now, self) == 0)
        pause();
}

static void *outlive(void *context)
{
    (void)context;
    usleep(20000);
    unwritten();
    exit(7);
}

/* The first thread ends before another. */
static void first_ends(void)
{
    pthread_t made;
    if (pthread_create(&made, NULL, outlive, NULL) == 0)
        pthread_exit(NULL);
}

static void crash(void)
{
    touch(map(16, RW, PLAIN), 8);
    raise(SIGTERM);
}

/* A filter that lets everything pass. */
static void filters(void)
{
    struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {1, &pass};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        abort();
    unwritten();
}

static void traces(void)
{
    printf("%ld\n", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static void waits(void)
{
    printf("waits\n");
    fflush(stdout);
    pause();
}

/* Random calls on few pages, so that they often meet. */

struct stress {
    uint64_t state;
    long calls;
    char *base;
};

enum { ROOM = 256 };

static unsigned next(struct stress *stress, unsigned below)
{
    stress->state = stress->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(stress->state >> 33) % below;
}

static void stress_call(struct stress *stress)
{
    static const int protections[] = {PROT_NONE, PROT_READ, RW, RW};
    static const int advice[] = {MADV_DONTNEED,   MADV_FREE,       MADV_DONTFORK,       MADV_DOFORK,
                                 MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_POPULATE_WRITE, GUARDS};
    size_t at = next(stress, ROOM), pages = 1 + next(stress, 24);
    char *here = stress->base + at * PAGE;
    if (at + pages > ROOM)
        pages = ROOM - at;
    size_t to = next(stress, (unsigned)(ROOM - pages + 1));
    int protection = protections[next(stress, 4)];
    int flags = PLAIN | (next(stress, 4) == 0 ? MAP_NORESERVE : 0);
    switch (next(stress, 12)) {
    case 0: munmap(here, pages * PAGE); break;
    case 1: place(here, pages, protection, flags); break;
    case 2: place(here, pages, protection, MAP_SHARED | MAP_ANONYMOUS); break;
    case 3: madvise(here, pages * PAGE, advice[next(stress, 8)]); break;
    case 4:
        mremap(here, pages * PAGE, pages * PAGE,
               MREMAP_MAYMOVE | MREMAP_FIXED | (next(stress, 2) ? MREMAP_DONTUNMAP : 0),
               stress->base + to * PAGE);
        break;
    case 5: mremap(here, pages * PAGE, (1 + next(stress, (unsigned)pages)) * PAGE, 0); break;
    case 6:
    case 7: place(here, pages, RW, PLAIN); break;
    case 8: madvise(here, (1 + pages / 4) * PAGE, MADV_POPULATE_WRITE); break;
    default: protect(here, pages, protection); break;
    }
}

static void *stress_thread(void *context)
{
    struct stress *stress = context;
    for (long i = 0; i < stress->calls; i++) {
        stress_call(stress);
        if (i % 1000 == 999) {
            pid_t pid = fork();
            if (pid == 0) {
                for (int j = 0; j < 100; j++)
                    stress_call(stress);
                _exit(0);
            }
            waitpid(pid, NULL, 0);
        }
    }
    return NULL;
}

static int stress_all(uint64_t seed, long calls, int count)
{
    static struct stress stresses[64];
    pthread_t made[64];
    char *base = map(ROOM, RW, PLAIN);
    for (int i = 0; i < count && i < 64; i++) {
        stresses[i] = (struct stress){seed + (uint64_t)i * 1000003, calls, base};
        if (i + 1 == count)
            stress_thread(&stresses[i]);
        else if (pthread_create(&made[i], NULL, stress_thread, &stresses[i]) != 0)
            return 1;
    }
    for (int i = 0; i + 1 < count; i++)
        pthread_join(made[i], NULL);
    return 0;
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {
    {"steps", steps},           {"unwritten", unwritten}, {"merged", merged},
    {"noreserve", noreserve},   {"uncharged", uncharged}, {"holes", holes},
    {"fixed", fixed},           {"remaps", remaps},       {"heap", heap},
    {"files", files},           {"segments", segments},   {"discards", discards},
    {"stacks", stacks},         {"forks", forks},         {"execs", execs},
    {"signals", signals},       {"threads", threads},     {"thread_execs", thread_execs},
    {"first_ends", first_ends}, {"crash", crash},         {"filters", filters},
    {"traces", traces},         {"waits", waits},         {"untraced", untraced},
    {"crowd", crowd},
};

static int act(const char *name)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(acts[i].name, name) == 0) {
            acts[i].act();
            return 0;
        }
    }
    fprintf(stderr, "act: '%s' is no act\n", name);
    return 2;
}

int main(int count, char **words)
{
    if (count == 5 && strcmp(words[1], "stress") == 0)
        return stress_all(strtoull(words[2], NULL, 10), strtol(words[3], NULL, 10), atoi(words[4]));
    for (int i = 1; i < count; i++)
        if (act(words[i]) != 0)
            return 2;
    return 0;
}
