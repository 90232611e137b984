/* The runtime: opening and closing, and the deallocation of every object. */
#include "gc/runtime.h"

#include <stdio.h>

#include "common/os_memory.h"
#include "gc/finalizers.h"
#include "gc/objects.h"

/* ---------------------------------------------------------------- deallocation */
/* Deallocates what was put off. What that puts off in turn is taken up by this same loop. */
static void runtime_empty_trash(struct runtime *runtime)
{
    runtime->dealloc_depth = 1; /* so that this function is not entered again */
    do {
        while (runtime->trash != NULL) {
            struct gc_head *head = runtime->trash;
            runtime->trash = (struct gc_head *)head->prev;
            struct object *object = gc_object_of(head);
            object->type->dealloc(runtime, object);
        }
    } while (finalizers_take_up(runtime));
    runtime->dealloc_depth = 0;
}

static inline bool runtime_has_put_off(const struct runtime *runtime)
{
    return runtime->trash != NULL || runtime->put_off.length != 0;
}

/* Containers nest: deallocating one deallocates those that it alone kept alive. Beyond a depth they
 * are put aside and deallocated when the outermost is done, as CPython's trashcan
 * (_PyTrash_thread_deposit_object, Objects/object.c, 3.11): bounded C stack, and no allocation. */
void object_dealloc(struct runtime *runtime, struct object *object)
{
    const struct type *type = object->type;
    if (!(type->flags & TYPE_IS_CONTAINER)) {
        type->dealloc(runtime, object);
        return;
    }
    if (type->flags & TYPE_NEEDS_CARE && !finalizers_prepare(runtime, object)) {
        /* It lives on, or for a while. */
        if (runtime->dealloc_depth == 0 && runtime_has_put_off(runtime)) {
            runtime_empty_trash(runtime);
        }
        return;
    }
    struct gc_head *head = gc_head_of(object);
    gc_list_remove(head);
    head->next = NULL;
    if (runtime->dealloc_depth >= RUNTIME_DEALLOC_DEPTH_MAX) {
        head->prev = (uintptr_t)runtime->trash;
        runtime->trash = head;
        return;
    }
    runtime->dealloc_depth++;
    type->dealloc(runtime, object);
    runtime->dealloc_depth--;
    if (runtime->dealloc_depth == 0 && runtime_has_put_off(runtime)) {
        runtime_empty_trash(runtime);
    }
}

/* ---------------------------------------------------------------- opening and closing */
/* Releases the runtime's own references. Whatever is missing was never made. */
static void runtime_release_objects(struct runtime *runtime)
{
    for (int i = 0; i < RUNTIME_SMALL_INTS; i++) {
        object_xdecref(runtime, runtime->small_ints[i]);
    }
    struct object *empty = runtime->empty_tuple;
    if (empty != NULL && --empty->refcount == 0) {
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
    return runtime->empty_tuple != NULL;
}

struct runtime *runtime_open(struct heap *heap, struct error *error)
{
    struct runtime *runtime = os_map_scratch(sizeof(*runtime));
    if (runtime == NULL) {
        error_set(error, STATUS_NO_MEMORY, "the system refused memory for a runtime's tables");
        return NULL;
    }
    runtime->heap = heap;
    generations_open(&runtime->collector);
    if (!intern_open(runtime)) {
        error_set(error, STATUS_NO_MEMORY, "the system refused memory for the intern table");
        os_unmap(runtime, sizeof(*runtime));
        return NULL;
    }
    if (!runtime_make_objects(runtime)) {
        error_set(error, STATUS_NO_MEMORY, "the heap has no room for the small ints");
        runtime_release_objects(runtime);
        intern_close(runtime);
        os_unmap(runtime, sizeof(*runtime));
        return NULL;
    }
    return runtime;
}

uint64_t runtime_close(struct runtime *runtime)
{
    gc_collect(runtime, GC_GENERATIONS - 1);
    runtime_release_objects(runtime);
    uint64_t leaked = runtime->objects_live;
    intern_close(runtime);
    finalizers_close(runtime);
    os_unmap(runtime, sizeof(*runtime));
    return leaked;
}

struct heap *runtime_heap(struct runtime *runtime)
{
    return runtime->heap;
}

uint64_t runtime_objects_live(const struct runtime *runtime)
{
    return runtime->objects_live;
}

void runtime_stats(const struct runtime *runtime, struct gc_stats *stats)
{
    *stats = runtime->collector.stats;
    stats->tracked = 0;
    for (int i = 0; i < GC_GENERATIONS; i++) {
        const struct gc_head *list = &runtime->collector.generations[i].list;
        for (const struct gc_head *head = list->next; head != list; head = head->next) {
            stats->tracked++;
        }
    }
}

size_t object_report(const struct object *object, const char *text)
{
    fprintf(stderr, "heapmill: check: %s %p: %s\n", object == NULL ? "runtime" : object->type->name,
            (const void *)object, text);
    return 1;
}
