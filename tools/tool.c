/* Options are NAME VALUE or NAME=VALUE. Each reader of a list fills it by values_parse_list. */
#include "tool.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "system/output.h"
#include "system/vm.h"
#include "text.h"
#include "version.h"

enum { ROW_BYTES = 1024, MESSAGE_BYTES = 512, HELP_BYTES = 4096, HELP_INDENT = 22 };

int tool_complain(const struct tool *tool, int status, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    for (char *c = message; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
    fprintf(stderr, "%s: %s\n", tool->name, message);
    return status;
}

int tool_broke(const struct tool *tool, const char *what, int error)
{
    char text[128];
    vm_error_text(error, text, sizeof text);
    return tool_complain(tool, TOOL_BROKE, "%s: %s", what, text);
}

static int write_text(const struct tool *tool, const struct text *text)
{
    struct output output;
    int error = output_open("-", &output);
    if (error == 0)
        error = output_write(&output, text->bytes, text->length);
    return error == 0 ? TOOL_TAKEN : tool_broke(tool, "cannot write standard output", error);
}

int tool_print_header(const struct tool *tool)
{
    char bytes[ROW_BYTES];
    struct text text = text_in(bytes, sizeof bytes);
    columns_add_header(tool->columns, tool->column_count, &text);
    return write_text(tool, &text);
}

int tool_print_row(const struct tool *tool, const void *row)
{
    char bytes[ROW_BYTES];
    struct text text = text_in(bytes, sizeof bytes);
    columns_add_row(tool->columns, tool->column_count, row, &text);
    return write_text(tool, &text);
}

/* --- Faults --- */

enum trap_answer tool_grow(struct region *region, const void *address)
{
    size_t offset;
    if (!region_find(region, address, &offset) ||
        region_page_start(region, offset) != region->committed)
        return TRAP_FOREIGN;
    region->handled_faults++;
    return region_grow_past(region, offset) == 0 ? TRAP_RETRY : TRAP_ABANDON;
}

/* --- Values --- */

bool tool_parse_number(const struct parser *parser, const char *text, uint64_t least, uint64_t most,
                       uint64_t *number)
{
    return (values_parse_number(text, number) && *number >= least && *number <= most) ||
           values_refuse(parser, ": '%s' is no whole number from %" PRIu64 " to %" PRIu64, text,
                         least, most);
}

bool tool_parse_bytes(const struct parser *parser, const char *text, size_t unit, size_t least,
                      size_t most, size_t *bytes)
{
    if (!values_parse_size(text, bytes))
        return values_refuse(parser, ": '%s' is no size; use bytes or K, M, G, as in 64K", text);
    return (*bytes % unit == 0 && *bytes >= least && *bytes <= most) ||
           values_refuse(parser, ": '%s' is no multiple of %zu bytes from %zu to %zu", text, unit,
                         least, most);
}

/* What a list's items must be, and where they go. */
struct list {
    uint64_t least, most;
    size_t unit;
    const struct kind *kinds;
    const char *what;
    void *items;
};

static bool refuse_item(const struct parser *parser, const char *item, bool twice)
{
    return twice ? values_refuse(parser, ": '%s' comes a second time; name each once", item)
                 : values_refuse(parser, ": '%s' is one too many; at most %d", item, VALUES_MAX);
}

static bool add_number(const struct parser *parser, char *item, void *context)
{
    const struct list *list = context;
    struct tool_numbers *numbers = list->items;
    uint64_t number;
    if (!tool_parse_number(parser, item, list->least, list->most, &number))
        return false;
    for (size_t i = 0; i < numbers->count; i++)
        if (numbers->values[i] == number)
            return refuse_item(parser, item, true);
    if (numbers->count == VALUES_MAX)
        return refuse_item(parser, item, false);
    numbers->values[numbers->count++] = number;
    return true;
}

bool tool_parse_numbers(const struct parser *parser, const char *text, uint64_t least,
                        uint64_t most, struct tool_numbers *numbers)
{
    struct list list = {.least = least, .most = most, .items = numbers};
    numbers->count = 0;
    return values_parse_list(parser, text, add_number, &list);
}

static bool add_bytes(const struct parser *parser, char *item, void *context)
{
    const struct list *list = context;
    struct sizes *sizes = list->items;
    size_t bytes;
    if (!tool_parse_bytes(parser, item, list->unit, (size_t)list->least, (size_t)list->most,
                          &bytes))
        return false;
    for (size_t i = 0; i < sizes->count; i++)
        if (sizes->values[i] == bytes)
            return refuse_item(parser, item, true);
    if (sizes->count == VALUES_MAX)
        return refuse_item(parser, item, false);
    sizes->values[sizes->count++] = bytes;
    return true;
}

bool tool_parse_bytes_list(const struct parser *parser, const char *text, size_t unit, size_t least,
                           size_t most, struct sizes *sizes)
{
    struct list list = {.least = least, .most = most, .unit = unit, .items = sizes};
    sizes->count = 0;
    return values_parse_list(parser, text, add_bytes, &list);
}

static bool add_kind(const struct parser *parser, char *item, void *context)
{
    const struct list *list = context;
    struct tool_kinds *kinds = list->items;
    char names[128];
    struct text text = text_in(names, sizeof names);
    int kind;
    text_add_kinds(&text, list->kinds);
    if (!kind_find(list->kinds, item, &kind))
        return values_refuse(parser, ": '%s' is no %s here; use %s", item, list->what, names);
    for (size_t i = 0; i < kinds->count; i++)
        if (kinds->values[i] == kind)
            return refuse_item(parser, item, true);
    kinds->values[kinds->count++] = kind;
    return true;
}

bool tool_parse_kinds(const struct parser *parser, const char *text, const struct kind *kinds,
                      const char *what, struct tool_kinds *list)
{
    struct list items = {.kinds = kinds, .what = what, .items = list};
    list->count = 0;
    return values_parse_list(parser, text, add_kind, &items);
}

bool tool_parse_trap(const struct parser *parser, const char *text, enum trap_kind *trap)
{
    struct tool_kinds traps;
    if (!tool_parse_kinds(parser, text, trap_kinds, "way to catch a fault", &traps))
        return false;
    *trap = (enum trap_kind)traps.values[0];
    return traps.count == 1 || values_refuse(parser, ": '%s' names more than one; use one", text);
}

bool tool_parse_repeat(const struct parser *parser, const char *text, uint64_t *repeat)
{
    return tool_parse_number(parser, text, 1, UINT32_MAX, repeat);
}

/* --- The command line --- */

static int help(const struct tool *tool)
{
    char bytes[HELP_BYTES];
    struct text text = text_in(bytes, sizeof bytes);
    text_add(&text, "usage: %s [OPTION VALUE]...\n\n%s\n\n", tool->name, tool->summary);
    for (const struct tool_option *option = tool->options; option->name != NULL; option++) {
        int room = HELP_INDENT - 3 - (int)strlen(option->name);
        text_add(&text, "  %s %-*s", option->name, room, option->value);
        text_add_indented(&text, option->help, HELP_INDENT);
        text_add(&text, "\n");
    }
    text_add(&text, "  --help, --version\n\nSizes take K, M, G (powers of 1024) or plain bytes.\n"
                    "Exit status: 0 done, what the system refused being a row; 1 something broke; "
                    "2 bad usage.\n");
    return write_text(tool, &text);
}

static int version(const struct tool *tool)
{
    char bytes[HELP_BYTES];
    struct text text = text_in(bytes, sizeof bytes);
    text_add(&text, "%s (vmcommit) %s\n", tool->name, version_text);
    return write_text(tool, &text);
}

/* The option that `argument` names, alone or with "=VALUE". */
static const struct tool_option *find_option(const struct tool *tool, const char *argument)
{
    size_t length = strcspn(argument, "=");
    for (const struct tool_option *option = tool->options; option->name != NULL; option++)
        if (strlen(option->name) == length && strncmp(argument, option->name, length) == 0)
            return option;
    return NULL;
}

/* Reads one option at *argv and moves past it. */
static bool parse_option(const struct tool *tool, struct parser *parser, char ***argv,
                         void *options)
{
    char *argument = *(*argv)++;
    const struct tool_option *option = find_option(tool, argument);
    parser->option = option != NULL ? option->name : argument;
    if (option == NULL)
        return values_refuse(parser, ": no such option; --help lists them");
    const char *equals = strchr(argument, '=');
    bool flag = option->value[0] == '\0';
    const char *text = equals != NULL ? equals + 1 : flag ? "" : **argv;
    if (flag && equals != NULL)
        return values_refuse(parser, ": '%s': it takes no value; leave it out", text);
    if (text == NULL)
        return values_refuse(parser, ": no value; --help says what it takes");
    *argv += equals == NULL && !flag;
    return option->parse(parser, text, options);
}

bool tool_parse(const struct tool *tool, int argc, char **argv, void *options, int *status)
{
    char message[MESSAGE_BYTES];
    struct parser parser = {.option = "", .message = message, .size = sizeof message};
    for (char **next = argv + (argc > 0); *next != NULL;) {
        if (strcmp(*next, "--help") == 0 || strcmp(*next, "--version") == 0) {
            *status = strcmp(*next, "--help") == 0 ? help(tool) : version(tool);
            return false;
        }
        if (!parse_option(tool, &parser, &next, options)) {
            *status = tool_complain(tool, TOOL_USAGE, "%s", message);
            return false;
        }
    }
    return true;
}
