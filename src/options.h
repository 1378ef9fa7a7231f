/* The command line of every harness. Parsing is strict: what is not wholly understood is refused,
 * with one line that names the option, the value and what would be right. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/vm.h"
#include "workload.h"

#define OPTIONS_LIST_MAX 64

/* Sizes in bytes. */
struct options_sizes {
    size_t values[OPTIONS_LIST_MAX];
    size_t count;
};

/* A part of a region is held in millionths, so that it stays exact. */
#define OPTIONS_WHOLE 1000000u

struct options_parts {
    uint32_t values[OPTIONS_LIST_MAX];
    size_t count;
};

struct options {
    struct options_sizes sizes;
    struct options_sizes chunks;
    struct options_parts touches;
    enum vm_pages pages;
    enum workload_order order;
    uint64_t repeat;
    uint64_t seed;
    const char *output;    /* "-" is standard output */
    const char *trace;     /* a file for touches one by one, or NULL */
    const char *library;   /* what `custom` measures, or NULL */
    const char *staircase; /* a file for the charge as touching proceeds, or NULL */
    bool help;
    bool version;
};

/* Fills in the defaults and what argv says; --guard and --trap are chosen in vm.h and trap.h as
 * they are read. Returns false with a line (no line end) in `message`.
 */
bool options_parse(int argc, char **argv, struct options *options, char *message, size_t size);

/* "4K", "1M", "2G" or plain bytes; false on anything else, on 0 and on overflow. */
bool options_parse_size(const char *text, size_t *bytes);

/* What --help says of the options. */
extern const char options_help[];

#endif
