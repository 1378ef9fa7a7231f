/* The folder of a recording, and the log in it. */
#ifndef FOLDER_H
#define FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"
#include "options.h"

struct folder {
    char path[4096];
    char log_path[4200];
    bool made; /* here; else it was there, and was empty */
};

/* Makes the folder that is asked for, or the next with `name`, the path of a program, that is free,
 * and opens a log in it. Returns 0, or an exit status after one line. */
int folder_open(struct folder *folder, struct log *log, const struct record_options *options,
                const char *name);

/* Makes a folder in `outer`, with the number of a process as its name, and opens a log in it.
 * Returns 0 or the system's error code; nothing that it made is left then. */
int folder_open_within(const struct folder *outer, uint64_t process, struct folder *folder,
                       struct log *log);

/* Removes what folder_open made, and not a folder that was there before. */
void folder_remove(const struct folder *folder);

/* Adds "# command WORD WORD". */
void folder_log_command(struct log *log, char **words);

#endif
