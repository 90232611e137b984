/* The built-in types' structures, with their sizes checked against CPython's. Internal to gc/. */
#ifndef HEAPMILL_GC_OBJECTS_H
#define HEAPMILL_GC_OBJECTS_H

#include <assert.h>

#include "gc/collector.h"
#include "gc/object.h"

/* Checks of arguments: in builds without optimisation (the presets dev and asan-ubsan), since in a
 * timed build they would be timed. */
#ifdef __OPTIMIZE__
#define OBJECT_ASSERT(condition) ((void)0)
#else
#define OBJECT_ASSERT(condition) assert(condition)
#endif

/* PyIntObject, Include/intobject.h, 2.7. A 3.11 int is 28 bytes up to 2^30, 32 in a pool. */
struct int_object {
    struct object base;
    int64_t value;
};
static_assert(sizeof(struct int_object) == HEAP_INT_BYTES, "PyIntObject");

/* PyFloatObject, Include/cpython/floatobject.h, 3.11. */
struct float_object {
    struct object base;
    double value;
};
static_assert(sizeof(struct float_object) == HEAP_FLOAT_BYTES, "PyFloatObject");

/* PyASCIIObject, Include/cpython/unicodeobject.h, 3.11: the bytes and a zero follow in the same
 * block, 49 bytes and up. The chain of the intern table is where 3.11 has its wstr pointer. */
struct str_object {
    struct object base;
    size_t length; /* in bytes, the zero not counted */
    uint64_t hash; /* 0: not computed yet */
    uint64_t interned;
    struct str_object *intern_next;
    char bytes[];
};
static_assert(sizeof(struct str_object) == 48 + HEAP_OBJECT_EXTRA_BYTES, "PyASCIIObject, 3.11");

/* PyTupleObject, Include/cpython/tupleobject.h, 3.11. */
struct tuple_object {
    struct object base;
    size_t length;
    struct object *items[];
};
static_assert(sizeof(struct gc_head) + sizeof(struct tuple_object) == HEAP_TUPLE_BYTES, "PyTuple");

/* PyListObject, Include/cpython/listobject.h, 3.11. */
struct list_object {
    struct object base;
    size_t length;
    struct object **items; /* NULL: no vector yet */
    size_t capacity;       /* in items; the vector of a list popped empty holds none */
};
static_assert(sizeof(struct gc_head) + sizeof(struct list_object) == HEAP_LIST_BYTES, "PyList");

/* PyDictObject, Include/cpython/dictobject.h, 3.11. */
struct dict_object {
    struct object base;
    size_t used;
    uint64_t unused_version; /* ma_version_tag: kept for the size */
    struct dict_keys *keys;  /* NULL: empty, no table yet */
    void *unused_values;     /* ma_values, for split tables: kept for the size */
};
static_assert(sizeof(struct gc_head) + sizeof(struct dict_object) == HEAP_DICT_BYTES, "PyDict");

/* An instance of a class without slots in CPython up to 3.10: collector header, count, type, dict,
 * weak references. */
struct instance_object {
    struct object base;
    union {
        struct object *class_name;       /* of a plain instance */
        struct weakref_object *weakrefs; /* of a class's: the first of its list, or NULL */
    };
    struct object *attributes; /* a dict; NULL: no attribute yet */
};
static_assert(sizeof(struct gc_head) + sizeof(struct instance_object) ==
                  48 + HEAP_OBJECT_EXTRA_BYTES,
              "3.10's instance");

/* FNV-1a, 64 bits (Fowler, Noll, Vo; IETF draft-eastlake-fnv). Never 0, which means "not computed".
 */
static inline uint64_t str_hash_bytes(const char *bytes, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    }
    return hash == 0 ? 1 : hash;
}

/* The count is zero: takes the object out of the registry and calls its type's dealloc. */
void object_dealloc(struct runtime *runtime, struct object *object);
/* The count has gone down, and is below zero, but does not say zero: the rest of object_release. */
void object_released(struct runtime *runtime, struct object *object);
/* object_release of what a container refers to that is being deallocated: one level deeper. */
void object_release_nested(struct runtime *runtime, struct object *object);

/* A decref of a container's reference while that is being deallocated. A level is counted where the
 * reference was the last one, so that a container of living things pays for none. */
static inline void object_decref_nested(struct runtime *runtime, struct object *object)
{
    if (object_drop(object)) {
        object_release_nested(runtime, object);
    }
}

/* Makes an int whatever its value: for the table of small ints. */
struct object *int_new_unshared(struct runtime *runtime, int64_t value);
/* Sets name in the dict of attributes that owner (an instance or a class) has at *attributes, and
 * makes the dict when that is NULL. false: the heap is exhausted. */
bool instance_set_in(struct runtime *runtime, struct object *owner, struct object **attributes,
                     struct object *name, struct object *value);
/* The type of the instances of class. */
const struct type *class_instance_type(const struct object *class);
/* A tuple of no items outside the collector's books: the shared one. */
struct object *tuple_new_empty(struct runtime *runtime);

/* The table of interned strings. open returns false when memory is refused. */
bool intern_open(struct runtime *runtime);
void intern_close(struct runtime *runtime);
/* Called when an interned string dies. */
void intern_remove(struct runtime *runtime, struct str_object *str);
/* The number of broken invariants, each printed. */
size_t intern_check(const struct runtime *runtime);

/* Ends the process with "refcount is too small". */
void object_fail_count(const struct object *object) __attribute__((noreturn, cold));

/* What builds for tests verify at each collection: those without optimisation, and those that are
 * compiled with fault injection. */
#if defined(HEAPMILL_FAULTS) || !defined(__OPTIMIZE__)
#define GC_IS_CHECKED 1
#else
#define GC_IS_CHECKED 0
#endif

/* Prints "heapmill: check: …" with the object's type and address; returns 1, to be summed. */
size_t object_report(const struct object *object, const char *text);

#endif
