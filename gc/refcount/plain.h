/* Plain counts: one field, no atomic operation. One thread, or many that take turns under one lock.
 *
 * Header: 16 bytes an object, 16 more before a container. */
#ifndef HEAPMILL_GC_REFCOUNT_PLAIN_H
#define HEAPMILL_GC_REFCOUNT_PLAIN_H

/* CPython's 8 bytes of count are here a count of 31 bits and the index by which the collector knows
 * the object, 0 for all that it does not track. In the object and not in the collector's header, as
 * what refers to an object looks at its type and count anyway: one cache line, not two.
 *
 * A container whose count is below zero is biased: INT32_MIN has been added to it, because the
 * collector's policy wants to hear of its decrements (gc/policy.h). */
struct object {
    int32_t refcount;
    uint32_t index;
    const struct type *type;
};

/* What object_immortalize (introspect.h) adds to a count. The count goes on being kept, so that it
 * is known what it would be without; with GC_IMMORTAL it stays as it is. */
enum { OBJECT_IMMORTAL_COUNT = 1 << 29 };

/* OBJECT_IMMORTAL_BELOW_ZERO: these are not our objects, but those of a CPython from 3.12 on, which
 * leaves a count below zero as it is (PEP 683). */
static inline struct object *object_incref(struct object *object)
{
#if defined(OBJECT_IMMORTAL_BELOW_ZERO)
    if (object->refcount < 0) {
        return object;
    }
#elif GC_IMMORTAL
    if (object->refcount >= OBJECT_IMMORTAL_COUNT / 2) {
        return object;
    }
#endif
    object->refcount++;
    return object;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OBJECT_IS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define OBJECT_IS_WATCHED 1
#endif
#endif

/* Takes one off the count. Whether it is not above zero then. */
static inline bool object_drop(struct object *object)
{
#if defined(OBJECT_IMMORTAL_BELOW_ZERO)
    return object->refcount >= 0 && --object->refcount == 0;
#elif GC_IMMORTAL
    return object->refcount < OBJECT_IMMORTAL_COUNT / 2 && --object->refcount <= 0;
#elif defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__) && defined(__OPTIMIZE__) &&         \
    !defined(OBJECT_IS_WATCHED)
    /* One instruction, whose flags say it; compilers load, subtract, store and test. Sanitizers see
     * no access that they have not compiled. */
    bool is_last;
    __asm__("subl $1, %0" : "+m"(object->refcount), "=@ccle"(is_last));
    return is_last;
#else
    return --object->refcount <= 0;
#endif
}

/* The count as sys.getrefcount would say it, less the one that its own argument adds. */
static inline int64_t object_getrefcount(const struct object *object)
{
    return object->refcount & INT32_MAX;
}

static inline bool object_is_biased(const struct object *object)
{
    return object->refcount < 0;
}

/* From now on the policy hears of each decrement. The count must be above zero. */
static inline void object_bias(struct object *object)
{
    object->refcount |= INT32_MIN;
}

static inline void object_unbias(struct object *object)
{
    object->refcount &= INT32_MAX;
}

/* ---------------------------------------------------------------- for gc/ alone */
/* A new object: its count is 1, and index 0. */
static inline void object_begin(struct object *object, const struct type *type)
{
    *object = (struct object){.refcount = 1, .type = type};
}

/* The same, but that the index is left to be set. */
static inline void object_begin_headed(struct object *object, const struct type *type)
{
    object->refcount = 1;
    object->type = type;
}

/* Sets the count of an object that nobody else can reach: 1 to keep it whole while its finalizer
 * runs, 0 when it is dead after all. */
static inline void object_set_count(struct object *object, int32_t count)
{
    object->refcount = count;
}

/* Adds to a count whoever's it is, while no other thread runs. */
static inline void object_add_stopped(struct object *object, int32_t difference)
{
    object->refcount += difference;
}

/* object_drop of what trash refers to. */
static inline bool object_drop_stopped(struct object *object)
{
    return --object->refcount <= 0;
}

/* Takes a reference to what may be dying: false when its count has come to zero. */
static inline bool object_try_incref(struct object *object)
{
    if (object_getrefcount(object) == 0) {
        return false;
    }
    (void)object_incref(object);
    return true;
}

/* From now on somebody may find object by what counts no reference to it (object_try_incref). */
static inline void object_expect_try(struct object *object)
{
    (void)object;
}

/* While no other thread runs: from now on any thread's drop sees the count come to zero. */
static inline void object_merge(struct object *object)
{
    (void)object;
}

/* See object_immortalize (introspect.h); while no other thread runs. With GC_IMMORTAL nobody knows
 * how many references there are afterwards: one that is mortal again has one. */
static inline void object_make_immortal(struct object *object)
{
    object->refcount += OBJECT_IMMORTAL_COUNT;
}

static inline void object_make_mortal(struct object *object)
{
    object->refcount = GC_IMMORTAL ? 1 : object->refcount - OBJECT_IMMORTAL_COUNT;
}

#endif
