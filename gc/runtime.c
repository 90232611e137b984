/* The runtime: opening and closing, and the deallocation of every object. */
#include "gc/runtime.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/os_memory.h"
#include "gc/finalizers.h"
#include "gc/introspect.h"
#include "gc/objects.h"
#include "gc/world.h"

/* ---------------------------------------------------------------- deallocation */
/* Deallocates what was put off. What that puts off in turn is taken up by this same loop. */
static void runtime_empty_deferred(struct runtime *runtime)
{
    RUNTIME_OWN(runtime)->dealloc_depth = 1; /* so that this function is not entered again */
    do {
        while (RUNTIME_OWN(runtime)->deferred != NULL) {
            struct gc_head *head = RUNTIME_OWN(runtime)->deferred;
            RUNTIME_OWN(runtime)->deferred = (struct gc_head *)head->word;
            struct object *object = gc_object_of(head);
            object->type->dealloc(runtime, object);
        }
    } while (finalizers_take_up(runtime));
    RUNTIME_OWN(runtime)->dealloc_depth = 0;
}

static inline bool runtime_has_put_off(const struct runtime *runtime)
{
    return RUNTIME_OWN(runtime)->deferred != NULL || RUNTIME_OWN(runtime)->put_off.length != 0;
}

/* Containers nest: deallocating one deallocates those that it alone kept alive. Beyond a depth they
 * are put aside and deallocated when the outermost is done, as CPython's trashcan
 * (_PyTrash_thread_deposit_object, Objects/object.c, 3.11): bounded C stack, and no allocation.
 *
 * Takes the container out of the registry. Whether it was put aside. */
static inline bool runtime_defer_if_deep(struct runtime *runtime, struct object *object)
{
    if (object->index != 0) {
        runtime_untrack(runtime, object);
    }
    if (__builtin_expect(RUNTIME_OWN(runtime)->dealloc_depth < RUNTIME_DEALLOC_DEPTH_MAX, true)) {
        return false;
    }
    struct gc_head *head = gc_head_of(object);
    head->word = (uintptr_t)RUNTIME_OWN(runtime)->deferred;
    RUNTIME_OWN(runtime)->deferred = head;
    return true;
}

static inline void runtime_leave_level(struct runtime *runtime)
{
    if (--RUNTIME_OWN(runtime)->dealloc_depth == 0 && runtime_has_put_off(runtime)) {
        runtime_empty_deferred(runtime);
    }
}

/* Of a type that leaves the counting of levels to others, or needs care. */
static __attribute__((noinline)) void runtime_dealloc_any(struct runtime *runtime,
                                                          struct object *object)
{
    const struct type *type = object->type;
    if (!(type->flags & TYPE_IS_CONTAINER)) {
        type->dealloc(runtime, object);
        return;
    }
    if (type->flags & TYPE_NEEDS_CARE && !finalizers_prepare(runtime, object)) {
        /* It lives on, or for a while. */
        if (RUNTIME_OWN(runtime)->dealloc_depth == 0 && runtime_has_put_off(runtime)) {
            runtime_empty_deferred(runtime);
        }
        return;
    }
    if (!runtime_defer_if_deep(runtime, object)) {
        RUNTIME_OWN(runtime)->dealloc_depth++;
        type->dealloc(runtime, object);
        runtime_leave_level(runtime);
    }
}

void object_dealloc(struct runtime *runtime, struct object *object)
{
    const struct type *type = object->type;
    struct registry *registry = &runtime->collector.registry;
    /* Everything but the death of a young, plain container is one call that nothing follows: no
     * register is saved. What is untracked is not young. */
    if ((type->flags & (TYPE_NEEDS_CARE | TYPE_COUNTS_NESTING)) != TYPE_COUNTS_NESTING ||
        object->index < registry->starts[0] || (gc_head_of(object)->flags & GC_FLAG_WATCHED) != 0 ||
        RUNTIME_OWN(runtime)->dealloc_depth >= RUNTIME_DEALLOC_DEPTH_MAX) {
        runtime_dealloc_any(runtime, object);
    } else {
        registry_remove(registry, object);
        type->dealloc(runtime, object);
    }
}

void object_release_nested(struct runtime *runtime, struct object *object)
{
    if (!object_is_container(object)) {
        object_release(runtime, object);
        return;
    }
    RUNTIME_OWN(runtime)->dealloc_depth++;
    object_release(runtime, object);
    runtime_leave_level(runtime);
}

void object_fail_count(const struct object *object)
{
    fprintf(stderr, "heapmill: fatal: %s %p: refcount is too small\n", object->type->name,
            (const void *)object);
    abort();
}

#ifdef GC_FREE_THREADS
/* No count is below zero but by a mistake, and at zero there is one thread that has seen it. */
void object_released(struct runtime *runtime, struct object *object)
{
    (void)runtime;
    object_fail_count(object);
}

void object_release(struct runtime *runtime, struct object *object)
{
    if (GC_IS_CHECKED && object_getrefcount(object) != 0) {
        object_fail_count(object);
    }
    object_dealloc(runtime, object);
}
#else
void object_released(struct runtime *runtime, struct object *object)
{
    /* A biased count of less than 2^30 is below INT32_MIN / 2; one too many decrements is not. */
    if (object->refcount >= INT32_MIN / 2) {
        object_fail_count(object);
    }
    runtime->collector.policy->decremented(runtime, object);
}

void object_release(struct runtime *runtime, struct object *object)
{
    if (__builtin_expect(object->refcount == 0, true)) {
        object_dealloc(runtime, object);
    } else if (object->refcount == INT32_MIN) {
        if (object->type->flags & TYPE_NEEDS_CARE) { /* it may live on, and not biased */
            object->refcount++;
            runtime->collector.policy->decremented(runtime, object);
        }
        object->refcount = 0;
        object_dealloc(runtime, object);
    } else {
        object_released(runtime, object);
    }
}
#endif

/* ---------------------------------------------------------------- allocation */
#ifdef GC_THREADS
/* A thread that has waited for the world finds that another has collected meanwhile. */
static void runtime_collect_if_due(struct runtime *runtime)
{
    struct collector *collector = &runtime->collector;
    gc_stop(runtime);
    if (collector->count > collector->trigger && !collector->collecting) {
        world_settle(runtime);
        world_begin_collection(runtime);
        collector->policy->allocated(runtime);
        world_end_collection(runtime);
    }
    gc_start(runtime);
}

void *runtime_allocated(struct runtime *runtime, struct object *object, size_t size)
{
    struct collector *collector = &runtime->collector;
    object->index = 0;
    gc_safe_point(runtime);
    if (runtime_tell_count(runtime) > collector->trigger && !collector->collecting) {
        runtime_collect_if_due(runtime);
    }
    WORLD_LOCK(runtime, registry_lock);
    bool has_room = registry_has_room(&collector->registry) || registry_grow(&collector->registry);
    WORLD_UNLOCK(runtime, registry_lock);
    if (!has_room) {
        runtime_free_container(runtime, object, size);
        return NULL;
    }
    return object;
}
#else
void *runtime_allocated(struct runtime *runtime, struct object *object, size_t size)
{
    struct collector *collector = &runtime->collector;
    object->index = 0;
    bool is_called = collector->count > collector->trigger ||
                     (collector->enabled && registry_is_short(&collector->registry));
    if (is_called && !collector->collecting) {
        collector->policy->allocated(runtime);
    }
    if (!registry_has_room(&collector->registry) && !registry_grow(&collector->registry)) {
        runtime_free_container(runtime, object, size);
        return NULL;
    }
    return object;
}
#endif

/* ---------------------------------------------------------------- opening and closing */
void runtime_visit_own(const struct runtime *runtime, object_visit *visit, void *context)
{
    for (int i = 0; i < RUNTIME_SMALL_INTS; i++) {
        (void)visit(runtime->small_ints[i], context);
    }
    (void)visit(runtime->empty_tuple, context);
    if (runtime->garbage != NULL) {
        (void)visit(runtime->garbage, context);
    }
    for (size_t i = 0; i < runtime->immortals.length; i++) {
        (void)visit(runtime->immortals.objects[i], context);
    }
}

/* With GC_IMMORTAL nobody has counted the references to the runtime's own objects, and all other
 * objects are gone. */
static void runtime_make_own_mortal(const struct runtime *runtime)
{
    for (int i = 0; GC_IMMORTAL && i < RUNTIME_SMALL_INTS; i++) {
        if (runtime->small_ints[i] != NULL) {
            object_set_count(runtime->small_ints[i], 1);
        }
    }
    if (GC_IMMORTAL && runtime->empty_tuple != NULL) {
        object_set_count(runtime->empty_tuple, 1);
    }
}

/* Releases the runtime's own references. Whatever is missing was never made. */
static void runtime_release_objects(struct runtime *runtime)
{
    runtime_make_own_mortal(runtime);
    for (int i = 0; i < RUNTIME_SMALL_INTS; i++) {
        object_xdecref(runtime, runtime->small_ints[i]);
    }
    struct object *empty = runtime->empty_tuple;
    if (empty != NULL && object_drop_stopped(empty)) {
        runtime_free_container(runtime, empty, HEAP_TUPLE_BYTES); /* untracked: not by decref */
    }
}

static bool runtime_make_objects(struct runtime *runtime)
{
    for (int i = 0; i < RUNTIME_SMALL_INTS; i++) {
        runtime->small_ints[i] = int_new_unshared(runtime, i + RUNTIME_SMALL_INT_MIN);
        if (runtime->small_ints[i] == NULL) {
            return false;
        }
    }
    runtime->empty_tuple = tuple_new_empty(runtime);
    for (int i = 0; GC_IMMORTAL && runtime->empty_tuple != NULL && i <= RUNTIME_SMALL_INTS; i++) {
        object_make_immortal(i < RUNTIME_SMALL_INTS ? runtime->small_ints[i]
                                                    : runtime->empty_tuple);
    }
    return runtime->empty_tuple != NULL;
}

/* The collector, the ledger and the objects. false, with *error set: nothing is left of them. */
static bool runtime_open_collector(struct runtime *runtime, const struct gc_policy *policy,
                                   struct error *error)
{
    if (!ledger_open(runtime)) {
        error_set(error, STATUS_NO_MEMORY, "the system refused memory for the ledger");
        return false;
    }
    if (!collector_open(runtime, policy)) {
        error_set(error, STATUS_NO_MEMORY, "the system refused memory for the collector's tables");
        ledger_close(runtime);
        return false;
    }
    if (!runtime_make_objects(runtime)) {
        error_set(error, STATUS_NO_MEMORY, "the heap has no room for the small ints");
        runtime_release_objects(runtime);
        collector_close(runtime);
        ledger_close(runtime);
        return false;
    }
    return true;
}

struct runtime *runtime_open_with(struct heap *heap, const struct gc_policy *policy,
                                  struct error *error)
{
    struct runtime *runtime = os_map_scratch(sizeof(*runtime));
    if (runtime == NULL) {
        error_set(error, STATUS_NO_MEMORY, "the system refused memory for a runtime's tables");
        return NULL;
    }
    runtime->heap = heap;
    if (!intern_open(runtime)) {
        error_set(error, STATUS_NO_MEMORY, "the system refused memory for the intern table");
        os_unmap(runtime, sizeof(*runtime));
        return NULL;
    }
#ifdef GC_THREADS
    if (!world_open(runtime, policy, error)) {
        intern_close(runtime);
        os_unmap(runtime, sizeof(*runtime));
        return NULL;
    }
#endif
    if (!runtime_open_collector(runtime, policy, error)) {
#ifdef GC_THREADS
        world_close(runtime);
#endif
        intern_close(runtime);
        os_unmap(runtime, sizeof(*runtime));
        return NULL;
    }
    return runtime;
}

struct runtime *runtime_open(struct heap *heap, struct error *error)
{
    return runtime_open_with(heap, gc_policy_default(), error);
}

/* Gives up the list of garbage before it dies: finalizers that want it get a new one. */
static void runtime_drop_garbage(struct runtime *runtime)
{
    struct object *garbage = runtime->garbage;
    runtime->garbage = NULL;
    object_xdecref(runtime, garbage);
}

/* Frees what nobody owns a reference to, and what finalizers make of that, and so on. What has
 * legacy finalizers in cycles stays. */
static void runtime_collect_all(struct runtime *runtime)
{
    uint64_t before;
    int rounds = 0;
    do {
        before = runtime_objects_live(runtime);
        if (!GC_IMMORTAL) {
            introspect_make_mortal(runtime);
        }
        gc_unfreeze(runtime);
        runtime_drop_garbage(runtime);
        gc_collect(runtime, GC_GENERATIONS - 1);
    } while (runtime_objects_live(runtime) != before && ++rounds < RUNTIME_CLOSE_ROUNDS_MAX);
    if (GC_IMMORTAL && runtime->immortals.length != 0) { /* their referrers are gone */
        introspect_make_mortal(runtime);
        gc_collect(runtime, GC_GENERATIONS - 1);
    }
    for (rounds = 0; runtime->garbage != NULL && rounds < RUNTIME_CLOSE_ROUNDS_MAX; rounds++) {
        runtime_drop_garbage(runtime);
    }
}

uint64_t runtime_close(struct runtime *runtime)
{
    gc_set_save_all(runtime, false);
    runtime_collect_all(runtime);
    runtime_release_objects(runtime);
    uint64_t leaked = runtime_objects_live(runtime);
    collector_close(runtime);
    ledger_close(runtime);
    intern_close(runtime);
#ifdef GC_THREADS
    world_close(runtime);
#else
    finalizers_close(runtime);
#endif
    os_unmap(runtime, sizeof(*runtime));
    return leaked;
}

const struct gc_policy *runtime_policy(const struct runtime *runtime)
{
    return runtime->collector.policy;
}

struct heap *runtime_heap(struct runtime *runtime)
{
    return runtime->heap;
}

uint64_t runtime_objects_live(const struct runtime *runtime)
{
#ifdef GC_THREADS
    return world_objects_live(runtime);
#else
    return runtime->objects_live;
#endif
}

void runtime_stats(const struct runtime *runtime, struct gc_stats *stats)
{
    *stats = runtime->collector.stats;
    stats->tracked = registry_tracked(&runtime->collector.registry);
#ifdef GC_THREADS
    stats->tracked = (uint32_t)(stats->tracked - world_holes(runtime)); /* they may be below 0 */
#endif
    stats->registry_bytes = registry_bytes(&runtime->collector.registry);
}

size_t object_report(const struct object *object, const char *text)
{
    fprintf(stderr, "heapmill: check: %s %p: %s\n", object == NULL ? "runtime" : object->type->name,
            (const void *)object, text);
    return 1;
}
