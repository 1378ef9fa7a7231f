/* Files of /proc, line by line through one fixed buffer: they have no size to be asked for, and
 * /proc/self/smaps may hold tens of thousands of mappings. */
#define _GNU_SOURCE
#include "system/linux/proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int open_below(const char *root, const char *path)
{
    char full[4096];
    int length = snprintf(full, sizeof full, "%s%s", root, path);
    if (length < 0 || (size_t)length >= sizeof full) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(full, O_RDONLY | O_CLOEXEC);
}

/* Hands on the whole lines of a text that ends with a zero byte; returns what is left of it. */
static char *split_lines(char *text, void (*line)(char *text, void *context), void *context)
{
    for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        *end = '\0';
        line(text, context);
    }
    return text;
}

int proc_for_each_line_of(int file, void (*line)(char *text, void *context), void *context)
{
    static char buffer[16384];
    size_t held = 0;
    if (lseek(file, 0, SEEK_SET) != 0)
        return errno;
    /* All of it, so that a longer text than last time's touches no new page of ours. */
    memset(buffer, 0, sizeof buffer);
    for (;;) {
        ssize_t got = read(file, buffer + held, sizeof buffer - 1 - held);
        if (got <= 0)
            return got < 0 ? errno : 0;
        held += (size_t)got;
        buffer[held] = '\0';
        char *rest = split_lines(buffer, line, context);
        held -= (size_t)(rest - buffer);
        memmove(buffer, rest, held);
        if (held == sizeof buffer - 1)
            held = 0; /* no line that is read here is so long */
    }
}

int proc_for_each_line(const char *root, const char *path, void (*line)(char *text, void *context),
                       void *context)
{
    int file = open_below(root, path);
    if (file < 0)
        return errno;
    int error = proc_for_each_line_of(file, line, context);
    close(file);
    return error;
}

void proc_number_line(char *line, void *context)
{
    uint64_t *number = context;
    if (isdigit((unsigned char)line[0]))
        *number = strtoull(line, NULL, 10);
}

/* The command's name before them may hold anything. */
char proc_stat_fields(char *line, uint64_t *fields, size_t count)
{
    char *rest = strrchr(line, ')');
    memset(fields, 0, count * sizeof *fields);
    if (rest == NULL || rest[1] == '\0' || rest[2] == '\0')
        return 0;
    char state = rest[2];
    rest += 3;
    for (size_t field = 4; field < count; field++)
        fields[field] = strtoull(rest, &rest, 10);
    return state;
}

bool proc_cpu_ns(int process, uint64_t *ns)
{
    struct timespec cpu;
    clockid_t clock;
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &cpu) != 0)
        return false;
    *ns = (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec;
    return true;
}

bool proc_field(const char *line, const char *name, uint64_t *value)
{
    size_t length = strlen(name);
    if (strncmp(line, name, length) != 0)
        return false;
    *value = strtoull(line + length, NULL, 10);
    return true;
}
