/* The names of states and kinds, which all systems share. */
#include "system/space.h"

const struct kind space_states[] = {
    {"free", SPACE_FREE},
    {"reserved", SPACE_RESERVED},
    {"committed", SPACE_COMMITTED},
    {"guard", SPACE_GUARD},
    {"inaccessible", SPACE_INACCESSIBLE},
    {"uncharged", SPACE_UNCHARGED},
    {"shared", SPACE_SHARED},
    {"file", SPACE_FILE},
    {NULL, 0},
};

const struct kind space_kinds[] = {
    {"anonymous", SPACE_KIND_ANONYMOUS},
    {"heap", SPACE_KIND_HEAP},
    {"stack", SPACE_KIND_STACK},
    {"image", SPACE_KIND_IMAGE},
    {"file", SPACE_KIND_FILE},
    {"shared", SPACE_KIND_SHARED},
    {"huge", SPACE_KIND_HUGE},
    {"system", SPACE_KIND_SYSTEM},
    {NULL, 0},
};
