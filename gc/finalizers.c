/* Finalizers and weak references of an object that dies by its count.
 *
 * User code that runs when one object dies may be what lets the next one die, and so on along a
 * chain of any length. What nests too deeply is put off, like the deallocations of runtime.c; but
 * an object that a finalizer is yet to see must stay whole and tracked, since it may live on, so
 * it cannot be linked through its header. It is simply kept alive, by a reference from a table. */
#include "gc/finalizers.h"

#include <string.h>

#include "common/os_memory.h"
#include "gc/objects.h"
#include "gc/runtime.h"
#include "gc/weakref_list.h"
#include "gc/world.h"

enum { FINALIZERS_PUT_OFF_FIRST = 4096 /* objects; eight pages */ };

/* ---------------------------------------------------------------- putting off */
/* false: the system refuses memory. */
static bool finalizers_grow(struct gc_put_off *put_off)
{
    size_t capacity = put_off->capacity == 0 ? FINALIZERS_PUT_OFF_FIRST : put_off->capacity * 2;
    struct object **objects = os_map_scratch(capacity * sizeof(struct object *));
    if (objects == NULL) {
        return false;
    }
    if (put_off->length != 0) {
        memcpy(objects, put_off->objects, put_off->length * sizeof(struct object *));
    }
    if (put_off->objects != NULL) {
        os_unmap(put_off->objects, put_off->capacity * sizeof(struct object *));
    }
    put_off->objects = objects;
    put_off->capacity = capacity;
    return true;
}

/* Without memory for the table the object dies right now, one level deeper. */
static bool finalizers_put_off(struct runtime *runtime, struct object *object)
{
    struct gc_put_off *put_off = &RUNTIME_OWN(runtime)->put_off;
    if (put_off->length == put_off->capacity && !finalizers_grow(put_off)) {
        return false;
    }
    object_set_count(object, 1);
    put_off->objects[put_off->length++] = object;
    return true;
}

bool finalizers_take_up(struct runtime *runtime)
{
    struct gc_put_off *put_off = &RUNTIME_OWN(runtime)->put_off;
    if (put_off->length == 0) {
        return false;
    }
    object_decref(runtime, put_off->objects[--put_off->length]);
    return true;
}

void finalizers_close(struct runtime *runtime)
{
    struct gc_put_off *put_off = &RUNTIME_OWN(runtime)->put_off;
    if (put_off->objects != NULL) {
        os_unmap(put_off->objects, put_off->capacity * sizeof(struct object *));
    }
    *put_off = (struct gc_put_off){NULL, 0, 0};
}

/* ---------------------------------------------------------------- running */
void finalizers_call_once(struct runtime *runtime, struct object *object)
{
    if (object->type->flags & TYPE_HAS_FINALIZER && !gc_is_finalized(object)) {
        gc_set_finalized(object);
        object->type->finalize(runtime, object);
    }
}

static bool finalizers_has_work(struct object *object)
{
    unsigned flags = object->type->flags;
    return (flags & TYPE_HAS_FINALIZER && !gc_is_finalized(object)) ||
           flags & TYPE_HAS_LEGACY_FINALIZER || weakref_any(object);
}

/* Whether nobody but the caller owns a reference. */
static bool finalizers_is_last(const struct object *object)
{
    return object_getrefcount(object) == 1;
}

/* Another thread may have got hold of the object by a weak reference, until they are cut. */
static void finalizers_cut(struct runtime *runtime, struct object *object,
                           struct weakref_calls *calls)
{
    (void)runtime;
    WORLD_LOCK(runtime, weakref_lock);
#ifdef GC_FREE_THREADS
    if (finalizers_is_last(object))
#endif
        weakref_cut_all(object, calls);
    WORLD_UNLOCK(runtime, weakref_lock);
}

/* Nobody can reach it any more. One that another thread has had meanwhile may have got its weak
 * references back, or never lost them: then its death begins anew with the last reference. */
static bool finalizers_is_dead(const struct object *object)
{
#ifdef GC_FREE_THREADS
    return finalizers_is_last(object) && !weakref_any(object);
#else
    return finalizers_is_last(object);
#endif
}

static void finalizers_run(struct runtime *runtime, struct object *object)
{
    unsigned flags = object->type->flags;
    finalizers_call_once(runtime, object);
    if (finalizers_is_last(object) && weakref_any(object)) {
        struct weakref_calls calls = {.releases_owned = true};
        finalizers_cut(runtime, object, &calls);
        weakref_make_calls(runtime, &calls);
    }
    if (finalizers_is_last(object) && flags & TYPE_HAS_LEGACY_FINALIZER) {
        object->type->finalize_legacy(runtime, object);
        if (finalizers_is_last(object) && weakref_any(object)) {
            finalizers_cut(runtime, object, NULL);
        }
    }
}

bool finalizers_prepare(struct runtime *runtime, struct object *object)
{
    if (!finalizers_has_work(object)) {
        return true;
    }
    if (RUNTIME_OWN(runtime)->dealloc_depth >= RUNTIME_DEALLOC_DEPTH_MAX &&
        finalizers_put_off(runtime, object)) {
        return false;
    }
    object_set_count(object, 1);
    RUNTIME_OWN(runtime)->dealloc_depth++;
    finalizers_run(runtime, object);
    RUNTIME_OWN(runtime)->dealloc_depth--;
    if (finalizers_is_dead(object)) {
        object_set_count(object, 0); /* a policy may have biased it meanwhile */
        return true;
    }
    object_decref(runtime, object);
    return false;
}
