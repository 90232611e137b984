/* The whole-heap checker: what object.h's invariants claim, verified from scratch.
 *
 * It shares nothing with the collector's passes: references are counted in a table beside the
 * heap, so a fault in those passes does not hide itself. */
#include "gc/objects.h"
#include "gc/reference_census.h"
#include "gc/runtime.h"

/* What is found between two headers of a list; stops at the first broken link, beyond which nothing
 * can be trusted. */
static size_t check_list(struct census *census, const struct gc_head *list)
{
    size_t broken = 0;
    const struct gc_head *last = list;
    for (const struct gc_head *head = list->next; head != list; head = head->next) {
        if (head == NULL || (head->prev & ~(uintptr_t)GC_FLAG_FINALIZED) != (uintptr_t)last) {
            return broken + object_report(head == NULL ? NULL : gc_object_of(head),
                                          "the generation's list is broken here");
        }
        const struct object *object = gc_object_of(head);
        struct census_entry *entry = census_entry_of(census, object);
        if (entry != NULL && entry->listed) {
            return broken + object_report(object, "in two places of the lists");
        }
        if (entry != NULL) {
            entry->listed = true;
        }
        if (!object_is_container(object)) {
            return broken + object_report(object, "tracked, but no container");
        }
        broken += object->type->check == NULL ? 0 : object->type->check(object);
        last = head;
    }
    if (list->prev != (uintptr_t)last) {
        broken +=
            object_report(NULL, "a generation's list has another end than its beginning says");
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
    for (int i = 0; i < GC_GENERATIONS; i++) {
        const struct gc_head *list = &runtime->collector.generations[i].list;
        for (const struct gc_head *head = list->next; head != list; head = head->next) {
            struct object *object = gc_object_of(head);
            object->type->traverse(object, check_visit_count, census);
        }
    }
    for (int i = 0; i < RUNTIME_SMALL_INTS; i++) {
        check_visit_count(runtime->small_ints[i], census);
    }
    check_visit_count(runtime->empty_tuple, census);
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
        if (object->refcount <= 0 || object->refcount < entry->references) {
            broken += object_report(object, "refcount is too small");
        }
        if (object_is_container(object) && !entry->listed && object != runtime->empty_tuple) {
            broken += object_report(object, "a container that is referred to is not tracked");
        }
    }
    if (census->length > runtime->objects_live) {
        broken += object_report(NULL, "more objects are referred to than are alive");
    }
    return broken;
}

static size_t check_state(const struct runtime *runtime)
{
    size_t broken = intern_check(runtime);
    if (runtime->collector.collecting || runtime->dealloc_depth != 0 || runtime->trash != NULL) {
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
    size_t broken = check_state(runtime);
    for (int i = 0; i < GC_GENERATIONS; i++) {
        broken += check_list(&census, &runtime->collector.generations[i].list);
    }
    /* Broken lists cannot be followed again. */
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
