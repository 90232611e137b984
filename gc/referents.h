/* Passing over an object's references without a call for each. Internal to gc/. */
#ifndef HEAPMILL_GC_REFERENTS_H
#define HEAPMILL_GC_REFERENTS_H

#include "gc/objects.h"

enum { REFERENTS_AHEAD = 12 }; /* referents fetched ahead within a long vector */

static inline __attribute__((always_inline)) void
referents_visit_vector(struct object *const *items, size_t length, object_visit *visit,
                       void *context)
{
    size_t i = 0;
    if (length > REFERENTS_AHEAD) {
        for (; i < length - REFERENTS_AHEAD; i++) {
            __builtin_prefetch(items[i + REFERENTS_AHEAD]);
            if (items[i] != NULL) {
                (void)visit(items[i], context);
            }
        }
    }
    for (; i < length; i++) {
        if (items[i] != NULL) {
            (void)visit(items[i], context);
        }
    }
}

/* As type->traverse, for a visit that never stops it. visit is a constant where this is used, so
 * that it is inlined for the common types. */
static inline __attribute__((always_inline)) void
referents_visit(struct object *object, object_visit *visit, void *context)
{
    const struct type *type = object->type;
    if (type->layout == TYPE_LAYOUT_LIST) {
        const struct list_object *list = (const struct list_object *)object;
        referents_visit_vector(list->items, list->length, visit, context);
    } else if (type->layout == TYPE_LAYOUT_TUPLE) {
        const struct tuple_object *tuple = (const struct tuple_object *)object;
        referents_visit_vector(tuple->items, tuple->length, visit, context);
    } else {
        (void)type->traverse(object, visit, context);
    }
}

/* Fetches what referents_visit will look at first: object itself is in cache. */
static inline void referents_fetch_vector(const struct object *object)
{
    if (object->type->layout == TYPE_LAYOUT_LIST) {
        __builtin_prefetch(((const struct list_object *)object)->items);
    }
}

/* Fetches the first referent: the vector is in cache. */
static inline void referents_fetch_first(const struct object *object)
{
    if (object->type->layout == TYPE_LAYOUT_LIST) {
        const struct list_object *list = (const struct list_object *)object;
        if (list->length > 0) {
            __builtin_prefetch(list->items[0]);
        }
    } else if (object->type->layout == TYPE_LAYOUT_TUPLE) {
        const struct tuple_object *tuple = (const struct tuple_object *)object;
        if (tuple->length > 0) {
            __builtin_prefetch(tuple->items[0]);
        }
    }
}

#endif
