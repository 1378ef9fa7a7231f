/* Where rows go: a file or standard output, bytes as they are, each write done when it returns.
 *
 * Functions that return int return 0 or the system's error code. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output {
    intptr_t handle; /* the system's own */
};

/* To be called first: where a standard stream is closed, takes its place, so that no file that is
 * opened later does. Writing there still fails. */
int output_reserve_standard(void);

/* Opens the file at `path`, or creates it, and leaves what it holds; "-" is standard output. An
 * error where it can't be written. */
int output_open(const char *path, struct output *output);

/* Creates the file, which must not exist, to add to its end; it never takes the place of a standard
 * stream. And a folder. */
int output_create(const char *path, struct output *output);
int output_make_folder(const char *path);

/* The last part of a path, behind what separates folders here. */
const char *output_name(const char *path);

/* Whether an error of these two says that there is something already. */
bool output_exists(int error);

/* Whether a folder has something in it; false where that can't be told. */
bool output_holds(const char *folder);

/* Removes a file, and the folder at `folder`, unless that is NULL, if it is empty then. Best
 * effort. */
void output_remove(const char *path, const char *folder);

/* True if rows of both would get mixed up in one file, pipe or socket. */
bool output_same(const struct output *a, const struct output *b);

/* True if it is the file at `path`. */
bool output_is_at(const struct output *output, const char *path);

/* True if somebody reads along. */
bool output_is_terminal(const struct output *output);

/* Empties a file; does nothing to what holds nothing, such as a pipe or a terminal. Standard output
 * stays as it is: whoever redirected it chose to empty it or to go on at its end. */
int output_empty(const struct output *output);

/* Writes all of it. */
int output_write(const struct output *output, const char *bytes, size_t size);

int output_close(const struct output *output);

#endif
