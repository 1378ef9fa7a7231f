/* A read writes into the buffer inside of the kernel, where an inaccessible page raises nothing
 * that a handler could answer: the call fails or ends early. */
#include "kernel.h"

#include <string.h>

#include "system/pipe.h"
#include "system/vm.h"

const struct kernel_case kernel_cases[] = {
    {"below the mark", KERNEL_BYTES, false, false},
    {"across the mark", KERNEL_BYTES / 2, false, false},
    {"at the mark", 0, false, false},
    {"across the mark, touched before", KERNEL_BYTES / 2, true, false},
    {"up to the mark, then touched, then the rest", KERNEL_BYTES / 2, true, true},
    {NULL, 0, false, false},
};

enum { LAST = 0xff }; /* of what is in the pipe; no byte of the data is */

struct attempt {
    struct ring ring;
    struct pipe pipe;
    const struct kernel_case *kernel_case;
    unsigned char *at; /* of the first read */
    struct kernel_figures *figures;
};

static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i % 251);
}

static void read_into(struct attempt *attempt, unsigned char *bytes, size_t size)
{
    size_t done;
    int error = pipe_read(&attempt->pipe, bytes, size, &done);
    attempt->figures->returned += done;
    if (error != 0)
        attempt->figures->error = error;
}

static void make_calls(void *context)
{
    struct attempt *attempt = context;
    const struct kernel_case *kernel_case = attempt->kernel_case;
    unsigned char *mark = attempt->at + kernel_case->below;
    size_t first = kernel_case->in_two ? kernel_case->below : KERNEL_BYTES;
    if (kernel_case->touch && !kernel_case->in_two)
        *(volatile unsigned char *)mark = 0;
    read_into(attempt, attempt->at, first);
    if (!kernel_case->in_two)
        return;
    *(volatile unsigned char *)mark = 0;
    read_into(attempt, mark, KERNEL_BYTES - first);
}

static enum trap_answer answer(void *context, const void *address)
{
    return ring_answer(&((struct attempt *)context)->ring, address);
}

static int fill_pipe(const struct attempt *attempt)
{
    unsigned char bytes[KERNEL_BYTES];
    size_t done;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = byte_at(i);
    return pipe_write(&attempt->pipe, bytes, sizeof bytes, &done);
}

/* Up to a last byte, so that no read waits for what was lost. */
static int empty_pipe(const struct attempt *attempt)
{
    struct kernel_figures *figures = attempt->figures;
    unsigned char byte = LAST;
    size_t done;
    int error = pipe_write(&attempt->pipe, &byte, 1, &done);
    figures->intact = true;
    for (size_t i = (size_t)figures->returned; error == 0; i++) {
        error = pipe_read(&attempt->pipe, &byte, 1, &done);
        if (byte == LAST)
            break;
        figures->left++;
        figures->intact = figures->intact && byte == byte_at(i);
    }
    for (size_t i = 0; i < figures->returned; i++)
        figures->intact = figures->intact && attempt->at[i] == byte_at(i);
    figures->intact = figures->intact && figures->returned + figures->left == KERNEL_BYTES;
    return error;
}

static int carry_out(struct attempt *attempt, enum trap_kind trap)
{
    bool completed;
    int error = fill_pipe(attempt);
    if (error == 0)
        error = trap_run(trap, make_calls, answer, attempt, &completed);
    attempt->figures->hits = attempt->ring.hits;
    return error == 0 ? empty_pipe(attempt) : error;
}

int kernel_try(const struct kernel_case *kernel_case, enum ring_way way, enum guard_kind guard,
               enum trap_kind trap, struct kernel_figures *figures)
{
    struct attempt attempt = {.kernel_case = kernel_case, .figures = figures};
    size_t page = vm_page_bytes();
    struct ring_limits limits = {
        .size = RING_LEAST_PAGES * page, .high = (RING_LEAST_PAGES - 4) * page, .low = page};
    *figures = (struct kernel_figures){.error = 0};
    int error = ring_make(&attempt.ring, way, guard, &limits);
    if (error != 0)
        return error;
    attempt.at = ring_at(&attempt.ring, attempt.ring.mark - kernel_case->below);
    error = pipe_open(&attempt.pipe);
    if (error == 0) {
        error = carry_out(&attempt, trap);
        pipe_close(&attempt.pipe);
    }
    int left = ring_free(&attempt.ring);
    return error != 0 ? error : left;
}
