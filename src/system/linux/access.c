/* Pipes, files in memory, datagrams, and a pipe that is read through io_uring. */
#define _GNU_SOURCE
#include "system/access.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int finish(ssize_t bytes, size_t *done)
{
    *done = bytes < 0 ? 0 : (size_t)bytes;
    return bytes < 0 ? errno : 0;
}

/* --- Pipes, and pairs of sockets --- */

static int open_pipe(struct access *access)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return errno;
    *access = (struct access){.here = ends[0], .there = ends[1]};
    return 0;
}

static int open_written_pipe(struct access *access)
{
    int error = open_pipe(access);
    access_turn_round(access);
    return error;
}

static int open_datagrams(struct access *access)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return errno;
    *access = (struct access){.here = ends[0], .there = ends[1]};
    return 0;
}

static void close_ends(struct access *access)
{
    close((int)access->here);
    close((int)access->there);
}

static int fill(const struct access *access, const void *bytes, size_t size)
{
    ssize_t written = write((int)access->there, bytes, size);
    return written < 0 ? errno : written == (ssize_t)size ? 0 : EIO;
}

static int make_read(struct access *access, void *address, size_t size, size_t *done)
{
    return finish(read((int)access->here, address, size), done);
}

static int make_write(struct access *access, void *address, size_t size, size_t *done)
{
    return finish(write((int)access->here, address, size), done);
}

static int make_recv(struct access *access, void *address, size_t size, size_t *done)
{
    return finish(recv((int)access->here, address, size, 0), done);
}

/* Its first half into one buffer, its second into another. */
static int make_recvmsg(struct access *access, void *address, size_t size, size_t *done)
{
    struct iovec halves[] = {{address, size / 2}, {(char *)address + size / 2, size - size / 2}};
    struct msghdr message = {.msg_iov = halves, .msg_iovlen = 2};
    return finish(recvmsg((int)access->here, &message, 0), done);
}

/* Neither end blocks: EAGAIN says that nothing more is there. */
static int drain_end(intptr_t end, size_t *bytes)
{
    char buffer[ACCESS_MOST_BYTES];
    for (*bytes = 0;;) {
        ssize_t got = read((int)end, buffer, sizeof buffer);
        if (got == 0 || (got < 0 && errno == EAGAIN))
            return 0;
        if (got < 0)
            return errno;
        *bytes += (size_t)got;
    }
}

static int drain_here(const struct access *access, size_t *bytes)
{
    return drain_end(access->here, bytes);
}

static int drain_there(const struct access *access, size_t *bytes)
{
    return drain_end(access->there, bytes);
}

/* --- Files: `there` is the same file, with a position of its own --- */

static int open_file(struct access *access)
{
    char path[32];
    int here = memfd_create("access", MFD_CLOEXEC);
    if (here < 0)
        return errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", here);
    int there = open(path, O_RDWR | O_CLOEXEC);
    int error = errno;
    *access = (struct access){.here = here, .there = there};
    if (there >= 0)
        return 0;
    close(here);
    return error;
}

/* --- io_uring: one entry, submitted and waited for in one call (io_uring(7)) --- */

struct ring {
    int file;
    size_t rings_bytes;
    unsigned char *rings; /* of submission and completion: one mapping since Linux 5.4 */
    struct io_uring_sqe *entry;
    struct io_uring_params parameters;
};

static void close_ring(struct access *access)
{
    struct ring *ring = access->own;
    munmap(ring->entry, sizeof *ring->entry);
    munmap(ring->rings, ring->rings_bytes);
    close(ring->file);
    free(ring);
    close_ends(access);
}

static void *map_ring(const struct ring *ring, size_t size, off_t offset)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->file, offset);
}

static int map_rings(struct ring *ring)
{
    const struct io_uring_params *parameters = &ring->parameters;
    size_t submission = parameters->sq_off.array + parameters->sq_entries * sizeof(unsigned);
    size_t completion =
        parameters->cq_off.cqes + parameters->cq_entries * sizeof(struct io_uring_cqe);
    ring->rings_bytes = submission > completion ? submission : completion;
    if (!(parameters->features & IORING_FEAT_SINGLE_MMAP))
        return ENOSYS;
    ring->rings = map_ring(ring, ring->rings_bytes, IORING_OFF_SQ_RING);
    if (ring->rings == MAP_FAILED)
        return errno;
    ring->entry = map_ring(ring, sizeof *ring->entry, IORING_OFF_SQES);
    if (ring->entry != MAP_FAILED)
        return 0;
    int error = errno;
    munmap(ring->rings, ring->rings_bytes);
    return error;
}

static int make_ring(struct ring *ring)
{
    ring->file = (int)syscall(SYS_io_uring_setup, 1, &ring->parameters);
    if (ring->file < 0)
        return errno;
    int error = map_rings(ring);
    if (error != 0)
        close(ring->file);
    return error;
}

static int open_ring(struct access *access)
{
    int error = open_pipe(access);
    if (error != 0)
        return error;
    struct ring *ring = calloc(1, sizeof *ring);
    error = ring != NULL ? make_ring(ring) : ENOMEM;
    access->own = ring;
    if (error == 0)
        return 0;
    free(ring);
    close_ends(access);
    return error;
}

static unsigned *ring_field(const struct ring *ring, unsigned offset)
{
    return (unsigned *)(void *)(ring->rings + offset);
}

static void submit(const struct ring *ring, const struct io_uring_sqe *entry)
{
    const struct io_sqring_offsets *at = &ring->parameters.sq_off;
    _Atomic unsigned *tail = (_Atomic unsigned *)ring_field(ring, at->tail);
    unsigned next = atomic_load(tail);
    *ring->entry = *entry;
    ring_field(ring, at->array)[next & *ring_field(ring, at->ring_mask)] = 0;
    atomic_store(tail, next + 1);
}

static int take_result(const struct ring *ring, size_t *done)
{
    const struct io_cqring_offsets *at = &ring->parameters.cq_off;
    _Atomic unsigned *head = (_Atomic unsigned *)ring_field(ring, at->head);
    const struct io_uring_cqe *entries = (const void *)(ring->rings + at->cqes);
    unsigned first = atomic_load(head);
    int result = entries[first & *ring_field(ring, at->ring_mask)].res;
    atomic_store(head, first + 1);
    *done = result < 0 ? 0 : (size_t)result;
    return result < 0 ? -result : 0;
}

static int make_ring_read(struct access *access, void *address, size_t size, size_t *done)
{
    const struct ring *ring = access->own;
    *done = 0;
    submit(ring, &(struct io_uring_sqe){.opcode = IORING_OP_READ,
                                        .fd = (int)access->here,
                                        .addr = (uintptr_t)address,
                                        .len = (unsigned)size});
    if (syscall(SYS_io_uring_enter, ring->file, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
        return errno;
    return take_result(ring, done);
}

const struct access_call access_calls[] = {
    {"read_pipe", true, open_pipe, close_ends, fill, make_read, drain_here},
    {"read_file", true, open_file, close_ends, fill, make_read, drain_here},
    {"recv_datagram", true, open_datagrams, close_ends, fill, make_recv, drain_here},
    {"recvmsg_datagram", true, open_datagrams, close_ends, fill, make_recvmsg, drain_here},
    {"io_uring_read_pipe", true, open_ring, close_ring, fill, make_ring_read, drain_here},
    {"write_pipe", false, open_written_pipe, close_ends, NULL, make_write, drain_there},
    {"write_file", false, open_file, close_ends, NULL, make_write, drain_there},
    {NULL, false, NULL, NULL, NULL, NULL, NULL},
};
