/* Types of your own, for a runtime that is built on gc/.
 *
 * A type is a struct that begins with struct object, and one `const struct type`. The built-in
 * types use no other means. gc/tests/own_type_test.c is a whole example: a pair.
 *
 *     struct pair {
 *         struct object base;
 *         struct object *left;
 *         struct object *right;
 *     };
 *     const struct type pair_type = {
 *         .name = "pair",
 *         .size = OWN_TYPE_CONTAINER_BYTES + sizeof(struct pair),
 *         .heap_type = HEAP_INSTANCE,
 *         .flags = TYPE_IS_CONTAINER | TYPE_IS_GUARDED,
 *         .traverse = pair_traverse,
 *         .clear = pair_clear,
 *         .dealloc = pair_dealloc,
 *         .discard = pair_discard,
 *     };
 *
 * What the functions owe (struct type in object.h says when they are called):
 *  - traverse visits every reference that the object owns, and no other, and nothing twice that it
 *    owns once. It allocates nothing and changes no count.
 *  - clear empties each field that may be part of a cycle, then releases what was there
 *    (own_type_store with NULL does so). The object may be asked for more afterwards.
 *  - dealloc releases every reference, then calls own_type_free. It may be called on an object that
 *    was cleared before, or never filled.
 *  - discard, which may be left out, calls own_type_free and releases nothing.
 *  - TYPE_HAS_FINALIZER goes with finalize, TYPE_HAS_LEGACY_FINALIZER with finalize_legacy.
 *  - TYPE_HAS_WEAKREFS goes with weakrefs_offset, the offset of a `struct weakref_object *` in the
 *    object, which is NULL at first and gc/'s from then on.
 *  - TYPE_IS_GUARDED says that fields change through own_type_store alone. Without it the type is
 * as correct, and an incremental collector has more work with it. An atom, which refers to nothing,
 * is a type without TYPE_IS_CONTAINER: it has dealloc, and nothing else is called. Not in it:
 * finalizers and weak references.
 *
 * Heap types: HEAP_INSTANCE for containers, HEAP_STR for atoms; the others belong to free lists of
 * one size. */
#ifndef HEAPMILL_GC_OWN_TYPE_H
#define HEAPMILL_GC_OWN_TYPE_H

#include "gc/object.h"

enum {
    OWN_TYPE_CONTAINER_BYTES = 16, /* of the collector's header, before each container */
};

/* A new object of type, its count 1 and everything behind struct object zero. bytes is what the
 * object takes with its items, from struct object on. NULL: the heap is exhausted. A container may
 * be collected around meanwhile, as with every constructor; it is not tracked yet. */
void *own_type_alloc(struct runtime *runtime, const struct type *type, size_t bytes);
/* Hands a container whose fields are valid to the collector: call it once, as the constructor's
 * last step, and allocate no container between the two. */
void own_type_track(struct runtime *runtime, struct object *container);
/* Frees the block of an object that dies: dealloc's and discard's last step. bytes as allocated. */
void own_type_free(struct runtime *runtime, struct object *object, size_t bytes);
/* Puts value (NULL: nothing) into a field of container, which takes a reference of its own, and
 * releases what was there: any code may run then. */
void own_type_store(struct runtime *runtime, struct object *container, struct object **field,
                    struct object *value);

#endif
