/* The whole-heap checker: what object.h's invariants claim, verified from scratch.
 *
 * It shares nothing with the collector's passes: references are counted in a table beside the
 * heap, so a fault in those passes does not hide itself. */
#include "gc/objects.h"
#include "gc/reference_census.h"
#include "gc/runtime.h"

/* Every tracked container's own structure; enters it into the census. */
static size_t check_tracked(struct census *census, const struct collector *collector)
{
    const struct registry *registry = &collector->registry;
    size_t broken = 0;
    for (uint32_t i = 1; i < registry->length; i++) {
        const struct object *object = registry_object(registry, i);
        struct census_entry *entry = object == NULL ? NULL : census_entry_of(census, object);
        if (entry != NULL && entry->listed) {
            return broken + object_report(object, "in two places of the registry");
        }
        if (entry != NULL) {
            entry->listed = true;
        }
        /* What is no container has been reported, and has no header. */
        if (object != NULL && object_is_container(object) && !collector->trash_under_way &&
            gc_head_of(object)->flags & (GC_FLAG_TRASH | GC_FLAG_SPARED)) {
            broken += object_report(object, "left behind as trash");
        }
        if (object != NULL && object->type->check != NULL) {
            broken += object->type->check(object);
        }
    }
    return broken;
}

static int check_visit_count(struct object *referent, void *context)
{
    struct census_entry *entry = census_entry_of(context, referent);
    if (entry != NULL) {
        entry->references++;
    }
    return 0;
}

static void check_count_references(struct census *census, const struct runtime *runtime)
{
    const struct registry *registry = &runtime->collector.registry;
    for (uint32_t i = 1; i < registry->length; i++) {
        struct object *object = registry_object(registry, i);
        if (object != NULL) {
            object->type->traverse(object, check_visit_count, census);
        }
    }
    runtime_visit_own(runtime, check_visit_count, census);
}

static size_t check_counts(const struct census *census, const struct runtime *runtime)
{
    size_t broken = 0;
    for (size_t i = 0; i < census->capacity; i++) {
        const struct census_entry *entry = &census->entries[i];
        const struct object *object = entry->object;
        if (object == NULL) {
            continue;
        }
        int64_t count = object_getrefcount(object);
        if (count <= 0 || count < entry->references) {
            broken += object_report(object, "refcount is too small");
        }
        if (object_is_container(object) && !entry->listed && object->type != &tuple_type) {
            broken += object_report(object, "a container that is referred to is not tracked");
        }
    }
    if (census->length > runtime_objects_live(runtime)) {
        broken += object_report(NULL, "more objects are referred to than are alive");
    }
    return broken;
}

static size_t check_state(const struct runtime *runtime)
{
    size_t broken = intern_check(runtime);
    if (runtime->collector.collecting || RUNTIME_OWN(runtime)->dealloc_depth != 0 ||
        RUNTIME_OWN(runtime)->deferred != NULL || RUNTIME_OWN(runtime)->put_off.length != 0) {
        broken += object_report(NULL, "checked in the middle of a collection or deallocation");
    }
    for (int i = 0; i < RUNTIME_SMALL_INTS; i++) {
        if (int_value(runtime->small_ints[i]) != i + RUNTIME_SMALL_INT_MIN) {
            broken += object_report(runtime->small_ints[i], "a small int has lost its value");
        }
    }
    if (gc_is_tracked(runtime->empty_tuple)) {
        broken += object_report(runtime->empty_tuple, "the empty tuple is tracked");
    }
    return broken;
}

size_t gc_check(const struct runtime *runtime)
{
    struct census census;
    census_open(&census);
#ifdef GC_THREADS
    registry_gather((struct registry *)(uintptr_t)&runtime->collector.registry);
#endif
    const struct collector *collector = &runtime->collector;
    size_t broken = registry_check(&collector->registry);
    bool has_registry = broken == 0; /* policies go by it */
    broken += check_state(runtime) + check_tracked(&census, collector);
    if (has_registry && collector->policy->check != NULL) {
        broken += collector->policy->check(runtime);
    }
    /* A broken structure cannot be followed. */
    if (broken == 0) {
        check_count_references(&census, runtime);
    }
    if (census.failed) {
        broken += object_report(NULL, "not checked: the system refused memory for the counts");
    } else {
        broken += check_counts(&census, runtime);
    }
    census_close(&census);
    return broken;
}
