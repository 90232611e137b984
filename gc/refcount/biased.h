/* Biased counts: the thread that made an object counts its own references to it without an atomic
 * operation, all others count theirs in a second field with one (Choi, Shull and Torrellas, "Biased
 * Reference Counting", PACT 2018; the layout and the states are PEP 703's, Objects/object.c and
 * Python/brc.c of CPython 3.13).
 *
 * Header: 24 bytes an object, 16 more before a container.
 *
 * Invariants
 *  1. The references to an object are local + shared / 4, and one more if it is in a queue: that
 *     one is in local or in shared until the queue's owner merges.
 *  2. local and owner are written by the owner alone, or while all threads are stopped, or when
 *     the owner has ended.
 *  3. An object dies when its halves are merged (the state is MERGED, owner 0) and the sum is
 *     zero; or, at once, when local comes to zero with all of shared zero: then no other thread has
 *     ever counted, and nobody looks for it by object_try_incref.
 *  4. A thread that would take shared below zero does not: it puts the object into its owner's
 *     queue, with the reference, and the owner merges the halves at its next safe point.
 *
 * GC_REFCOUNT_DEFERRED adds to invariant 1 for objects that were deferred (gc_defer in threads.h):
 * OBJECT_DEFERRED_COUNT is in shared, so that no drop is the last. */
#ifndef HEAPMILL_GC_REFCOUNT_BIASED_H
#define HEAPMILL_GC_REFCOUNT_BIASED_H

struct object {
    uint32_t local; /* references that the owner counts; OBJECT_LOCAL_IMMORTAL */
    uint32_t index; /* see plain.h */
    const struct type *type;
    int32_t shared; /* atomic: references that others count, times 4, and a state */
    uint32_t owner; /* the number of a thread (gc/threads.h); 0: merged */
};

enum {
    OBJECT_SHARED_ONE = 4,
    OBJECT_STATE = 3,
    OBJECT_TRIED = 1,  /* object_expect_try was called: the owner's last drop merges */
    OBJECT_QUEUED = 2, /* it is in its owner's queue, with a reference */
    OBJECT_MERGED = 3, /* shared has the whole count */
    /* What object_immortalize (introspect.h) adds to a count, and what deferral adds. */
    OBJECT_IMMORTAL_COUNT = 1 << 28,
    OBJECT_DEFERRED_COUNT = 1 << 25,
};
#define OBJECT_LOCAL_IMMORTAL UINT32_MAX

/* The calling thread's number (gc/threads.h); 0: it is none of a runtime's. Numbers are never used
 * again. */
extern _Thread_local uint32_t gc_own_number;

/* The owner's count has come to zero: merges. Whether that was the last reference. */
bool object_merge_zero(struct object *object);
/* Another thread's reference goes. Whether it was the last. */
bool object_drop_shared(struct object *object);

static inline uint32_t object_load_local(const struct object *object)
{
    return __atomic_load_n(&object->local, __ATOMIC_RELAXED);
}

static inline bool object_is_own(const struct object *object)
{
    return __atomic_load_n(&object->owner, __ATOMIC_RELAXED) == gc_own_number;
}

static inline struct object *object_incref(struct object *object)
{
    uint32_t local = object_load_local(object);
    if (GC_IMMORTAL && local == OBJECT_LOCAL_IMMORTAL) {
        return object;
    }
    if (__builtin_expect(object_is_own(object), true)) {
        __atomic_store_n(&object->local, local + 1, __ATOMIC_RELAXED);
    } else {
        (void)__atomic_fetch_add(&object->shared, OBJECT_SHARED_ONE, __ATOMIC_RELAXED);
    }
    return object;
}

/* Takes one off the count. Whether it was the last. */
static inline bool object_drop(struct object *object)
{
    uint32_t local = object_load_local(object);
    if (GC_IMMORTAL && local == OBJECT_LOCAL_IMMORTAL) {
        return false;
    }
    if (__builtin_expect(object_is_own(object), true)) {
        __atomic_store_n(&object->local, --local, __ATOMIC_RELAXED);
        return __builtin_expect(local == 0, false) && object_merge_zero(object);
    }
    return object_drop_shared(object);
}

/* The count as sys.getrefcount would say it, less the one that its own argument adds. Exact while
 * threads are stopped, or where one thread alone can reach the object. */
static inline int64_t object_getrefcount(const struct object *object)
{
    int32_t shared = __atomic_load_n(&object->shared, __ATOMIC_ACQUIRE);
    uint32_t local = object_load_local(object);
    if (GC_IMMORTAL && local == OBJECT_LOCAL_IMMORTAL) {
        return OBJECT_IMMORTAL_COUNT;
    }
    return (int64_t)local + (shared >> 2);
}

/* ---------------------------------------------------------------- for gc/ alone: see plain.h */
static inline void object_begin_headed(struct object *object, const struct type *type)
{
    object->local = 1;
    object->type = type;
    object->shared = 0;
    object->owner = gc_own_number;
}

static inline void object_begin(struct object *object, const struct type *type)
{
    object_begin_headed(object, type);
    object->index = 0;
}

/* Whoever sets it is the owner from now on. */
static inline void object_set_count(struct object *object, int32_t count)
{
    bool is_tried = (object->shared & OBJECT_STATE) != 0;
    __atomic_store_n(&object->local, (uint32_t)count, __ATOMIC_RELAXED);
    __atomic_store_n(&object->owner, gc_own_number, __ATOMIC_RELAXED);
    __atomic_store_n(&object->shared, is_tried && count != 0 ? OBJECT_TRIED : 0, __ATOMIC_RELEASE);
}

static inline void object_add_stopped(struct object *object, int32_t difference)
{
    object->shared += difference * OBJECT_SHARED_ONE;
}

/* The collector's thread, whoever's the object is. */
static inline bool object_drop_stopped(struct object *object)
{
    return object_drop(object);
}

/* The owner's count may be more than zero where shared says zero and no more: nobody is to try
 * without object_expect_try before. */
static inline bool object_try_incref(struct object *object)
{
    uint32_t local = object_load_local(object);
    if ((GC_IMMORTAL && local == OBJECT_LOCAL_IMMORTAL) || (local != 0 && object_is_own(object))) {
        (void)object_incref(object);
        return true;
    }
    int32_t shared = __atomic_load_n(&object->shared, __ATOMIC_RELAXED);
    while (shared != 0 && shared != OBJECT_MERGED) {
        if (__atomic_compare_exchange_n(&object->shared, &shared, shared + OBJECT_SHARED_ONE, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

static inline void object_expect_try(struct object *object)
{
    int32_t shared = __atomic_load_n(&object->shared, __ATOMIC_RELAXED);
    while ((shared & OBJECT_STATE) == 0 &&
           !__atomic_compare_exchange_n(&object->shared, &shared, shared | OBJECT_TRIED, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    }
}

static inline void object_merge(struct object *object)
{
    if (object->owner != 0 && object->local != OBJECT_LOCAL_IMMORTAL) {
        object->shared =
            ((object->shared & ~OBJECT_STATE) + (int32_t)object->local * OBJECT_SHARED_ONE) |
            OBJECT_MERGED;
        object->local = 0;
        object->owner = 0;
    }
}

static inline void object_make_immortal(struct object *object)
{
    if (GC_IMMORTAL) {
        object->local = OBJECT_LOCAL_IMMORTAL;
    } else {
        object_add_stopped(object, OBJECT_IMMORTAL_COUNT);
    }
}

static inline void object_make_mortal(struct object *object)
{
    if (GC_IMMORTAL) {
        object_set_count(object, 1);
    } else {
        object_add_stopped(object, -OBJECT_IMMORTAL_COUNT);
    }
}

#endif
