/* Lists and dicts that threads share: who may change one, and what becomes of what leaves it.
 * Internal to gc/.
 *
 * A container begins as its maker's alone. While it is, its owner changes it without a lock: it
 * only says that it is changing something (gc_thread.writing). The first other thread that uses it
 * makes it shared, for good: it takes the container's lock, sets `shared`, and waits until the
 * owner has seen that or is not writing. The owner's store to `writing` and its look at `shared`
 * would want a fence between them; instead the other thread, which is rare, makes every core pass
 * one (membarrier). That is biased locking (Kawachiya, Koseki and Onodera, OOPSLA 2002) with the
 * asymmetric fence of Dice, Huang and Yang ("Asymmetric Dekker Synchronization", 2001).
 *
 * Of a shared container, writers hold the lock. Readers of one item take none, as in PEP 703. There
 * a reader tries to take a reference, and looks again whether the item is still where it was; that
 * needs an allocator that leaves the count of a freed object alone. Here what leaves a shared
 * container, an item's reference or a replaced vector, is retired: it is let go of when every
 * thread has passed a safe point (Hart, McKenney and Brown, "Making Lockless Synchronization
 * Fast", IPDPS 2006: quiescent states). So whatever a reader finds is alive, over any allocator,
 * and an object may outlive its removal by some safe points.
 *
 * No safe point, no decref and no allocation of a container happens between enter and leave. */
#ifndef HEAPMILL_GC_CONTAINER_H
#define HEAPMILL_GC_CONTAINER_H

#include "gc/runtime.h"
#include "gc/world.h"

#ifdef GC_FREE_THREADS
/* Fields that others may read or write at the same time. */
#define GC_LOAD(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define GC_STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

/* The container's lock is taken, and it is shared. */
void container_lock(struct object *container);
void container_unlock(struct object *container);
/* Lets go of it when no thread can have it in its hands any more. bytes 0: a reference. */
void container_retire(struct runtime *runtime, void *what, size_t bytes);

static inline bool container_is_shared(const struct object *container)
{
    return __atomic_load_n(&gc_head_of(container)->shared, __ATOMIC_ACQUIRE) != 0;
}

static inline bool container_is_own(const struct object *container)
{
    return gc_head_of(container)->owner == gc_own->number;
}

/* The container is about to change. Whether it is shared: for leave, and the two below. */
static inline bool container_enter(struct object *container)
{
    __atomic_store_n(&gc_own->writing, 1, __ATOMIC_RELAXED);
    __asm__ volatile("" : : : "memory"); /* the fence is container_lock's */
    GC_POINT();
    if (__builtin_expect(container_is_own(container) && !container_is_shared(container), true)) {
        return false;
    }
    __atomic_store_n(&gc_own->writing, 0, __ATOMIC_RELEASE);
    container_lock(container);
    return true;
}

static inline void container_leave(struct object *container, bool is_shared)
{
    GC_POINT();
    if (__builtin_expect(is_shared, false)) {
        container_unlock(container);
    } else {
        __atomic_store_n(&gc_own->writing, 0, __ATOMIC_RELEASE);
    }
}

/* Before one item is read without a lock: the container is the caller's alone, or shared. */
static inline void container_expect_read(struct object *container)
{
    if (__builtin_expect(!container_is_own(container) && !container_is_shared(container), false)) {
        container_lock(container);
        container_unlock(container);
    }
}

/* item is put into a container: what others can find there is shared too. */
static inline void container_put(bool is_shared, struct object *item)
{
    if (is_shared && object_is_container(item)) {
        gc_share(item);
    }
}

/* The reference to an item that has left the container; after leave. */
static inline void container_release(struct runtime *runtime, bool is_shared, struct object *item)
{
    if (__builtin_expect(is_shared, false)) {
        container_retire(runtime, item, 0);
    } else {
        object_decref(runtime, item);
    }
}

/* The same with a vector that has been replaced; before leave, once. */
static inline void container_free_block(struct runtime *runtime, bool is_shared, void *block,
                                        size_t bytes)
{
    if (__builtin_expect(is_shared, false)) {
        gc_own->left_block = block;
        gc_own->left_bytes = bytes;
    } else {
        heap_free(runtime->heap, block, bytes, HEAP_BUFFER);
    }
}
#else
#define GC_LOAD(place) (place)
#define GC_STORE(place, value) ((place) = (value))

static inline bool container_enter(struct object *container)
{
    (void)container;
    return false;
}

static inline void container_leave(struct object *container, bool is_shared)
{
    (void)container;
    (void)is_shared;
}

static inline void container_expect_read(struct object *container)
{
    (void)container;
}

static inline void container_put(bool is_shared, struct object *item)
{
    (void)is_shared;
    (void)item;
}

static inline void container_release(struct runtime *runtime, bool is_shared, struct object *item)
{
    (void)is_shared;
    object_decref(runtime, item);
}

static inline void container_free_block(struct runtime *runtime, bool is_shared, void *block,
                                        size_t bytes)
{
    (void)is_shared;
    heap_free(runtime->heap, block, bytes, HEAP_BUFFER);
}
#endif

#endif
