/* What is done with trash before it is freed: weak references are cut off it, finalizers run, and
 * what must not be freed after all is taken out.
 *
 * The order is CPython 3.11's (gc_collect_main, Modules/gcmodule.c): what has a legacy finalizer is
 * set aside with all that it refers to; weak references are cleared and callbacks called;
 * finalizers run, once each; what they brought back is found, with all that it refers to; weak
 * references that finalizers made to the rest are cleared without a call (3.14 does so too); and
 * with save_all the rest is kept. When the rest has been freed, much of what was set aside may have
 * died with it, since it merely hung off the rest; what is left is uncollectable.
 *
 * All of it is skipped for trash of types that need no care. Nothing here needs memory, but for the
 * list of garbage, which is an object like any other. */
#include "gc/trash.h"

#include <stdlib.h>

#include "gc/finalizers.h"
#include "gc/introspect.h"
#include "gc/objects.h"
#include "gc/runtime.h"
#include "gc/weakref_list.h"

/* ---------------------------------------------------------------- sparing */
enum { TRASH_STACK = 256 /* containers; when it is full they are found again by another pass */ };

/* Takes members out, and all that they refer to. Members that are spared but not yet looked through
 * have GC_FLAG_SPARED. */
struct trash_sparing {
    struct object *stack[TRASH_STACK];
    uint32_t depth;
    bool overflown;
};

static void trash_spare(struct object *object)
{
    gc_trash_keep(object);
    gc_head_of(object)->flags |= GC_FLAG_SPARED;
}

static int trash_visit_spare(struct object *referent, void *context)
{
    struct trash_sparing *sparing = context;
    if (object_is_container(referent) && gc_is_in_trash(referent)) {
        trash_spare(referent);
        if (sparing->depth < TRASH_STACK) {
            sparing->stack[sparing->depth++] = referent;
        } else {
            sparing->overflown = true;
        }
    }
    return 0;
}

static void trash_spare_from(struct trash_sparing *sparing, struct object *object)
{
    sparing->stack[0] = object;
    sparing->depth = 1;
    while (sparing->depth > 0) {
        struct object *next = sparing->stack[--sparing->depth];
        gc_head_of(next)->flags &= ~(uint32_t)GC_FLAG_SPARED;
        next->type->traverse(next, trash_visit_spare, sparing);
    }
}

/* Spares what the spared ones refer to. */
static void trash_spare_closure(const struct registry *registry, const struct gc_trash *trash)
{
    struct trash_sparing sparing = {.depth = 0};
    do {
        sparing.overflown = false;
        for (uint32_t k = 0; k < trash->length; k++) {
            struct object *object = registry_object(registry, trash->indices[k]);
            if (object != NULL && gc_head_of(object)->flags & GC_FLAG_SPARED) {
                trash_spare_from(&sparing, object);
            }
        }
    } while (sparing.overflown);
}

/* ---------------------------------------------------------------- freezing meanwhile */
/* What was trash when everything was frozen is not frozen: it becomes new. Without room for that it
 * stays where it is. */
static void trash_thaw(struct registry *registry, struct object *object)
{
    bool has_room = registry_has_room(registry);
#ifdef GC_THREADS /* what the thread had claimed was taken back for the collection */
    has_room = has_room || registry_grow(registry);
#endif
    if (object->index < registry->starts[GC_GENERATIONS - 1] && has_room) {
        registry_remove(registry, object);
        registry_add(registry, object);
    }
}

static void trash_thaw_survivors(struct registry *registry, const struct gc_trash *trash)
{
    if (trash->indices[0] >= registry->starts[GC_GENERATIONS - 1]) {
        return;
    }
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = registry_object(registry, trash->indices[k]);
        if (object != NULL && !gc_is_hidden(object)) {
            trash_thaw(registry, object);
        }
    }
}

/* ---------------------------------------------------------------- legacy finalizers */
/* Nobody can say in which order a cycle's legacy finalizers should run: such objects, and what they
 * may want to use, are left alone. */
static void trash_set_legacy_aside(const struct registry *registry, const struct gc_trash *trash)
{
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = gc_trash_object(registry, trash, k);
        if (object != NULL && object->type->flags & TYPE_HAS_LEGACY_FINALIZER) {
            trash_spare(object);
        }
    }
    trash_spare_closure(registry, trash);
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = registry_object(registry, trash->indices[k]);
        if (object != NULL && !gc_is_in_trash(object)) {
            gc_head_of(object)->flags |= GC_FLAG_ASIDE;
        }
    }
}

/* When the list of garbage cannot grow, they are found again by the next collection. */
static void trash_save_uncollectable(struct runtime *runtime, struct gc_trash *trash)
{
    struct registry *registry = &runtime->collector.registry;
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = registry_object(registry, trash->indices[k]);
        if (object == NULL || !(gc_head_of(object)->flags & GC_FLAG_ASIDE)) {
            continue;
        }
        gc_head_of(object)->flags &= ~(uint32_t)GC_FLAG_ASIDE;
        trash->uncollectable++;
        if (runtime->save_all || object->type->flags & TYPE_HAS_LEGACY_FINALIZER) {
            (void)introspect_save_garbage(runtime, object);
        }
        trash_thaw(registry, object);
    }
}

/* ---------------------------------------------------------------- weak references */
/* A weak reference that is trash is cut off even from a living referent: that may die of the trash
 * being freed, and the callback would then see trash half freed (CPython's issue 38006). */
static void trash_cut_weakrefs(struct runtime *runtime, const struct gc_trash *trash,
                               struct weakref_calls *calls)
{
    const struct registry *registry = &runtime->collector.registry;
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = gc_trash_object(registry, trash, k);
        if (object == NULL) {
            continue;
        }
        if (object->type->flags & TYPE_IS_WEAKREF) {
            weakref_cut(object);
        } else if (weakref_any(object)) {
            weakref_cut_all(object, calls);
        }
    }
}

/* ---------------------------------------------------------------- finalizers */
/* Any code may run, and members may die meanwhile. Whether any finalizer was called. */
static bool trash_finalize(struct runtime *runtime, const struct gc_trash *trash)
{
    const struct registry *registry = &runtime->collector.registry;
    bool called = false;
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = gc_trash_object(registry, trash, k);
        if (object != NULL && object->type->flags & TYPE_HAS_FINALIZER &&
            !gc_is_finalized(object)) {
            called = true;
            object_incref(object);
            finalizers_call_once(runtime, object);
            object_decref(runtime, object);
        }
    }
    return called;
}

/* In the objects themselves, as no code runs until the counts are put right again: a byte beside
 * them would not do for counts of any size. A bias is above the bits that change. */
static int trash_visit_take_off(struct object *referent, void *context)
{
    (void)context;
    if (object_is_container(referent) && gc_is_in_trash(referent)) {
        if (object_getrefcount(referent) == 0) {
            object_fail_count(referent);
        }
        object_add_stopped(referent, -1);
    }
    return 0;
}

static int trash_visit_put_back(struct object *referent, void *context)
{
    (void)context;
    if (object_is_container(referent) && gc_is_in_trash(referent)) {
        object_add_stopped(referent, 1);
    }
    return 0;
}

static void trash_visit_members(const struct registry *registry, const struct gc_trash *trash,
                                object_visit *visit)
{
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = gc_trash_object(registry, trash, k);
        if (object != NULL) {
            object->type->traverse(object, visit, NULL);
        }
    }
}

/* Takes out what is referred to from outside of the trash, and all that this refers to. The rest is
 * trash still. */
static void trash_keep_resurrected(const struct registry *registry, const struct gc_trash *trash)
{
    trash_visit_members(registry, trash, trash_visit_take_off);
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = gc_trash_object(registry, trash, k);
        if (object != NULL && object_getrefcount(object) != 0) {
            gc_head_of(object)->flags |= GC_FLAG_SPARED;
        }
    }
    trash_visit_members(registry, trash, trash_visit_put_back);
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = registry_object(registry, trash->indices[k]);
        if (object != NULL && gc_head_of(object)->flags & GC_FLAG_SPARED) {
            gc_trash_keep(object);
        }
    }
    trash_spare_closure(registry, trash);
}

/* ---------------------------------------------------------------- everything */
/* For debugging: what would be freed is put into the list of garbage instead. */
static void trash_save_all(struct runtime *runtime, struct gc_trash *trash)
{
    const struct registry *registry = &runtime->collector.registry;
    for (uint32_t k = 0; k < trash->length; k++) {
        struct object *object = gc_trash_object(registry, trash, k);
        if (object != NULL) {
            gc_trash_keep(object);
            trash->saved++;
            (void)introspect_save_garbage(runtime, object);
        }
    }
}

/* The members, and those that take part no more, are where they were, or are gone. */
static void trash_expect_sound(const struct runtime *runtime, const struct gc_trash *trash)
{
    const struct registry *registry = &runtime->collector.registry;
    collector_expect_sound(runtime);
    for (uint32_t k = 0; GC_IS_CHECKED && !trash->plain && k < trash->length; k++) {
        uint32_t index = trash->indices[k];
        const struct object *object = registry_object(registry, index);
        if (index >= registry->starts[0] || (k > 0 && index <= trash->indices[k - 1]) ||
            (object != NULL && object->index != index)) {
            (void)object_report(object, "the registry has changed under the trash");
            abort();
        }
    }
}

void gc_trash_process(struct runtime *runtime, struct gc_trash *trash)
{
    const unsigned flags = trash->type_flags;
    if (!(flags & (TYPE_NEEDS_CARE | TYPE_IS_WEAKREF)) && !runtime->save_all) {
        return;
    }
    struct registry *registry = &runtime->collector.registry;
    trash_expect_sound(runtime, trash);
    if (flags & TYPE_HAS_LEGACY_FINALIZER) {
        trash_set_legacy_aside(registry, trash);
    }
    if (flags & (TYPE_HAS_WEAKREFS | TYPE_IS_WEAKREF)) {
        struct weakref_calls calls = {.first = NULL};
        trash_cut_weakrefs(runtime, trash, &calls);
        trash->called += (uint32_t)weakref_make_calls(runtime, &calls);
    }
    if (flags & TYPE_HAS_FINALIZER && trash_finalize(runtime, trash)) {
        trash_keep_resurrected(registry, trash);
        trash_cut_weakrefs(runtime, trash, NULL);
    }
    if (runtime->save_all) {
        trash_save_all(runtime, trash);
    }
    trash_thaw_survivors(registry, trash);
    trash_expect_sound(runtime, trash);
}

void gc_trash_finish(struct runtime *runtime, struct gc_trash *trash)
{
    if (trash->type_flags & TYPE_HAS_LEGACY_FINALIZER) {
        trash_save_uncollectable(runtime, trash);
    }
    trash_expect_sound(runtime, trash);
}

uint64_t gc_trash_dispose(struct runtime *runtime, struct gc_trash *trash)
{
    gc_trash_process(runtime, trash);
    uint64_t freed = gc_trash_free(runtime, trash);
    gc_trash_finish(runtime, trash);
    return freed;
}
