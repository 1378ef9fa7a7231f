/* What differs between looks, as walk --every tells it. */
#include "../../tools/walk/changes.h"

#include "check.h"
#include "text.h"

static char lines[4096];
static struct text text;

static struct space_region region(uint64_t start, uint64_t end, enum space_state state,
                                  uint64_t commit, uint64_t resident, const char *name)
{
    return (struct space_region){.start = start,
                                 .end = end,
                                 .state = state,
                                 .kind = SPACE_KIND_ANONYMOUS,
                                 .protection = "rw-p",
                                 .commit_bytes = {commit, true},
                                 .resident_bytes = {resident, true},
                                 .name = name};
}

static void keep(uint64_t start, uint64_t end, enum space_state state, uint64_t commit,
                 uint64_t resident, const char *name)
{
    struct space_region kept = region(start, end, state, commit, resident, name);
    CHECK(changes_keep(&kept));
}

static void add_line(const struct entry *entry, void *context)
{
    (void)context;
    text_add(&text, "%s %d-%d %s %d %d %s\n", entry->change, (int)entry->region.start,
             (int)entry->region.end, kind_name(space_states, (int)entry->region.state),
             (int)(int64_t)entry->commit_change_bytes.value,
             (int)(int64_t)entry->resident_change_bytes.value, entry->region.name);
}

static const char *differences(void)
{
    struct entry entry = {0};
    text = text_in(lines, sizeof lines);
    changes_write(&entry, add_line, NULL);
    return lines;
}

/* Each look follows from the one before it. */
static void check_looks(void)
{
    changes_begin();
    keep(10, 20, SPACE_COMMITTED, 10, 4, "a");
    keep(20, 60, SPACE_RESERVED, 0, 0, "");
    keep(90, 95, SPACE_COMMITTED, 5, 5, "b");
    CHECK_TEXT(differences(), "new 10-20 committed 10 4 a\n"
                              "new 20-60 reserved 0 0 \n"
                              "new 90-95 committed 5 5 b\n");

    changes_begin(); /* the committed part grows into the reserved one */
    keep(10, 28, SPACE_COMMITTED, 18, 9, "a");
    keep(28, 60, SPACE_RESERVED, 0, 0, "");
    keep(90, 95, SPACE_COMMITTED, 5, 5, "b");
    CHECK_TEXT(differences(), "changed 10-28 committed 8 5 a\n"
                              "changed 28-60 reserved 0 0 \n");

    changes_begin(); /* nothing */
    keep(10, 28, SPACE_COMMITTED, 18, 9, "a");
    keep(28, 60, SPACE_RESERVED, 0, 0, "");
    keep(90, 95, SPACE_COMMITTED, 5, 5, "b");
    CHECK_TEXT(differences(), "");

    changes_begin(); /* one goes, one comes, one is called otherwise, one loses its pages */
    keep(10, 28, SPACE_COMMITTED, 18, 0, "a");
    keep(70, 80, SPACE_GUARD, 0, 0, "");
    keep(90, 95, SPACE_COMMITTED, 5, 5, "c");
    CHECK_TEXT(differences(), "changed 10-28 committed 0 -9 a\n"
                              "gone 28-60 reserved 0 0 \n"
                              "new 70-80 guard 0 0 \n"
                              "changed 90-95 committed 0 0 c\n");

    changes_begin(); /* one grows downwards, as a stack does */
    keep(85, 95, SPACE_COMMITTED, 10, 6, "c");
    CHECK_TEXT(differences(), "gone 10-28 committed -18 0 a\n"
                              "gone 70-80 guard 0 0 \n"
                              "changed 85-95 committed 5 1 c\n");
}

/* Names are kept once, whatever their number. */
static void check_many(void)
{
    enum { MANY = 50000 };
    char name[32];
    for (int look = 0; look < 3; look++) {
        changes_begin();
        for (int i = 0; i < MANY; i++) {
            snprintf(name, sizeof name, "/file/%d", i);
            keep((uint64_t)i * 10, (uint64_t)i * 10 + 5, SPACE_FILE, 0, 0, name);
        }
    }
    CHECK_TEXT(differences(), "");
}

int main(void)
{
    check_looks();
    check_many();
    return check_result();
}
