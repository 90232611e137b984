/* Freeing trash.
 *
 * Plain trash, when no code can run meanwhile: nothing but trash refers to trash, so references
 * among members need not be released, and no member's count is looked at. The references to others
 * are released first, as a referent's index says whether it is trash; then all members are
 * discarded, in the order of the registry. A container that refers to one other and to nothing else
 * needs no look at its referent even so: the sweep has noted the index.
 *
 * Others in bulk: each container's references are released in one pass, none of which deallocates a
 * member of the trash. A member whose count has come to zero and which has been passed is
 * discarded: its blocks are freed, and its fields are not looked at again. That is all that remains
 * of CPython's incref, clear, decref for each (delete_garbage, Modules/gcmodule.c, 3.11), and the C
 * stack does not grow with the trash's chains.
 *
 * One by one, in CPython's way, when a member is of a type without discard. */
#include "gc/class.h"
#include "gc/find.h"
#include "gc/objects.h"
#include "gc/referents.h"
#include "gc/runtime.h"
#include "gc/trash.h"

enum {
    TRASH_FETCH_OBJECT = 16,
    TRASH_FETCH_VECTOR = 8,
    TRASH_FETCH_REFERENT = 4,
};

struct trash_bulk {
    struct runtime *runtime;
    const struct gc_trash *trash;
    uint32_t current; /* the index of the one whose references are being released */
    uint64_t freed;
};

static inline void trash_discard(struct trash_bulk *bulk, struct object *object)
{
    runtime_untrack(bulk->runtime, object);
    object->type->discard(bulk->runtime, object);
    bulk->freed++;
}

/* The count has come to zero. */
static inline void trash_dropped(struct trash_bulk *bulk, struct object *object)
{
    if (object->index == 0 || !gc_is_in_trash(object)) {
        object_release(bulk->runtime, object); /* which knows what a biased one needs */
    } else if (object->index < bulk->current) {
        trash_discard(bulk, object);
    }
}

static inline int trash_release(struct object *referent, void *context)
{
    struct trash_bulk *bulk = context;
    if (object_drop_stopped(referent)) {
        if (object_getrefcount(referent) == 0) {
            trash_dropped(bulk, referent);
        } else {
            object_released(bulk->runtime, referent);
        }
    }
    return 0;
}

/* As the find's: see there. */
static inline void trash_fetch(const struct registry *registry, const struct gc_trash *trash,
                               uint32_t k)
{
    if (k + TRASH_FETCH_OBJECT < trash->length) {
        const struct object *object = registry->entries[trash->indices[k + TRASH_FETCH_OBJECT]];
        if (!registry_is_hole(object)) {
            __builtin_prefetch(object);
            __builtin_prefetch(gc_head_of(object), 1); /* another line, in every second block */
        }
        object = registry->entries[trash->indices[k + TRASH_FETCH_VECTOR]];
        if (!registry_is_hole(object)) {
            referents_fetch_vector(object);
        }
        object = registry->entries[trash->indices[k + TRASH_FETCH_REFERENT]];
        if (!registry_is_hole(object)) {
            referents_fetch_first(object);
        }
    }
}

static uint64_t trash_free_bulk(struct runtime *runtime, const struct gc_trash *trash)
{
    struct registry *registry = &runtime->collector.registry;
    struct trash_bulk bulk = {.runtime = runtime, .trash = trash};
    for (uint32_t k = 0; k < trash->length; k++) {
        trash_fetch(registry, trash, k);
        struct object *object = gc_trash_object(registry, trash, k);
        if (object == NULL) {
            continue;
        }
        bulk.current = object->index;
        if (object->type->flags & TYPE_IS_CLASS_INSTANCE) {
            object_incref(class_of_instance(object)); /* for discard, which needs the type */
        }
        referents_visit(object, trash_release, &bulk);
        if (object_getrefcount(object) == 0) {
            trash_discard(&bulk, object);
        }
    }
    return bulk.freed;
}

/* ---------------------------------------------------------------- plain trash */
static inline bool trash_is_plain_member(const struct trash_bulk *bulk, uint32_t index)
{
    const struct gc_range *range = &bulk->trash->range;
    return index - range->begin < range->end - range->begin &&
           (bulk->runtime->collector.registry.marks[index] & GC_MARK_ALIVE) == 0;
}

static inline int trash_release_outside(struct object *referent, void *context)
{
    struct trash_bulk *bulk = context;
    if (!trash_is_plain_member(bulk, referent->index)) {
        object_decref(bulk->runtime, referent);
    }
    return 0;
}

/* The references of all but the sole ones. */
static void trash_release_plain(struct trash_bulk *bulk)
{
    const struct registry *registry = &bulk->runtime->collector.registry;
    const struct gc_range range = bulk->trash->range;
    uint32_t i = range.begin;
    while ((i = gc_next_unmarked(registry->marks, i, range.end)) < range.end) {
        if ((registry->marks[i] & FIND_SOLE) != FIND_SOLE) {
            referents_visit(registry->entries[i], trash_release_outside, bulk);
        }
        i++;
    }
}

/* The one reference of a sole member, which leads out of the trash or to a member that may be gone.
 */
static inline void trash_release_sole(struct trash_bulk *bulk, struct object *object, uint32_t i)
{
    const struct registry *registry = &bulk->runtime->collector.registry;
    if (!trash_is_plain_member(bulk, registry->numbers[i])) {
        referents_visit(object, trash_release_outside, bulk);
    }
}

/* The blocks that are freed next: where they are is all that counts, as they are written to. */
static inline void trash_fetch_plain(const struct registry *registry, uint32_t i, uint32_t end)
{
    if (i + TRASH_FETCH_OBJECT < end) {
        const uint8_t *marks = registry->marks + i;
        struct object *const *entries = registry->entries + i;
        if ((marks[TRASH_FETCH_OBJECT] & GC_MARK_ALIVE) == 0) {
            __builtin_prefetch(entries[TRASH_FETCH_OBJECT]);
            __builtin_prefetch(gc_head_of(entries[TRASH_FETCH_OBJECT]), 1);
        }
        if ((marks[TRASH_FETCH_VECTOR] & GC_MARK_ALIVE) == 0) {
            referents_fetch_vector(entries[TRASH_FETCH_VECTOR]);
        }
    }
}

/* As runtime_untrack, but that nothing is written to what will be no more. */
static inline void trash_discard_plain(struct trash_bulk *bulk, struct object *object, uint32_t i)
{
    struct collector *collector = &bulk->runtime->collector;
    if (__builtin_expect(gc_head_of(object)->flags & GC_FLAG_WATCHED, false)) {
        runtime_untracking(bulk->runtime, object);
    }
    collector->registry.entries[i] = (struct object *)(uintptr_t)1;
    collector->registry.holes++;
    object->type->discard(bulk->runtime, object);
    bulk->freed++;
}

static uint64_t trash_free_plain(struct runtime *runtime, const struct gc_trash *trash)
{
    const struct registry *registry = &runtime->collector.registry;
    const struct gc_range range = trash->range;
    struct trash_bulk bulk = {.runtime = runtime, .trash = trash};
    trash_release_plain(&bulk);
    uint32_t i = range.begin;
    while ((i = gc_next_unmarked(registry->marks, i, range.end)) < range.end) {
        struct object *object = registry->entries[i];
        trash_fetch_plain(registry, i, range.end);
        if ((registry->marks[i] & FIND_SOLE) == FIND_SOLE) {
            trash_release_sole(&bulk, object, i);
        }
        trash_discard_plain(&bulk, object, i);
        i++;
    }
    return bulk.freed;
}

/* ---------------------------------------------------------------- one by one */
/* Clears one after the other, and reference counts do the rest. Dead ones leave holes. */
static uint64_t trash_free_singly(struct runtime *runtime, const struct gc_trash *trash)
{
    struct registry *registry = &runtime->collector.registry;
    uint64_t members = 0;
    for (uint32_t k = 0; k < trash->length; k++) {
        members += gc_trash_object(registry, trash, k) != NULL;
    }
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = gc_trash_object(registry, trash, k);
        if (object != NULL) {
            /* A reference of our own, so that the object outlives its own clear. */
            object_incref(object);
            object->type->clear(runtime, object);
            object_decref(runtime, object);
        }
    }
    return members;
}

uint64_t gc_trash_free(struct runtime *runtime, const struct gc_trash *trash)
{
    if (trash->plain) {
        return trash_free_plain(runtime, trash);
    }
    return trash->no_discard ? trash_free_singly(runtime, trash) : trash_free_bulk(runtime, trash);
}
