#include "folder.h"

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

static const char *last_part(const char *path)
{
    const char *part = path;
    for (; *path != '\0'; path++)
        if (*path == '/' || *path == '\\')
            part = path + 1;
    return part;
}

static int make(struct folder *folder, const char *asked, const char *name)
{
    int error = 0;
    if (asked != NULL) {
        snprintf(folder->path, sizeof folder->path, "%s", asked);
        error = output_make_folder(asked);
        return error == 0 || output_exists(error) ? 0 : refuse(NOT_RECORDED, asked, error, "");
    }
    for (int number = 1; number < 100000; number++) {
        snprintf(folder->path, sizeof folder->path, "record-%s-%d", last_part(name), number);
        error = output_make_folder(folder->path);
        if (error == 0)
            return 0;
        if (!output_exists(error))
            break;
    }
    return refuse(NOT_RECORDED, folder->path, error, "; name another by --output");
}

int folder_open(struct folder *folder, struct log *log, const struct record_options *options,
                const char *name)
{
    int status = make(folder, options->output, name);
    if (status != 0)
        return status;
    snprintf(folder->log_path, sizeof folder->log_path, "%s/memory.log", folder->path);
    int error = log_open(log, folder->log_path);
    if (error == 0)
        return 0;
    return output_exists(error)
               ? refuse(RECORD_USAGE, folder->log_path, error,
                        "; a recording is never overwritten: name another folder by --output")
               : refuse(NOT_RECORDED, folder->log_path, error, "");
}

void folder_remove(const struct folder *folder)
{
    output_remove(folder->log_path, folder->path);
}

void folder_log_command(struct log *log, char **words)
{
    log_add(log, "# command");
    for (char **word = words; *word != NULL; word++) {
        log_add(log, " ");
        log_add_escaped(log, *word);
    }
}
