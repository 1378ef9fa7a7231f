/* GetProcessMemoryInfo and GetProcessTimes; whether the system is Wine: its ntdll says so. */
#include "system/windows/process.h"

#include <string.h>

bool process_under_wine(void)
{
    static int known = -1;
    if (known < 0)
        known = GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;
    return known;
}

int process_read(HANDLE process, PROCESS_MEMORY_COUNTERS_EX *counters)
{
    counters->cb = sizeof *counters;
    if (!GetProcessMemoryInfo(process, (PROCESS_MEMORY_COUNTERS *)counters, sizeof *counters))
        return (int)GetLastError();
    return 0;
}

uint64_t process_time_ns(FILETIME time)
{
    return (((uint64_t)time.dwHighDateTime << 32) + time.dwLowDateTime) * 100;
}

int process_cpu_ns(HANDLE process, uint64_t *ns)
{
    FILETIME created, ended, kernel, user;
    if (!GetProcessTimes(process, &created, &ended, &kernel, &user))
        return (int)GetLastError();
    *ns = process_time_ns(kernel) + process_time_ns(user);
    return 0;
}

enum { COMMAND_BYTES = 32767 }; /* the most that CreateProcess takes */

struct line {
    char bytes[COMMAND_BYTES];
    size_t length;
};

static void add(struct line *line, char byte, size_t times)
{
    for (; times > 0 && line->length < sizeof line->bytes - 1; times--)
        line->bytes[line->length++] = byte;
    line->bytes[line->length] = '\0';
}

/* Backslashes are doubled before a quote only, as CommandLineToArgvW and C runtimes read them. */
static void add_word(struct line *line, const char *word)
{
    add(line, ' ', line->length > 0);
    add(line, '"', 1);
    for (;;) {
        size_t backslashes = strspn(word, "\\");
        word += backslashes;
        bool doubled = *word == '"' || *word == '\0';
        add(line, '\\', doubled ? 2 * backslashes : backslashes);
        if (*word == '\0')
            break;
        add(line, '\\', *word == '"');
        add(line, *word++, 1);
    }
    add(line, '"', 1);
}

char *process_command_line(char **words)
{
    static struct line line;
    line.length = 0;
    for (char **word = words; *word != NULL; word++)
        add_word(&line, *word);
    return line.bytes;
}
