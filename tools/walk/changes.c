/* Two tables of regions, the last look's and this one's, merged by their starts. A region takes 48
 * bytes in each, and names, which repeat, are kept once. */
#include "changes.h"

#include <stdlib.h>
#include <string.h>

struct kept {
    uint64_t start, end, commit, resident;
    uint32_t name; /* offset of the chain's link before it */
    uint8_t state, kind, known;
    char protection[5];
};

struct table {
    struct kept *regions;
    size_t count, room;
};

static struct table tables[2];
static int current;

/* Each name stands behind the offset of the next with the same hash; 0 ends such a chain. */
static struct {
    char *bytes;
    size_t length, room;
    uint32_t chains[1 << 14];
} names;

static bool grow(void **memory, size_t *room, size_t needed, size_t item)
{
    if (needed <= *room)
        return true;
    size_t larger = needed + needed / 4 + 1024;
    void *moved = realloc(*memory, larger * item);
    if (moved == NULL)
        return false;
    *memory = moved;
    *room = larger;
    return true;
}

static uint32_t *chain_of(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return &names.chains[(hash ^ hash >> 16) % (sizeof names.chains / sizeof names.chains[0])];
}

static const char *name_at(uint32_t offset)
{
    return names.bytes + offset + sizeof offset;
}

static bool add_name(const char *name, uint32_t *chain)
{
    size_t length = sizeof *chain + strlen(name) + 1;
    size_t at = names.length > 0 ? names.length : sizeof *chain; /* 0 is no name's */
    void *bytes = names.bytes;
    if (at + length > UINT32_MAX || !grow(&bytes, &names.room, at + length, 1))
        return false;
    names.bytes = bytes;
    memcpy(names.bytes + at, chain, sizeof *chain);
    memcpy(names.bytes + at + sizeof *chain, name, length - sizeof *chain);
    *chain = (uint32_t)at;
    names.length = at + length;
    return true;
}

static bool keep_name(const char *name, uint32_t *offset)
{
    uint32_t *chain = chain_of(name);
    for (uint32_t at = *chain; at != 0; memcpy(&at, names.bytes + at, sizeof at))
        if (strcmp(name_at(at), name) == 0) {
            *offset = at;
            return true;
        }
    if (!add_name(name, chain))
        return false;
    *offset = *chain;
    return true;
}

void changes_begin(void)
{
    current = !current;
    tables[current].count = 0;
}

bool changes_keep(const struct space_region *region)
{
    struct table *table = &tables[current];
    void *regions = table->regions;
    struct kept kept = {
        .start = region->start,
        .end = region->end,
        .commit = region->commit_bytes.value,
        .resident = region->resident_bytes.value,
        .state = (uint8_t)region->state,
        .kind = (uint8_t)region->kind,
        .known = (uint8_t)(region->commit_bytes.known + 2 * region->resident_bytes.known)};
    memcpy(kept.protection, region->protection, sizeof kept.protection);
    if (!keep_name(region->name, &kept.name) ||
        !grow(&regions, &table->room, table->count + 1, sizeof kept))
        return false;
    table->regions = regions;
    table->regions[table->count++] = kept;
    return true;
}

static struct space_region restore(const struct kept *kept)
{
    struct space_region region = {.start = kept->start,
                                  .end = kept->end,
                                  .state = (enum space_state)kept->state,
                                  .kind = (enum space_kind)kept->kind,
                                  .commit_bytes = {kept->commit, (kept->known & 1) != 0},
                                  .resident_bytes = {kept->resident, (kept->known & 2) != 0},
                                  .name = name_at(kept->name)};
    memcpy(region.protection, kept->protection, sizeof kept->protection);
    return region;
}

static bool same(const struct kept *a, const struct kept *b)
{
    return a->start == b->start && a->end == b->end && a->commit == b->commit &&
           a->resident == b->resident && a->state == b->state && a->kind == b->kind &&
           a->name == b->name && memcmp(a->protection, b->protection, sizeof a->protection) == 0;
}

static struct meter_count difference(uint64_t before, uint64_t after, bool known)
{
    return (struct meter_count){after - before, known};
}

static void fill(struct entry *entry, const char *change, const struct kept *before,
                 const struct kept *after)
{
    const struct kept none = {0};
    entry->change = change;
    entry->region = restore(after != NULL ? after : before);
    before = before != NULL ? before : &none;
    after = after != NULL ? after : &none;
    entry->commit_change_bytes =
        difference(before->commit, after->commit, entry->region.commit_bytes.known);
    entry->resident_change_bytes =
        difference(before->resident, after->resident, entry->region.resident_bytes.known);
}

void changes_write(struct entry *entry, void (*write)(const struct entry *entry, void *context),
                   void *context)
{
    const struct table *before = &tables[!current], *after = &tables[current];
    for (size_t i = 0, k = 0; i < before->count || k < after->count;) {
        const struct kept *old = i < before->count ? &before->regions[i] : NULL;
        const struct kept *now = k < after->count ? &after->regions[k] : NULL;
        if (old != NULL && now != NULL && (old->start == now->start || old->end == now->end)) {
            fill(entry, "changed", old, now);
            i++;
            k++;
            if (same(old, now))
                continue;
        } else if (old != NULL && (now == NULL || old->start < now->start)) {
            fill(entry, "gone", old, NULL);
            i++;
        } else if (now != NULL) {
            fill(entry, "new", NULL, now);
            k++;
        }
        write(entry, context);
    }
}
