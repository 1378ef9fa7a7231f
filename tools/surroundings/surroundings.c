/* surroundings: what stands around a commit: the kernel's own accesses to memory that is not
 * committed, copies of the process, stacks and their guards, and locked memory. One row for each
 * case, as CSV on standard output. */
#include "parts.h"
#include "row.h"
#include "system/vm.h"

enum part { KERNEL, FORK, STACKS, LOCKED };
static const struct kind part_kinds[] = {
    {"kernel", KERNEL}, {"fork", FORK}, {"stacks", STACKS}, {"locked", LOCKED}, {NULL, 0}};
static int (*const runs[])(const struct surroundings *surroundings) = {
    [KERNEL] = kernel_run, [FORK] = fork_run, [STACKS] = stacks_run, [LOCKED] = locked_run};

enum { MOST_MAPPINGS = 60000, MOST_STACKS = 1000000 };
static const size_t MOST_BYTES = (size_t)1 << 36;

static bool parse_part(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_kinds(parser, text, part_kinds, "part",
                            &((struct surroundings *)options)->parts);
}

static bool parse_strategy(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_kinds(parser, text, subject_strategies, "strategy",
                            &((struct surroundings *)options)->strategies);
}

static bool parse_size(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_bytes_list(parser, text, vm_page_bytes(), vm_page_bytes(), MOST_BYTES,
                                 &((struct surroundings *)options)->sizes);
}

static bool parse_mappings(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_numbers(parser, text, 2, MOST_MAPPINGS,
                              &((struct surroundings *)options)->mappings);
}

static bool parse_stack(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_bytes_list(parser, text, vm_page_bytes(), 2 * vm_page_bytes(), MOST_BYTES,
                                 &((struct surroundings *)options)->stack_bytes);
}

static bool parse_stacks(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_number(parser, text, 1, MOST_STACKS,
                             &((struct surroundings *)options)->stacks);
}

static bool parse_repeat(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_repeat(parser, text, &((struct surroundings *)options)->repeat);
}

static bool parse_seed(const struct parser *parser, const char *text, void *options)
{
    return tool_parse_number(parser, text, 0, UINT64_MAX, &((struct surroundings *)options)->seed);
}

static const struct tool_option option_table[] = {
    {"--part", "LIST",
     "kernel: system calls into memory that is not committed; fork: copies\n"
     "of the process; stacks: with a guard each; locked: under MCL_FUTURE\n"
     "[kernel,fork,stacks,locked]",
     parse_part},
    {"--strategy", "LIST", "whose memory   [upfront,fault,chunked,guard]", parse_strategy},
    {"--size", "LIST", "of what is there at a fork, in whole pages   [1M,16M]", parse_size},
    {"--mappings", "LIST", "that one range is made of at a fork   [1000,10000]", parse_mappings},
    {"--stack", "LIST", "bytes of a stack with its guard, in whole pages   [16K,64K,1M,8M]",
     parse_stack},
    {"--stacks", "N", "at most so many of each   [1000]", parse_stacks},
    {"--repeat", "N", "samples of each fork   [1]", parse_repeat},
    {"--seed", "N", "of the random order within each repeat   [1]", parse_seed},
    {NULL, NULL, NULL, NULL},
};

const struct tool surroundings_tool = {
    "surroundings", "What stands around a commit: the kernel's accesses, fork, stacks, locks.",
    option_table, row_columns, ROW_COLUMNS};

int main(int argc, char **argv)
{
    static struct surroundings surroundings = {.parts = {{KERNEL, FORK, STACKS, LOCKED}, 4},
                                               .strategies = {{0, 1, 2, 3}, 4},
                                               .sizes = {{1 << 20, 16 << 20}, 2},
                                               .mappings = {{1000, 10000}, 2},
                                               .stack_bytes = {{0, 0, 1 << 20, 8 << 20}, 4},
                                               .stacks = 1000,
                                               .repeat = 1,
                                               .seed = 1};
    int status = TOOL_TAKEN;
    surroundings.stack_bytes.values[0] = 4 * vm_page_bytes();
    surroundings.stack_bytes.values[1] = 16 * vm_page_bytes();
    if (!tool_parse(&surroundings_tool, argc, argv, &surroundings, &status))
        return status;
    int error = vm_use_pages(VM_PAGES_SMALL);
    if (error != 0)
        return row_broke("keeping to small pages", error);
    surroundings.subject_count = subject_list(&surroundings.strategies, surroundings.subjects);
    for (size_t i = 0; i < surroundings.subject_count; i++)
        subject_prepare(&surroundings.subjects[i]);
    status = tool_print_header(&surroundings_tool);
    for (size_t i = 0; i < surroundings.parts.count && status == TOOL_TAKEN; i++)
        status = runs[surroundings.parts.values[i]](&surroundings);
    return status;
}
