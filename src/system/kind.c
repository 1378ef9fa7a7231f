/* Looks names up in a table of kinds. */
#include "system/kind.h"

#include <stddef.h>
#include <string.h>

bool kind_find(const struct kind *kinds, const char *name, int *value)
{
    for (; kinds->name != NULL; kinds++)
        if (strcmp(kinds->name, name) == 0) {
            *value = kinds->value;
            return true;
        }
    return false;
}

const char *kind_name(const struct kind *kinds, int value)
{
    for (; kinds->name != NULL; kinds++)
        if (kinds->value == value)
            return kinds->name;
    return NULL;
}
