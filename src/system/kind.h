/* Names of the kinds of something: of guard pages, of traps. Each system keeps a table of what it
 * has, ended by a name of NULL; the first is the default. */
#ifndef KIND_H
#define KIND_H

#include <stdbool.h>

struct kind {
    const char *name;
    int value; /* of the enum that the table is of */
};

/* False if `name` is none of the table's. */
bool kind_find(const struct kind *kinds, const char *name, int *value);

/* NULL if the table has no such kind. */
const char *kind_name(const struct kind *kinds, int value);

#endif
