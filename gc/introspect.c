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
        if (object == NULL || gc_is_hidden(object)) {
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
    runtime->collector.boundary_moves++;
}

void gc_unfreeze(struct runtime *runtime)
{
    runtime->collector.registry.starts[GC_GENERATIONS - 1] = 1;
    runtime->collector.boundary_moves++;
}

uint64_t gc_freeze_count(const struct runtime *runtime)
{
    const struct registry *registry = &runtime->collector.registry;
    uint64_t count = 0;
    for (uint32_t i = 1; i < registry->starts[GC_GENERATIONS - 1]; i++) {
        const struct object *object = registry_object(registry, i);
        count += object != NULL && !gc_is_hidden(object);
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
    gc_stop(runtime);
    bool is_refused = object_is_immortal(object) || (immortals->length == immortals->capacity &&
                                                     !introspect_grow_immortals(immortals));
    if (!is_refused) {
        immortals->objects[immortals->length++] = object_incref(object);
        object_make_immortal(object);
    }
    gc_start(runtime);
    return !is_refused;
}

void introspect_make_mortal(struct runtime *runtime)
{
    struct gc_immortals *immortals = &runtime->immortals;
    while (immortals->length > 0) { /* finalizers may make others immortal */
        struct object *object = immortals->objects[--immortals->length];
        object_make_mortal(object);
        object_decref(runtime, object);
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
        struct object *garbage = list_new(runtime);
        if (runtime->garbage == NULL) {
            runtime->garbage = garbage;
        } else {
            object_xdecref(runtime, garbage); /* a collection on the way has made one */
        }
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

static struct gc_callback **introspect_end_of(struct gc_callback **link)
{
    while (*link != NULL) {
        link = &(*link)->next;
    }
    return link;
}

void gc_add_callback(struct runtime *runtime, struct gc_callback *callback)
{
    bool is_telling = runtime->next_callback != NULL;
    callback->next = NULL;
    *introspect_end_of(is_telling ? &runtime->added_callbacks : &runtime->callbacks) = callback;
}

/* Whether it was in that list. */
static bool introspect_unlink_callback(struct runtime *runtime, struct gc_callback **link,
                                       struct gc_callback *callback)
{
    while (*link != NULL && *link != callback) {
        link = &(*link)->next;
    }
    if (*link == NULL) {
        return false;
    }
    *link = callback->next;
    if (runtime->next_callback == &callback->next) {
        runtime->next_callback = link;
    }
    return true;
}

void gc_remove_callback(struct runtime *runtime, struct gc_callback *callback)
{
    if (!introspect_unlink_callback(runtime, &runtime->callbacks, callback)) {
        (void)introspect_unlink_callback(runtime, &runtime->added_callbacks, callback);
    }
}

void introspect_notify(struct runtime *runtime, const struct gc_event *event)
{
    OBJECT_ASSERT(runtime->next_callback == NULL);
    runtime->next_callback = &runtime->callbacks;
    while (*runtime->next_callback != NULL) {
        struct gc_callback *callback = *runtime->next_callback;
        runtime->next_callback = &callback->next;
        collector_expect_sound(runtime);
        callback->call(runtime, event, callback->context);
        collector_expect_sound(runtime);
    }
    *runtime->next_callback = runtime->added_callbacks;
    runtime->added_callbacks = NULL;
    runtime->next_callback = NULL;
}
