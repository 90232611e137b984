/* Looking at the containers, and the list of garbage, callbacks and freezing. */
#include "gc/introspect.h"

#include <string.h>

#include "common/os_memory.h"
#include "gc/objects.h"
#include "gc/runtime.h"

/* ---------------------------------------------------------------- looking */
/* A policy that has biased the container hears of its being handed out. */
static int introspect_visit_range(struct runtime *runtime, uint32_t begin, uint32_t end,
                                  object_visit *visit, void *context)
{
    const struct collector *collector = &runtime->collector;
    for (uint32_t i = begin; i < end; i++) {
        struct object *object = registry_object(&collector->registry, i);
        if (object == NULL || gc_is_in_trash(object)) {
            continue;
        }
        if (object_is_biased(object)) {
            collector->policy->written(runtime, object, object);
        }
        int result = visit(object, context);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

int gc_visit_objects(struct runtime *runtime, int generation, object_visit *visit, void *context)
{
    const struct registry *registry = &runtime->collector.registry;
    OBJECT_ASSERT(generation >= -1 && generation < GC_GENERATIONS);
    if (generation < 0) {
        return introspect_visit_range(runtime, 1, registry->length, visit, context);
    }
    uint32_t end = generation == 0 ? registry->length : registry->starts[generation - 1];
    return introspect_visit_range(runtime, registry->starts[generation], end, visit, context);
}

int gc_visit_referents(struct object *object, object_visit *visit, void *context)
{
    return object_is_container(object) ? object->type->traverse(object, visit, context) : 0;
}

struct introspect_search {
    const struct object *wanted;
    object_visit *visit;
    void *context;
};

static int introspect_is_wanted(struct object *referent, void *context)
{
    return referent == (const struct object *)context;
}

static int introspect_visit_referrer(struct object *object, void *context)
{
    const struct introspect_search *search = context;
    void *wanted = (void *)(uintptr_t)search->wanted;
    return object->type->traverse(object, introspect_is_wanted, wanted) == 0
               ? 0
               : search->visit(object, search->context);
}

int gc_visit_referrers(struct runtime *runtime, const struct object *object, object_visit *visit,
                       void *context)
{
    struct introspect_search search = {object, visit, context};
    return gc_visit_objects(runtime, -1, introspect_visit_referrer, &search);
}

/* ---------------------------------------------------------------- freezing */
void gc_freeze(struct runtime *runtime)
{
    struct registry *registry = &runtime->collector.registry;
    /* No policy has seen the new ones yet: what is in their marks is of a collection before. */
    memset(registry->marks + registry->starts[0], 0, registry->length - registry->starts[0]);
    registry_seal(registry);
    for (int i = 0; i < GC_GENERATIONS; i++) {
        registry->starts[i] = registry->length;
    }
}

void gc_unfreeze(struct runtime *runtime)
{
    runtime->collector.registry.starts[GC_GENERATIONS - 1] = 1;
}

uint64_t gc_freeze_count(const struct runtime *runtime)
{
    const struct registry *registry = &runtime->collector.registry;
    uint64_t count = 0;
    for (uint32_t i = 1; i < registry->starts[GC_GENERATIONS - 1]; i++) {
        count += registry_object(registry, i) != NULL;
    }
    return count;
}

/* ---------------------------------------------------------------- immortal objects */
enum { INTROSPECT_IMMORTALS_FIRST = 512 /* objects; one page */ };

/* false: the system refuses memory. */
static bool introspect_grow_immortals(struct gc_immortals *immortals)
{
    size_t capacity =
        immortals->capacity == 0 ? INTROSPECT_IMMORTALS_FIRST : immortals->capacity * 2;
    struct object **objects = os_map_scratch(capacity * sizeof(struct object *));
    if (objects == NULL) {
        return false;
    }
    if (immortals->objects != NULL) {
        memcpy(objects, immortals->objects, immortals->length * sizeof(struct object *));
        os_unmap(immortals->objects, immortals->capacity * sizeof(struct object *));
    }
    immortals->objects = objects;
    immortals->capacity = capacity;
    return true;
}

/* The books own a reference, so that an object that nobody else owns any more at the close is there
 * to be released. */
bool object_immortalize(struct runtime *runtime, struct object *object)
{
    struct gc_immortals *immortals = &runtime->immortals;
    if (object_is_immortal(object) ||
        (immortals->length == immortals->capacity && !introspect_grow_immortals(immortals))) {
        return false;
    }
    immortals->objects[immortals->length++] = object_incref(object);
    object->refcount += OBJECT_IMMORTAL_COUNT;
    return true;
}

void introspect_make_mortal(struct runtime *runtime)
{
    struct gc_immortals *immortals = &runtime->immortals;
    for (size_t i = 0; i < immortals->length; i++) {
        immortals->objects[i]->refcount -= OBJECT_IMMORTAL_COUNT;
    }
    while (immortals->length > 0) {
        object_decref(runtime, immortals->objects[--immortals->length]);
    }
    if (immortals->objects != NULL) {
        os_unmap(immortals->objects, immortals->capacity * sizeof(struct object *));
    }
    *immortals = (struct gc_immortals){NULL, 0, 0};
}

/* ---------------------------------------------------------------- garbage and callbacks */
struct object *gc_garbage(struct runtime *runtime)
{
    if (runtime->garbage == NULL) {
        runtime->garbage = list_new(runtime);
    }
    return runtime->garbage;
}

bool introspect_save_garbage(struct runtime *runtime, struct object *object)
{
    struct object *garbage = gc_garbage(runtime);
    return garbage != NULL && list_append(runtime, garbage, object);
}

void gc_set_save_all(struct runtime *runtime, bool save_all)
{
    runtime->save_all = save_all;
}

void gc_add_callback(struct runtime *runtime, struct gc_callback *callback)
{
    struct gc_callback **link = &runtime->callbacks;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    callback->next = NULL;
    *link = callback;
}

void gc_remove_callback(struct runtime *runtime, struct gc_callback *callback)
{
    struct gc_callback **link = &runtime->callbacks;
    while (*link != NULL && *link != callback) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = callback->next;
    }
}

/* A callback may remove itself. */
void introspect_notify(struct runtime *runtime, const struct gc_event *event)
{
    struct gc_callback *callback = runtime->callbacks;
    while (callback != NULL) {
        struct gc_callback *next = callback->next;
        callback->call(runtime, event, callback->context);
        callback = next;
    }
}
