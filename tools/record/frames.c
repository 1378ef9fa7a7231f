#define _GNU_SOURCE
#include "frames.h"

#include <elf.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

enum {
    WORD = sizeof(uint64_t),
    MOST_READS = 16, /* of a stack, of WINDOW words each */
    WINDOW = 512,
    MOST_BETWEEN = 64,    /* words from one return address to the next, without frame pointers */
    MOST_FUNCTION = 4096, /* bytes of a function of a C library */
    CALLS = 4096,         /* that are remembered */
};

struct registers {
    uint64_t instruction, stack, frame;
};

static size_t read_memory(pid_t tid, uint64_t address, void *to, size_t size)
{
    struct iovec here = {to, size}, there = {(void *)(uintptr_t)address, size};
    ssize_t length = process_vm_readv(tid, &here, 1, &there, 1, 0);
    return length < 0 ? 0 : (size_t)length;
}

#if defined __x86_64__

bool frames_known(void)
{
    return true;
}

static bool read_registers(pid_t tid, struct registers *registers)
{
    struct user_regs_struct all;
    struct iovec piece = {&all, sizeof all};
    if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &piece) != 0)
        return false;
    *registers = (struct registers){all.rip, all.rsp, all.rbp};
    return true;
}

/* The address that an operand names by its distance from `next`, the next instruction. */
static uint64_t relative(const unsigned char *operand, uint64_t next)
{
    int32_t distance;
    memcpy(&distance, operand, sizeof distance);
    return next + (uint64_t)(int64_t)distance;
}

static uint64_t address_at(pid_t tid, uint64_t place)
{
    uint64_t address;
    return read_memory(tid, place, &address, sizeof address) == sizeof address ? address : 0;
}

/* Where a stub of the procedure linkage table leads: ENDBR64 and BND may stand before its JMP. */
static uint64_t beyond_stub(pid_t tid, uint64_t entry)
{
    static const unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    unsigned char code[11];
    if (read_memory(tid, entry, code, sizeof code) != sizeof code)
        return entry;
    size_t at = memcmp(code, endbr64, sizeof endbr64) == 0 ? sizeof endbr64 : 0;
    at += code[at] == 0xf2;
    if (code[at] != 0xff || code[at + 1] != 0x25)
        return entry;
    return address_at(tid, relative(code + at + 2, entry + at + 6));
}

/* The function that the call calls which `address` stands behind; 0 if it is no call, or one by a
 * register. */
static uint64_t read_callee(pid_t tid, uint64_t address)
{
    unsigned char code[6];
    if (read_memory(tid, address - sizeof code, code, sizeof code) != sizeof code)
        return 0;
    uint64_t operand = relative(code + 2, address);
    if (code[0] == 0xff && code[1] == 0x15)
        return address_at(tid, operand);
    return code[1] == 0xe8 ? beyond_stub(tid, operand) : 0;
}

#else

bool frames_known(void)
{
    return false;
}

static bool read_registers(pid_t tid, struct registers *registers)
{
    (void)tid;
    (void)registers;
    return false;
}

static uint64_t read_callee(pid_t tid, uint64_t address)
{
    (void)tid;
    (void)address;
    return 0;
}

#endif

struct known_call {
    unsigned space, age;
    uint64_t address, callee;
};

static struct known_call known_calls[CALLS];
static unsigned age = 1; /* of what still counts */

void frames_forget(void)
{
    age++;
}

static uint64_t callee_of(pid_t tid, const struct space *space, uint64_t address)
{
    struct known_call *known = &known_calls[address % CALLS];
    if (known->address != address || known->space != space->number || known->age != age)
        *known = (struct known_call){space->number, age, address, read_callee(tid, address)};
    return known->callee;
}

/* A stack, of which a part is read at a time. */
struct stack {
    pid_t tid;
    const struct space *space;
    uint64_t end; /* of its mapping */
    uint64_t start, words[WINDOW];
    size_t count;
    unsigned reads;
};

static bool word_at(struct stack *stack, uint64_t address, uint64_t *word)
{
    if (address % WORD != 0 || address >= stack->end || stack->end - address < WORD)
        return false;
    if (address < stack->start || address - stack->start >= stack->count * WORD) {
        uint64_t size = stack->end - address;
        if (stack->reads++ == MOST_READS)
            return false;
        stack->start = address;
        stack->count = read_memory(stack->tid, address, stack->words,
                                   size < sizeof stack->words ? (size_t)size : sizeof stack->words);
        stack->count /= WORD;
        if (stack->count == 0)
            return false;
    }
    *word = stack->words[(address - stack->start) / WORD];
    return true;
}

static bool is_code(const struct stack *stack, uint64_t address)
{
    return runs_meet(&stack->space->code, address, address + 1);
}

/* Whether `word` returns from a function that holds `inside`. */
static bool returns_from(const struct stack *stack, uint64_t word, uint64_t inside)
{
    if (!is_code(stack, word))
        return false;
    uint64_t callee = callee_of(stack->tid, stack->space, word);
    return callee <= inside && inside - callee < MOST_FUNCTION;
}

/* Adds the callers whose return addresses lie in [start, end), and says where the last of them
 * ends. */
static size_t add_by_calls(struct stack *stack, uint64_t start, uint64_t end, uint64_t *addresses,
                           uint64_t *beyond)
{
    uint64_t word;
    size_t count = 1;
    *beyond = start;
    for (uint64_t at = start; at < end && at - *beyond < (uint64_t)MOST_BETWEEN * WORD &&
                              count < FRAMES_MOST && word_at(stack, at, &word);
         at += WORD) {
        if (returns_from(stack, word, addresses[count - 1])) {
            addresses[count++] = word;
            *beyond = at + WORD;
        }
    }
    return count;
}

/* A frame pointer that was saved in [start, end): of a frame that returns from the function found
 * last. 0 if there is none. */
static uint64_t saved_frame(struct stack *stack, uint64_t start, uint64_t end, uint64_t inside)
{
    uint64_t frame, word;
    for (uint64_t at = start; at < end && word_at(stack, at, &frame); at += WORD) {
        if (frame >= end && frame < stack->end && word_at(stack, frame + WORD, &word) &&
            returns_from(stack, word, inside))
            return frame;
    }
    return 0;
}

static size_t add_by_frames(struct stack *stack, uint64_t frame, uint64_t above,
                            uint64_t *addresses, size_t count)
{
    uint64_t next, word;
    while (count < FRAMES_MOST && frame >= above && word_at(stack, frame, &next) &&
           word_at(stack, frame + WORD, &word) && is_code(stack, word)) {
        addresses[count++] = word;
        above = frame + 2 * (uint64_t)WORD;
        frame = next;
    }
    return count;
}

size_t frames_walk(pid_t tid, const struct space *space, uint64_t *addresses)
{
    static struct stack stack;
    struct registers registers;
    struct mapping mapping;
    uint64_t beyond;
    if (!read_registers(tid, &registers))
        return 0;
    addresses[0] = registers.instruction;
    if (memory_find(&space->memory, registers.stack, &mapping) != 0 ||
        mapping.start > registers.stack)
        return 1;
    stack = (struct stack){.tid = tid, .space = space, .end = mapping.end};
    uint64_t frame = registers.frame;
    bool framed = frame >= registers.stack && frame < mapping.end && frame % WORD == 0;
    size_t count =
        add_by_calls(&stack, registers.stack, framed ? frame : mapping.end, addresses, &beyond);
    if (!framed)
        frame = saved_frame(&stack, registers.stack, beyond, addresses[count - 1]);
    return add_by_frames(&stack, frame, beyond, addresses, count);
}
