/* Writes the object key by key; what a strategy can use is what it takes an option for. */
#include "describe.h"

#include <string.h>

#include "options.h"
#include "system/meter.h"
#include "system/vm.h"

static const char *const step_names[] = {
    [STEP_SIZE] = "size", [STEP_PAGE] = "page", [STEP_CHUNK] = "chunk"};

static void add_string(struct text *text, const char *string)
{
    text_add(text, "\"");
    for (; *string != '\0'; string++)
        text_add(text, *string == '"' || *string == '\\' ? "\\%c" : "%c", *string);
    text_add(text, "\"");
}

static void add_text(struct text *text, const char *key, const char *string)
{
    text_add(text, "\"%s\": ", key);
    add_string(text, string);
    text_add(text, ", ");
}

static void add_truth(struct text *text, const char *key, bool truth)
{
    text_add(text, "\"%s\": %s, ", key, truth ? "true" : "false");
}

static void add_options(struct text *text, const struct strategy *strategy)
{
    const char *separator = "";
    text_add(text, "\"options\": [");
    for (const struct option *option = options_table; option->name != NULL; option++) {
        if (!option->taken_by(strategy))
            continue;
        text_add(text, "%s", separator);
        add_string(text, option->name);
        separator = ", ";
    }
    text_add(text, "], ");
}

/* The kinds of what --KEY sets; none where the strategy doesn't take it. */
static void add_kinds(struct text *text, const struct strategy *strategy, const char *key)
{
    text_add(text, "\"%s\": [", key);
    for (const struct option *option = options_table; option->name != NULL; option++) {
        if (strcmp(option->name + strlen("--"), key) != 0 || !option->taken_by(strategy))
            continue;
        for (const struct kind *kind = option->kinds(strategy); kind->name != NULL; kind++)
            text_add(text, "%s\"%s\"", kind == option->kinds(strategy) ? "" : ", ", kind->name);
    }
    text_add(text, "]");
}

void describe_strategy(const struct strategy *strategy, const char *version, struct text *text)
{
    static const char *const keys[] = {"commit", "purge", "pages", "guard", "trap"};
    text_add(text, "{");
    add_text(text, "name", strategy->name);
    add_text(text, "summary", strategy->summary);
    add_text(text, "version", version);
    add_text(text, "platform", meter_platform());
    text_add(text, "\"page_bytes\": %zu, ", vm_page_bytes());
    add_text(text, "step", step_names[strategy->step]);
    add_truth(text, "guarded", strategy->guarded);
    add_truth(text, "blocks", strategy->blocks);
    add_options(text, strategy);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        text_add(text, i == 0 ? "" : ", ");
        add_kinds(text, strategy, keys[i]);
    }
    text_add(text, "}\n");
}
