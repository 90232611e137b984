/* The object layer: what CPython's object layer does with memory, and nothing else of it.
 *
 * Invariants
 *  1. An object's count is the number of references to it: from names (local variables that own
 *     one), from containers, from the runtime's own tables. At zero it is deallocated at once, on
 *     the spot.
 *  2. Every block comes from the runtime's one heap, through the contract, and goes back with the
 *     size and type that it was asked with.
 *  3. A container (a type with TYPE_IS_CONTAINER) has a struct gc_head right before its struct
 *     object, in the same block. It is tracked from when its fields are valid until its
 *     deallocation begins; a tracked container is in the registry, at its index. The shared empty
 *     tuple is never tracked: it refers to nothing. Atoms (int, float, str) never are.
 *  4. Between collections, the count of every tracked container is at least the number of
 *     references to it from other tracked containers.
 *  5. Deallocation uses bounded C stack, however long a chain of containers is, and whether
 *     finalizers and weak references' callbacks are links of it or not.
 *  6. A finalizer (types with `finalize`) runs at most once in an object's life, and before
 *     anything that the object refers to is taken apart. Whoever gets a reference to the object
 *     while it runs keeps it alive.
 *
 * Ownership: a function "returns a new reference" (the caller owes a decref) or "returns a borrowed
 * reference" (the caller owes nothing, and it lives while its container holds it). No setter
 * steals: whatever is put into a container (…_set, …_append, …_insert, …_set_item,
 * …_set_attribute), the container takes a reference of its own, and the caller keeps his. The
 * functions that steal have `give` in their names (tuple_give_item, list_give_item): the caller's
 * reference is the container's then, also on failure.
 *
 * Errors: NULL or false means that the heap is exhausted, and nothing has changed (stolen
 * references are released); nothing else fails. Arguments of a wrong type or out of bounds are the
 * caller's mistake: builds without optimisation assert them, timed builds do not.
 *
 * Threads: a runtime belongs to one thread at a time, and two runtimes over two heaps coexist;
 * unless the program is compiled with a policy of counts (GC_REFCOUNT below): see threads.h.
 * Reference: CPython 3.11, Objects and Modules/gcmodule.c. */
#ifndef HEAPMILL_GC_OBJECT_H
#define HEAPMILL_GC_OBJECT_H

#include <assert.h>

#include "allocators/backend.h"

struct runtime;
struct object;

/* Calls visit for each reference that the container owns. A non-zero result stops it and is
 * returned. */
typedef int object_visit(struct object *referent, void *context);

enum type_flag {
    TYPE_IS_CONTAINER = 1u << 0,         /* has a struct gc_head, traverse and clear */
    TYPE_HAS_FINALIZER = 1u << 1,        /* finalize is not NULL */
    TYPE_HAS_LEGACY_FINALIZER = 1u << 2, /* finalize_legacy is not NULL */
    TYPE_HAS_WEAKREFS = 1u << 3,         /* weakrefs_offset is that of a list's head */
    TYPE_IS_WEAKREF = 1u << 4,           /* weakref_type */
    TYPE_IS_CLASS_INSTANCE = 1u << 5,    /* the type is a part of a class object, see class.h */
    /* Other code may have to run when an object dies, or before the collector frees it. */
    TYPE_NEEDS_CARE = TYPE_HAS_FINALIZER | TYPE_HAS_LEGACY_FINALIZER | TYPE_HAS_WEAKREFS,
    /* Its fields change only through functions that call runtime_written (gc/runtime.h) first: what
     * an incremental policy asks before it trusts that nothing has changed. */
    TYPE_IS_GUARDED = 1u << 8,
    /* Its dealloc releases references with object_release_nested (gc/objects.h), which bounds the C
     * stack: its own deallocation need not be counted as a level. */
    TYPE_COUNTS_NESTING = 1u << 9,
};

/* Where an object's references are, for those who pass over very many of them without a call for
 * each. Others go by traverse, which every container has. */
enum type_layout {
    TYPE_LAYOUT_OTHER,
    TYPE_LAYOUT_LIST,
    TYPE_LAYOUT_TUPLE,
};

/* A type descriptor: one for each built-in type, and one in each class object. */
struct type {
    const char *name;
    size_t size;              /* of the block in bytes, collector header included; items excluded */
    enum heap_type heap_type; /* for the back end's per-type free lists */
    unsigned flags;
    enum type_layout layout;
    int (*traverse)(struct object *self, object_visit *visit, void *context);
    /* Drops the references to others, which breaks cycles; the object stays valid, and empty. */
    void (*clear)(struct runtime *runtime, struct object *self);
    /* The count is zero, and a container is no longer tracked: drops references, frees blocks. */
    void (*dealloc)(struct runtime *runtime, struct object *self);
    /* Frees the object's blocks and leaves its references alone, which somebody has released. NULL:
     * garbage of this type is freed one by one, with clear. */
    void (*discard)(struct runtime *runtime, struct object *self);
    /* Counts the broken invariants of the object's own structure, printing each. May be NULL. */
    size_t (*check)(const struct object *self);
    /* Called once, before anything of the object is taken apart (tp_finalize, PEP 442). */
    void (*finalize)(struct runtime *runtime, struct object *self);
    /* Called at a count of zero; cycles with it in them are set aside (tp_del). */
    void (*finalize_legacy)(struct runtime *runtime, struct object *self);
    size_t weakrefs_offset; /* in the object, of a struct weakref_object *; see weakref.h */
};

/* What a count is, and what it costs: one header, bound at compile time as a back end is
 * (heapmill_backend's REFCOUNT in allocators/CMakeLists.txt). Without one the layer serves one
 * thread and counts plainly; with one it has threads (gc/threads.h). Each says its header's size.
 */
#define GC_REFCOUNT_PLAIN 1
#define GC_REFCOUNT_ATOMIC 2
#define GC_REFCOUNT_BIASED 3
#define GC_REFCOUNT_DEFERRED 4 /* biased, and references from a thread's stack are not counted */

#ifdef GC_REFCOUNT
#define GC_THREADS 1
#if GC_REFCOUNT != GC_REFCOUNT_PLAIN
#define GC_FREE_THREADS 1 /* threads run at once, not in turns under one lock */
#endif
#endif
#ifndef GC_IMMORTAL
#define GC_IMMORTAL 0 /* counts of immortal objects are left alone (PEP 683) */
#endif

#if !defined(GC_REFCOUNT) || GC_REFCOUNT == GC_REFCOUNT_PLAIN
#include "gc/refcount/plain.h"
#elif GC_REFCOUNT == GC_REFCOUNT_ATOMIC
#include "gc/refcount/atomic.h"
#else
#include "gc/refcount/biased.h"
#endif
#ifdef GC_FREE_THREADS
#include "gc/refcount/no_bias.h"
#endif
static_assert(sizeof(struct object) == 16 + HEAP_OBJECT_EXTRA_BYTES,
              "allocators/heap.h knows how large an object's header is");

/* ---------------------------------------------------------------- kinds */
/* The built-in types, and the way to tell an object's kind: object_is(object, &list_type). Each
 * class has a type of its own for its instances (class_of_instance in class.h); instance_type is
 * that of plain instances. Types of your own: own_type.h. */
extern const struct type int_type;
extern const struct type float_type;
extern const struct type str_type;
extern const struct type tuple_type;
extern const struct type list_type;
extern const struct type dict_type;
extern const struct type instance_type;
extern const struct type class_type;
extern const struct type weakref_type;
extern const struct type frame_type;

static inline bool object_is(const struct object *object, const struct type *type)
{
    return object->type == type;
}

static inline bool object_is_container(const struct object *object)
{
    return (object->type->flags & TYPE_IS_CONTAINER) != 0;
}

/* ---------------------------------------------------------------- references */
/* The count has gone down to zero or is below it. At zero, biased or not, the object is
 * deallocated; otherwise the policy hears of it. A count below zero that no bias explains ends the
 * process with "refcount is too small". */
void object_release(struct runtime *runtime, struct object *object);

static inline void object_decref(struct runtime *runtime, struct object *object)
{
    if (object_drop(object)) {
        object_release(runtime, object);
    }
}

/* decref of a pointer that may be NULL. */
static inline void object_xdecref(struct runtime *runtime, struct object *object)
{
    if (object != NULL) {
        object_decref(runtime, object);
    }
}

static inline bool object_is_immortal(const struct object *object)
{
    return object_getrefcount(object) >= OBJECT_IMMORTAL_COUNT / 2;
}

/* ---------------------------------------------------------------- the runtime */
enum { GC_GENERATIONS = 3 };

/* Counted since runtime_open, but for `tracked`. */
struct gc_stats {
    uint64_t collections[GC_GENERATIONS];
    uint64_t collected; /* containers found unreachable and freed */
    uint64_t collected_in[GC_GENERATIONS];
    uint64_t uncollectable; /* containers in or reachable from cycles with legacy finalizers */
    uint64_t uncollectable_in[GC_GENERATIONS];
    uint64_t objects_visited; /* containers examined, summed over collections */
    uint64_t tracked;         /* containers tracked now */
    uint64_t registry_bytes;  /* of the collector's own arrays, now */
};

struct gc_policy;
/* All collector policies, NULL at the end; sorted by the names of their files. */
extern const struct gc_policy *const gc_policy_table[];

/* The policy of that name, or whose name that was once; NULL, with an error that names them all,
 * when there is none. */
const struct gc_policy *gc_policy_find(const char *name, struct error *error);
/* generational-700: CPython's up to 3.12. */
const struct gc_policy *gc_policy_default(void);
const char *gc_policy_name(const struct gc_policy *policy);
const char *gc_policy_summary(const struct gc_policy *policy); /* one line */

/* Opens a runtime over heap, which must outlive it: makes the small ints, the empty tuple and the
 * tables of its own. The tables are mapped outside the heap and outside its anonymous memory; the
 * objects are blocks of the heap like any other. Returns NULL with *error set when memory is
 * refused. Release with runtime_close. */
struct runtime *runtime_open_with(struct heap *heap, const struct gc_policy *policy,
                                  struct error *error);
/* With the default policy. */
struct runtime *runtime_open(struct heap *heap, struct error *error);
const struct gc_policy *runtime_policy(const struct runtime *runtime);

/* Collects everything, then releases the runtime's own objects and tables. Returns the number of
 * objects that are still alive because somebody owns a reference: 0 in a program without leaks. */
uint64_t runtime_close(struct runtime *runtime);

struct heap *runtime_heap(struct runtime *runtime);
void runtime_stats(const struct runtime *runtime, struct gc_stats *stats);
/* Objects alive now: the small ints, the empty tuple and interned strings too. */
uint64_t runtime_objects_live(const struct runtime *runtime);

/* Collects generation and the younger ones, everything under a policy that has none; the number of
 * containers freed. generation in 0..2. 0 inside a collection, as from a finalizer. After a
 * collection of generation 2 the heap is trimmed. */
uint64_t gc_collect(struct runtime *runtime, int generation);
/* Containers that the collector has freed since runtime_open: gc_stats.collected, at no cost. */
uint64_t gc_collected(const struct runtime *runtime);
/* Automatic collection, on at first. It runs when a container is allocated, before the new one is
 * tracked. */
void gc_enable(struct runtime *runtime, bool enabled);
bool gc_is_enabled(const struct runtime *runtime);
/* As gc.set_threshold; the policy says which they are at first. A collection begins when the
 * containers allocated less those freed since the last one exceed thresholds[0] (0: never); with
 * generations this is one of generation 0, and an older one is collected when the collections of
 * the next younger one since its own last exceed its threshold. Under `growth` thresholds[0] is the
 * least growth that counts; under trial deletion, the candidates that are enough at first; and
 * `incremental` makes the part of the heap that an increment owes 1/(10 thresholds[1]), as CPython
 * 3.14. `snapshot` and `none` have no thresholds. */
void gc_set_threshold(struct runtime *runtime, const int thresholds[GC_GENERATIONS]);
void gc_get_threshold(const struct runtime *runtime, int thresholds[GC_GENERATIONS]);
/* As gc.get_count: what is compared with the thresholds. Containers allocated less those freed, and
 * with generations the collections of the next younger one since a generation's own last; 0
 * otherwise. */
void gc_get_count(const struct runtime *runtime, int counts[GC_GENERATIONS]);
/* Recounts every reference that tracked containers hold, and validates the registry, the policy's
 * books, the containers' own structures and the runtime's tables. The number of broken invariants,
 * each printed to standard error: 0 is healthy. Takes time and mapped memory in proportion to the
 * objects alive, none of it from the heap. */
size_t gc_check(const struct runtime *runtime);
bool gc_is_tracked(const struct object *object);
/* Whether the finalizer (type.finalize) of object has been called, as gc.is_finalized. */
bool gc_is_finalized(const struct object *object);

/* ---------------------------------------------------------------- atoms */
/* A new reference. Values −5 to 256 are shared, as CPython's _PY_NSMALLNEGINTS and
 * _PY_NSMALLPOSINTS. */
struct object *int_new(struct runtime *runtime, int64_t value);
int64_t int_value(const struct object *object);

struct object *float_new(struct runtime *runtime, double value);
double float_value(const struct object *object);

/* A new string of the given bytes (no terminator needed; length in bytes), not interned. text may
 * be NULL for a string to be filled through str_bytes before anybody else sees it. */
struct object *str_new(struct runtime *runtime, const char *text, size_t length);
/* The one shared string of this content: a new reference to it. The table's own references are not
 * counted (as CPython's): the string dies with its last user. */
struct object *str_intern(struct runtime *runtime, const char *text, size_t length);
char *str_bytes(struct object *object); /* zero-terminated */
size_t str_length(const struct object *object);
/* FNV-1a of the bytes, cached in the object as CPython caches its hash. */
uint64_t str_hash(struct object *object);
bool str_equal(struct object *a, struct object *b);

/* ---------------------------------------------------------------- containers */
/* length items, all NULL. Fill each once, before anybody else sees it. The empty tuple is shared.
 */
struct object *tuple_new(struct runtime *runtime, size_t length);
void tuple_set_item(struct object *tuple, size_t index, struct object *item);
void tuple_give_item(struct object *tuple, size_t index, struct object *item); /* steals item */
struct object *tuple_item(const struct object *tuple, size_t index);           /* borrowed */
size_t tuple_length(const struct object *tuple);

/* An empty list. Items are in a vector of their own, which grows as CPython's list_resize does. */
struct object *list_new(struct runtime *runtime);
bool list_append(struct runtime *runtime, struct object *list, struct object *item);
/* Before the item that is at index now; index <= length. */
bool list_insert(struct runtime *runtime, struct object *list, size_t index, struct object *item);
/* Removes the item at index < length and releases it. */
void list_delete(struct runtime *runtime, struct object *list, size_t index);
/* Releases the old item. index < length. */
void list_set_item(struct runtime *runtime, struct object *list, size_t index, struct object *item);
/* The same, but that it steals the new item. */
void list_give_item(struct runtime *runtime, struct object *list, size_t index,
                    struct object *item);
struct object *list_item(const struct object *list, size_t index); /* borrowed */
/* Removes the last item and returns the list's reference to it: the caller's now. length > 0. */
struct object *list_pop(struct runtime *runtime, struct object *list);
void list_clear(struct runtime *runtime, struct object *list);
size_t list_length(const struct object *list);

/* An empty dict: ordered, compact (CPython 3.6's layout): an index table and an entry vector in one
 * buffer. Keys are ints or strs, compared by value; an int never equals a str. */
struct object *dict_new(struct runtime *runtime);
/* Releases the value that it replaces; the key stays the old one then. */
bool dict_set(struct runtime *runtime, struct object *dict, struct object *key,
              struct object *value);
struct object *dict_get(const struct object *dict, struct object *key); /* borrowed, NULL: absent */
/* Whether the key was there. */
bool dict_delete(struct runtime *runtime, struct object *dict, struct object *key);
void dict_clear(struct runtime *runtime, struct object *dict);
size_t dict_length(const struct object *dict);
/* Iterates in insertion order: *position starts at 0. false at the end. Borrowed references. Values
 * may be replaced meanwhile; keys must not be added. */
bool dict_next(const struct object *dict, size_t *position, struct object **key,
               struct object **value);

/* A plain instance: a class name (borrowed; its reference is taken) and attributes in a dict of its
 * own, made with the first attribute, as CPython's __dict__ before 3.13. It has no finalizer and no
 * weak references; class.h makes instances that have, which the verbs below take as well. */
struct object *instance_new(struct runtime *runtime, struct object *class_name);
bool instance_set_attribute(struct runtime *runtime, struct object *instance, struct object *name,
                            struct object *value);
/* Whether the attribute was there. */
bool instance_delete_attribute(struct runtime *runtime, struct object *instance,
                               struct object *name);
/* The instance's own attribute; else its class's (class_attribute in class.h). Borrowed; NULL: no
 * such attribute. */
struct object *instance_attribute(const struct object *instance, struct object *name);
struct object *instance_class_name(const struct object *instance); /* borrowed */

#include "gc/ledger.h"

#endif
