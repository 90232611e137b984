/* Fetching ahead what a cycle is about to touch: an object, its vector or table, and what that
 * refers to first, each some places before its turn. Internal to ours_cycle.c. */
#ifndef HEAPMILL_GC_POLICIES_OURS_FETCH_H
#define HEAPMILL_GC_POLICIES_OURS_FETCH_H

#include "gc/objects.h"
#include "gc/policies/ours.h"
#include "gc/referents.h"

enum {
    /* In the queue: entries, objects, vectors and referents fetched so many places ahead. */
    OURS_FETCH_ENTRY = 16,
    OURS_FETCH_OBJECT = 12,
    OURS_FETCH_VECTOR = 6,
    OURS_FETCH_REFERENT = 3,
    OURS_FETCH_VALUES = 4, /* of a dict */
    OURS_CACHE_LINE = 64,
};

static inline void ours_fetch_vector(const struct object *object)
{
    if (registry_is_hole(object)) {
        return;
    }
    if (object->type == &dict_type) {
        /* An empty one has no table: C adds nothing to NULL, and fetching tolerates any address. */
        const uintptr_t keys = (uintptr_t)((const struct dict_object *)object)->keys;
        __builtin_prefetch((const void *)keys);
        __builtin_prefetch((const void *)(keys + OURS_CACHE_LINE));
    } else {
        referents_fetch_vector(object);
    }
}

static inline void ours_fetch_first(const struct object *object)
{
    if (registry_is_hole(object)) {
        return;
    }
    if (object->type->traverse == instance_type.traverse) {
        __builtin_prefetch(((const struct instance_object *)object)->attributes);
    } else if (object->type == &dict_type) {
        struct object *key = NULL;
        struct object *value = NULL;
        size_t position = 0;
        while (position < OURS_FETCH_VALUES && dict_next(object, &position, &key, &value)) {
            __builtin_prefetch(value);
        }
    } else {
        referents_fetch_first(object);
    }
}

/* In a pass over the registry. */
static inline void ours_fetch_entries(const struct registry *registry, const struct ours *ours)
{
    if (ours->cursor + OURS_FETCH_OBJECT < ours->members) {
        __builtin_prefetch(registry->entries[ours->cursor + OURS_FETCH_OBJECT]);
        ours_fetch_vector(registry->entries[ours->cursor + OURS_FETCH_VECTOR]);
        ours_fetch_first(registry->entries[ours->cursor + OURS_FETCH_REFERENT]);
    }
}

/* In the queue of a cycle. */
static inline void ours_fetch(const struct registry *registry, const struct ours *ours)
{
    const uint32_t *queue = ours->queue.items;
    uint32_t taken = ours->taken;
    if (taken + OURS_FETCH_ENTRY < ours->queue.length) {
        __builtin_prefetch(&registry->entries[queue[taken + OURS_FETCH_ENTRY]]);
        __builtin_prefetch(registry->entries[queue[taken + OURS_FETCH_OBJECT]]);
        ours_fetch_vector(registry->entries[queue[taken + OURS_FETCH_VECTOR]]);
        ours_fetch_first(registry->entries[queue[taken + OURS_FETCH_REFERENT]]);
    }
}

#endif
