/* Files are overwritten in place. */
#define _GNU_SOURCE
#include "tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

enum { FILES_MAX = 64, PATH_MAX_BYTES = 512 };

static char root[PATH_MAX_BYTES];

static struct file {
    const char *path;
    int handle;
} files[FILES_MAX];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static void remove_tree(void)
{
    nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *tree_root(void)
{
    if (*root == '\0') {
        const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(root, sizeof root, "%s/vmcommit-fuzz-XXXXXX", folder);
        FUZZ_CHECK(mkdtemp(root) != NULL);
        atexit(remove_tree);
    }
    return root;
}

static int open_file(const char *path)
{
    char whole[2 * PATH_MAX_BYTES];
    snprintf(whole, sizeof whole, "%s%s", tree_root(), path);
    for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(whole, 0777);
        *slash = '/';
    }
    int handle = open(whole, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    FUZZ_CHECK(handle >= 0);
    return handle;
}

static int handle_of(const char *path)
{
    struct file *file = files;
    while (file->path != NULL && strcmp(file->path, path) != 0)
        FUZZ_CHECK(++file < files + FILES_MAX);
    if (file->path == NULL)
        *file = (struct file){path, open_file(path)};
    return file->handle;
}

void tree_put(const char *path, const void *bytes, size_t size)
{
    int handle = handle_of(path);
    FUZZ_CHECK(ftruncate(handle, 0) == 0);
    FUZZ_CHECK(size == 0 || pwrite(handle, bytes, size, 0) == (ssize_t)size);
}

void growing_add(struct growing *text, const char *format, ...)
{
    enum { PIECE_MAX = 4096 };
    if (text->length + PIECE_MAX > text->room) {
        text->room = 2 * text->room + PIECE_MAX;
        text->bytes = realloc(text->bytes, text->room);
        FUZZ_CHECK(text->bytes != NULL);
    }
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->bytes + text->length, PIECE_MAX, format, arguments);
    va_end(arguments);
    FUZZ_CHECK(length >= 0 && length < PIECE_MAX);
    text->length += (size_t)length;
}
