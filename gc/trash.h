/* The trash of one collection: the containers that were found unreachable, until they are freed.
 * Internal to gc/.
 *
 * While they are trash they stay in the registry, and carry GC_FLAG_TRASH. The vector holds their
 * indices, ascending, in registry.numbers: it needs no memory of its own. A container that dies
 * meanwhile, as a finalizer may bring about, leaves a hole at its index; nothing takes its place
 * before the trash is freed, since it is not in the youngest range (registry_seal), and no entry
 * moves (collector.h, "While the program's code runs"). So nobody needs to hold references to the
 * trash.
 *
 * Order, that of gc_trash_dispose: gc_trash_process (what has legacy finalizers set aside, weak
 * references cleared, callbacks, finalizers once each, what was resurrected taken out),
 * gc_trash_free, gc_trash_finish. */
#ifndef HEAPMILL_GC_TRASH_H
#define HEAPMILL_GC_TRASH_H

#include "gc/collector.h"

struct gc_trash {
    uint32_t *indices;
    uint32_t length;
    unsigned type_flags; /* all that any member's type has: what processing is needed */
    bool no_discard;     /* a member's type has no discard */
    /* By gc_trash_process: members that save_all has kept, and weak references outside of the trash
     * that died of their own callbacks, which CPython counts as collected too. */
    uint32_t saved;
    uint32_t called;
    /* Members with legacy finalizers, and what these refer to, that have not died with the rest: by
     * gc_trash_finish. */
    uint32_t uncollectable;
    /* No examined container has weak references or finalizers, and all have a discard: nothing is
     * to be processed, and membership is by the registry's marks; no header is flagged, and there
     * are no indices. Set before finding where that is wanted. */
    bool plain;
    struct gc_range range; /* that was examined; for plain trash */
};

/* Member number k; NULL: it has died meanwhile, or is trash no more. */
static inline struct object *gc_trash_object(const struct registry *registry,
                                             const struct gc_trash *trash, uint32_t k)
{
    struct object *object = registry_object(registry, trash->indices[k]);
    return object != NULL && gc_is_in_trash(object) ? object : NULL;
}

/* Enters a container: flags it, and gathers its type's flags. Indices must come in ascending order.
 */
static inline void gc_trash_add(struct gc_trash *trash, struct object *object)
{
    struct gc_head *head = gc_head_of(object);
    object_merge(object);
    trash->type_flags |= object->type->flags;
    trash->no_discard |= object->type->discard == NULL;
    head->flags |= GC_FLAG_TRASH;
    trash->indices[trash->length++] = object->index;
}

/* Takes a member out: it survives where it is. Its place in the vector stays, and is skipped. */
static inline void gc_trash_keep(struct object *object)
{
    gc_head_of(object)->flags &= ~(uint32_t)GC_FLAG_TRASH;
}

/* Everything between finding and freeing. On return the trash is what is to be freed: nothing but
 * trash refers to it, and no code of the program's will run for it. */
void gc_trash_process(struct runtime *runtime, struct gc_trash *trash);

/* Frees the trash; nothing outside of it refers to it. Returns the number of containers freed. The
 * references that it has to others are released, which may free those. */
uint64_t gc_trash_free(struct runtime *runtime, const struct gc_trash *trash);

/* The trash is gone. What was set aside and is still there is uncollectable: it goes to the list of
 * garbage, as far as it has a legacy finalizer. */
void gc_trash_finish(struct runtime *runtime, struct gc_trash *trash);

/* All three, of trash that is not empty. Returns the number of containers freed. */
uint64_t gc_trash_dispose(struct runtime *runtime, struct gc_trash *trash);

#endif
