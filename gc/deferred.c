/* Deferred counts: containers that many threads take up and put down all the time, a module's
 * functions and classes, are not counted for that (gc_push). As PEP 703: such an object never dies
 * by its count, as OBJECT_DEFERRED_COUNT is on top of it. A collection takes that off, counts what
 * is in the threads' stacks, and so knows the truth. */
#include "gc/objects.h"
#include "gc/world.h"

#if defined(GC_REFCOUNT) && GC_REFCOUNT == GC_REFCOUNT_DEFERRED
bool gc_defer(struct runtime *runtime, struct object *container)
{
    struct gc_immortals *deferred = &runtime->world.deferred;
    struct gc_head *head = gc_head_of(container);
    OBJECT_ASSERT(object_is_container(container));
    gc_stop(runtime);
    bool has_room =
        deferred->length < deferred->capacity ||
        world_grow((void **)&deferred->objects, &deferred->capacity, sizeof(*deferred->objects));
    if (has_room && (head->flags & GC_FLAG_WATCHED) == 0) {
        head->flags |= GC_FLAG_WATCHED;
        head->word = deferred->length;
        deferred->objects[deferred->length++] = container;
        object_add_stopped(container, OBJECT_DEFERRED_COUNT);
    }
    gc_start(runtime);
    return has_room;
}

/* It dies: the last of the table takes its place. Nothing but a collection lets one die, and that
 * stands alone. */
void runtime_untracking(struct runtime *runtime, struct object *container)
{
    struct gc_immortals *deferred = &runtime->world.deferred;
    struct gc_head *head = gc_head_of(container);
    struct object *last = deferred->objects[--deferred->length];
    OBJECT_ASSERT(deferred->objects[head->word] == container);
    deferred->objects[head->word] = last;
    gc_head_of(last)->word = head->word;
    head->flags &= ~(uint32_t)GC_FLAG_WATCHED;
}

static void deferred_count_stacks(struct gc_world *world, int32_t difference)
{
    for (uint32_t i = 1; i <= world->thread_count; i++) {
        const struct gc_thread *thread = world->threads[i];
        for (size_t k = 0; k < thread->stack_length; k++) {
            object_add_stopped(thread->stack[k], difference);
        }
    }
}

static void deferred_add(struct gc_world *world, int32_t difference)
{
    for (size_t i = 0; i < world->deferred.length; i++) {
        object_add_stopped(world->deferred.objects[i], difference);
    }
}

void world_begin_collection(struct runtime *runtime)
{
    deferred_count_stacks(&runtime->world, 1);
    deferred_add(&runtime->world, -OBJECT_DEFERRED_COUNT);
}

/* One whose count has come to zero meanwhile, as its last referrer died by its count, waits for the
 * next collection. */
void world_end_collection(struct runtime *runtime)
{
    deferred_add(&runtime->world, OBJECT_DEFERRED_COUNT);
    deferred_count_stacks(&runtime->world, -1);
}
#elif defined(GC_THREADS)
void runtime_untracking(struct runtime *runtime, struct object *container)
{
    (void)runtime;
    (void)container;
}

void world_begin_collection(struct runtime *runtime)
{
    (void)runtime;
}

void world_end_collection(struct runtime *runtime)
{
    (void)runtime;
}
#endif
