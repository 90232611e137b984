/* The slow paths of biased counts: merging the halves of a count, and the queues by which a thread
 * asks an object's owner to do so. After CPython 3.13, Objects/object.c and Python/brc.c. */
#include "gc/objects.h"
#include "gc/world.h"

#if defined(GC_REFCOUNT) && GC_REFCOUNT >= GC_REFCOUNT_BIASED
#include "common/os_memory.h"

/* Between the stores nobody else can be the one who takes the last reference: as local is zero,
 * each reference that is left is counted in shared. */
bool object_merge_zero(struct object *object)
{
    int32_t shared = __atomic_load_n(&object->shared, __ATOMIC_ACQUIRE);
    if (shared == 0) {
        return true;
    }
    GC_POINT();
    __atomic_store_n(&object->owner, 0, __ATOMIC_RELEASE);
    int32_t merged;
    do {
        merged = shared | OBJECT_MERGED;
    } while (!__atomic_compare_exchange_n(&object->shared, &shared, merged, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return merged == OBJECT_MERGED;
}

/* The caller is the owner, or stands for it, and has taken the object out of its queue, whose
 * reference goes. Whether that was the last. When the count is in shared, another thread may let go
 * of the last reference at once: nothing is written behind that. */
static bool queue_merge_object(struct object *object)
{
    int32_t local = (int32_t)object_load_local(object);
    __atomic_store_n(&object->local, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&object->owner, 0, __ATOMIC_RELEASE);
    GC_POINT();
    int32_t shared = __atomic_load_n(&object->shared, __ATOMIC_RELAXED);
    int32_t merged;
    do {
        merged = ((shared & ~OBJECT_STATE) + (local - 1) * OBJECT_SHARED_ONE) | OBJECT_MERGED;
    } while (!__atomic_compare_exchange_n(&object->shared, &shared, merged, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return merged == OBJECT_MERGED;
}

enum queue_added { QUEUE_TAKEN, QUEUE_ENDED, QUEUE_REFUSED };

static enum queue_added queue_add(struct gc_thread *owner, struct object *object)
{
    enum queue_added added = QUEUE_TAKEN;
    world_lock(&owner->queue_lock);
    if (owner->has_ended) {
        added = QUEUE_ENDED;
    } else if (owner->queue_length == owner->queue_capacity &&
               !world_grow((void **)&owner->queue, &owner->queue_capacity, sizeof(object))) {
        added = QUEUE_REFUSED;
    } else {
        owner->queue[owner->queue_length++] = object;
        owner->queued++;
        if (owner->queue_length > owner->queue_length_max) {
            owner->queue_length_max = owner->queue_length;
        }
        (void)__atomic_fetch_or(&owner->poll, GC_POLL_QUEUE, __ATOMIC_RELAXED);
    }
    world_unlock(&owner->queue_lock);
    return added;
}

/* The object has just been marked as queued. Nobody else merges one whose owner has ended or stands
 * still; without memory for the queue the world is stopped for that. */
static bool queue_object(struct object *object)
{
    struct runtime *runtime = gc_world_runtime;
    uint32_t number = __atomic_load_n(&object->owner, __ATOMIC_ACQUIRE);
    GC_POINT();
    if (number == 0) {
        return object_drop_shared(object); /* the owner is merging, or has just merged */
    }
    if (world_is_stopped(runtime)) {
        return queue_merge_object(object);
    }
    enum queue_added added = queue_add(runtime->world.threads[number], object);
    if (added == QUEUE_TAKEN) {
        return false;
    }
    if (added == QUEUE_ENDED) {
        return queue_merge_object(object);
    }
    gc_stop(runtime);
    bool is_last = queue_merge_object(object);
    gc_start(runtime);
    return is_last;
}

bool object_drop_shared(struct object *object)
{
    int32_t shared = __atomic_load_n(&object->shared, __ATOMIC_RELAXED);
    int32_t dropped;
    bool is_queued;
    GC_POINT();
    do {
        is_queued = shared == 0 || shared == OBJECT_TRIED;
        dropped = is_queued ? OBJECT_QUEUED : shared - OBJECT_SHARED_ONE;
    } while (!__atomic_compare_exchange_n(&object->shared, &shared, dropped, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    if (is_queued) {
        return queue_object(object);
    }
    return dropped == OBJECT_MERGED;
}

void queue_merge(struct runtime *runtime, struct gc_thread *thread)
{
    for (;;) {
        world_lock(&thread->queue_lock);
        if (thread->queue_length == 0) {
            (void)__atomic_fetch_and(&thread->poll, ~(uint32_t)GC_POLL_QUEUE, __ATOMIC_RELAXED);
            world_unlock(&thread->queue_lock);
            return;
        }
        struct object *object = thread->queue[--thread->queue_length];
        world_unlock(&thread->queue_lock);
        if (queue_merge_object(object)) {
            object_release(runtime, object);
        }
    }
}

void queue_close(struct gc_thread *thread)
{
    if (thread->queue != NULL) {
        os_unmap(thread->queue, thread->queue_capacity * sizeof(struct object *));
    }
}
#elif defined(GC_THREADS)
void queue_merge(struct runtime *runtime, struct gc_thread *thread)
{
    (void)runtime;
    (void)thread;
}

void queue_close(struct gc_thread *thread)
{
    (void)thread;
}
#endif
