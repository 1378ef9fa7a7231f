#include "folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "system/vm.h"

static int refuse(int status, const char *what, int error, const char *remedy)
{
    char system[256];
    vm_error_text(error, system, sizeof system);
    fprintf(stderr, "record: %s: %s%s\n", what, system, remedy);
    return status;
}

static int make(struct folder *folder, const char *asked, const char *name)
{
    int error = 0;
    if (asked != NULL) {
        snprintf(folder->path, sizeof folder->path, "%s", asked);
        error = output_make_folder(asked);
        folder->made = error == 0;
        return error == 0 || output_exists(error)
                   ? 0
                   : refuse(NOT_RECORDED, asked, error, "; name another folder by --output");
    }
    for (int number = 1; number < 100000; number++) {
        snprintf(folder->path, sizeof folder->path, "record-%s-%d", output_name(name), number);
        error = output_make_folder(folder->path);
        folder->made = error == 0;
        if (folder->made)
            return 0;
        if (!output_exists(error))
            break;
    }
    return refuse(NOT_RECORDED, folder->path, error, "; name another by --output");
}

static int open_log(struct folder *folder, struct log *log)
{
    snprintf(folder->log_path, sizeof folder->log_path, "%s/memory.log", folder->path);
    return log_open(log, folder->log_path);
}

int folder_open_within(const struct folder *outer, uint64_t process, struct folder *folder,
                       struct log *log)
{
    enum { LONGEST = sizeof folder->path - sizeof "/18446744073709551615" };
    snprintf(folder->path, sizeof folder->path, "%.*s/%" PRIu64, LONGEST, outer->path, process);
    int error = output_make_folder(folder->path);
    folder->made = error == 0;
    if (error == 0)
        error = open_log(folder, log);
    if (error != 0 && folder->made)
        folder_remove(folder);
    return error;
}

int folder_open(struct folder *folder, struct log *log, const struct record_options *options,
                const char *name)
{
    int status = make(folder, options->output, name);
    if (status != 0)
        return status;
    bool others = !folder->made && output_holds(folder->path);
    int error = open_log(folder, log);
    if (error == 0 && others) {
        log_close(log);
        folder_remove(folder);
        fprintf(stderr,
                "record: --output: '%s' holds other files; name a folder that is not there yet, or "
                "is empty\n",
                folder->path);
        return RECORD_USAGE;
    }
    if (error == 0)
        return 0;
    return output_exists(error)
               ? refuse(RECORD_USAGE, folder->log_path, error,
                        "; a recording is never overwritten: name another folder by --output")
               : refuse(NOT_RECORDED, folder->log_path, error, "");
}

void folder_remove(const struct folder *folder)
{
    output_remove(folder->log_path, folder->made ? folder->path : NULL);
}

void folder_log_command(struct log *log, char **words)
{
    log_add(log, "# command");
    for (char **word = words; *word != NULL; word++) {
        log_add(log, " ");
        log_add_escaped(log, *word);
    }
}
