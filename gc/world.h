/* What the files of the threads share. Internal to gc/. */
#ifndef HEAPMILL_GC_WORLD_H
#define HEAPMILL_GC_WORLD_H

#include "gc/runtime.h"

#ifdef GC_THREADS
#include <sched.h>

/* The one runtime with threads that is open; NULL: none. */
extern struct runtime *gc_world_runtime;

#ifdef HEAPMILL_FAULTS
/* Fuzz targets run one thread at a time. NULL, or called where another thread might run between two
 * steps; must: this one cannot go on before another has done something. */
extern void (*gc_interleave)(bool must);
#define GC_POINT()                                                                                 \
    do {                                                                                           \
        if (gc_interleave != NULL) {                                                               \
            gc_interleave(false);                                                                  \
        }                                                                                          \
    } while (0)
#else
#define GC_POINT() ((void)0)
#endif

/* Another thread must do something first. */
static inline void world_yield(void)
{
#ifdef HEAPMILL_FAULTS
    if (gc_interleave != NULL) {
        gc_interleave(true);
        return;
    }
#endif
    (void)sched_yield();
}

/* Held for some dozens of instructions, and never at a safe point. */
static inline void world_lock(uint32_t *lock)
{
    GC_POINT();
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0) {
        while (__atomic_load_n(lock, __ATOMIC_RELAXED) != 0) {
            world_yield();
        }
    }
}

static inline void world_unlock(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/* false, with *error set: there is a runtime with threads already, or no memory. */
bool world_open(struct runtime *runtime, const struct gc_policy *policy, struct error *error);
void world_close(struct runtime *runtime);
uint64_t world_objects_live(const struct runtime *runtime);
uint32_t world_holes(const struct runtime *runtime);  /* that the registry was not told of */
bool world_is_stopped(const struct runtime *runtime); /* by the calling thread */

/* All threads stand still, and the caller has the world to itself: merges what is in queues, and
 * lets go of what was retired. Runs any code. */
void world_settle(struct runtime *runtime);
/* Begins and ends a collection: what is deferred is counted truly meanwhile. */
void world_begin_collection(struct runtime *runtime);
void world_end_collection(struct runtime *runtime);

/* queue.c: the owner merges what others have left to it. */
void queue_merge(struct runtime *runtime, struct gc_thread *thread);
void queue_close(struct gc_thread *thread);
/* container.c. has_world: the caller stands alone. */
void container_reclaim(struct runtime *runtime, struct gc_thread *thread, bool has_world);
/* Makes sure that every core has passed a fence. */
bool container_open(void);

/* An array in mapped memory, which has room for another element afterwards. false: no memory. */
bool world_grow(void **array, size_t *capacity, size_t element_bytes);
#endif

/* Locks that only threads at once need. */
#ifdef GC_FREE_THREADS
#define WORLD_LOCK(runtime, which) world_lock(&(runtime)->world.which)
#define WORLD_UNLOCK(runtime, which) world_unlock(&(runtime)->world.which)
#else
#define WORLD_LOCK(runtime, which) ((void)0)
#define WORLD_UNLOCK(runtime, which) ((void)0)
#endif

#endif
