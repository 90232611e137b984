/* Atomic counts: one field, and an atomic addition for each reference, whoever's the object is.
 * What a runtime gets that replaces nothing but ++ and --; Swift's counts are so.
 *
 * Header: 16 bytes an object, 16 more before a container.
 *
 * Counts go up relaxed, since whoever takes a reference has one to take it from; and down with
 * release and acquire, so that whoever frees sees what all others did before (Boost's
 * shared_ptr). */
#ifndef HEAPMILL_GC_REFCOUNT_ATOMIC_H
#define HEAPMILL_GC_REFCOUNT_ATOMIC_H

struct object {
    int32_t refcount; /* atomic */
    uint32_t index;   /* see plain.h */
    const struct type *type;
};

/* What object_immortalize (introspect.h) adds to a count. */
enum { OBJECT_IMMORTAL_COUNT = 1 << 29 };

static inline int32_t object_load_count(const struct object *object)
{
    return __atomic_load_n(&object->refcount, __ATOMIC_RELAXED);
}

static inline struct object *object_incref(struct object *object)
{
    if (GC_IMMORTAL && object_load_count(object) >= OBJECT_IMMORTAL_COUNT / 2) {
        return object;
    }
    (void)__atomic_fetch_add(&object->refcount, 1, __ATOMIC_RELAXED);
    return object;
}

/* Takes one off the count. Whether it was the last. */
static inline bool object_drop(struct object *object)
{
    if (GC_IMMORTAL && object_load_count(object) >= OBJECT_IMMORTAL_COUNT / 2) {
        return false;
    }
    return __atomic_fetch_sub(&object->refcount, 1, __ATOMIC_ACQ_REL) == 1;
}

/* The count as sys.getrefcount would say it, less the one that its own argument adds. Other threads
 * may change it meanwhile. */
static inline int64_t object_getrefcount(const struct object *object)
{
    return __atomic_load_n(&object->refcount, __ATOMIC_ACQUIRE);
}

/* ---------------------------------------------------------------- for gc/ alone: see plain.h */
static inline void object_begin(struct object *object, const struct type *type)
{
    *object = (struct object){.refcount = 1, .type = type};
}

static inline void object_begin_headed(struct object *object, const struct type *type)
{
    object->refcount = 1;
    object->type = type;
}

static inline void object_set_count(struct object *object, int32_t count)
{
    __atomic_store_n(&object->refcount, count, __ATOMIC_RELEASE);
}

static inline void object_add_stopped(struct object *object, int32_t difference)
{
    object->refcount += difference;
}

static inline bool object_drop_stopped(struct object *object)
{
    return object_drop(object);
}

static inline bool object_try_incref(struct object *object)
{
    int32_t count = object_load_count(object);
    while (count > 0) {
        if (__atomic_compare_exchange_n(&object->refcount, &count, count + 1, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

static inline void object_expect_try(struct object *object)
{
    (void)object;
}

static inline void object_merge(struct object *object)
{
    (void)object;
}

static inline void object_make_immortal(struct object *object)
{
    object->refcount += OBJECT_IMMORTAL_COUNT;
}

static inline void object_make_mortal(struct object *object)
{
    object->refcount = GC_IMMORTAL ? 1 : object->refcount - OBJECT_IMMORTAL_COUNT;
}

#endif
