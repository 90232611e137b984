/* The runtime's state, and the allocation of objects that all types share. Internal to gc/.
 *
 * The struct and the table of interned strings are mapped (os_map_scratch), not blocks of the
 * heap: they are this layer's own books, and in the measured heap they would sit among the blocks
 * of the workload, or be resized among them. The small ints and the empty tuple are objects of the
 * heap, as in CPython 2.7, whose static table of small ints pointed into its int blocks. */
#ifndef HEAPMILL_GC_RUNTIME_H
#define HEAPMILL_GC_RUNTIME_H

#include <limits.h>
#ifdef GC_REFCOUNT
#include <pthread.h>
#endif

#include "gc/collector.h"
#include "gc/ledger_books.h"
#include "gc/object.h"
#include "gc/threads.h"

enum {
    /* _PY_NSMALLNEGINTS and _PY_NSMALLPOSINTS, Include/internal/pycore_global_objects.h, 3.11. */
    RUNTIME_SMALL_INT_MIN = -5,
    RUNTIME_SMALL_INT_MAX = 256,
    RUNTIME_SMALL_INTS = RUNTIME_SMALL_INT_MAX - RUNTIME_SMALL_INT_MIN + 1,
    /* Deallocations that may be nested before they are put off: PyTrash_UNWIND_LEVEL,
     * Include/cpython/object.h, 3.11. */
    RUNTIME_DEALLOC_DEPTH_MAX = 50,
    /* At the close of a runtime: collections that find what the one before has brought about. Only
     * finalizers that go on making objects with finalizers want more. */
    RUNTIME_CLOSE_ROUNDS_MAX = 64,
};

struct str_object;

/* Objects that object_immortalize was called for. */
struct gc_immortals {
    struct object **objects; /* mapped; NULL: there are none */
    size_t length;
    size_t capacity;
};

/* Interned strings, chained through the strings themselves (str_object.intern_next). */
struct intern_table {
    struct str_object **buckets; /* mapped; a power of two of them */
    size_t bucket_count;
    size_t length;
};

#ifndef GC_THREADS
/* Objects with finalizers or weak references whose death was put off, see finalizers.h. */
struct gc_put_off {
    struct object **objects; /* mapped; NULL: none was ever put off */
    size_t length;
    size_t capacity;
};

/* What is a thread's own: the runtime's, where there is one thread. */
#define RUNTIME_OWN(runtime) (runtime)
#else
#define RUNTIME_OWN(runtime) ((void)(runtime), gc_own)

/* All threads of the runtime, and how they stop: threads.c. */
struct gc_world {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct gc_thread *threads[GC_THREADS_MAX + 1]; /* by number; 0 is none */
    uint32_t thread_count;
    uint32_t running;          /* atomic; written under the lock */
    struct gc_thread *stopper; /* who has, or wants, the world to itself */
    unsigned stop_depth;
    struct gc_thread *holder; /* of the one lock, with GC_REFCOUNT_PLAIN */
    unsigned waiting;         /* for it */
    uint64_t switches;
    uint64_t epoch;               /* atomic */
    uint32_t registry_lock;       /* atomic: of the registry's length, and memory */
    uint32_t weakref_lock;        /* atomic: of all lists of weak references */
    uint32_t intern_lock;         /* atomic */
    struct gc_immortals deferred; /* containers of gc_defer */
    struct histogram stop_ns;
};
#endif

struct runtime {
    struct heap *heap;
#ifndef GC_THREADS
    uint64_t objects_live;
#endif
    struct collector collector;
#ifndef GC_THREADS
    /* Containers whose deallocation was put off, linked through their headers' word. */
    struct gc_head *deferred;
    int dealloc_depth;
    struct gc_put_off put_off;
#endif
    struct gc_immortals immortals;
    struct object *garbage; /* a list, see gc_garbage; NULL: none yet */
    bool save_all;
    struct gc_callback *callbacks;
    struct gc_callback *added_callbacks; /* since the event that callbacks are being told of */
    struct gc_callback **next_callback;  /* which one is told next; NULL: there is no such event */
#ifdef HEAPMILL_LEDGER
    struct ledger ledger;
#endif
    struct object *empty_tuple;
    struct intern_table interned;
    struct object *small_ints[RUNTIME_SMALL_INTS];
#ifdef GC_THREADS
    struct gc_world world;
#endif
};

/* Calls visit for each reference that the runtime owns itself; its results are ignored. */
void runtime_visit_own(const struct runtime *runtime, object_visit *visit, void *context);

/* A block for an object without collector header, its count 1 and its type set; NULL: exhausted. */
static inline void *runtime_alloc_atom(struct runtime *runtime, const struct type *type,
                                       size_t size)
{
    struct object *object = heap_alloc(runtime->heap, size, type->heap_type);
    if (object != NULL) {
        object_begin(object, type);
        RUNTIME_OWN(runtime)->objects_live++;
        ledger_birth(runtime, object, size);
    }
    return object;
}

static inline void runtime_free_atom(struct runtime *runtime, struct object *atom, size_t size)
{
    RUNTIME_OWN(runtime)->objects_live--;
    ledger_death(runtime, atom);
    heap_free(runtime->heap, atom, size, atom->type->heap_type);
}

/* As runtime_alloc_atom, with a header before the object, which size counts; without an index. */
static inline void *runtime_alloc_headed(struct runtime *runtime, const struct type *type,
                                         size_t size)
{
    struct gc_head *head = heap_alloc(runtime->heap, size, type->heap_type);
    if (head == NULL) {
        return NULL;
    }
    *head = (struct gc_head){0};
#ifdef GC_THREADS
    head->owner = (uint16_t)gc_own->number;
#endif
    struct object *object = gc_object_of(head);
    object_begin_headed(object, type);
    RUNTIME_OWN(runtime)->objects_live++;
    ledger_birth(runtime, object, size);
    return object;
}

/* An untracked container. It neither counts towards a collection nor starts one. */
static inline void *runtime_alloc_untracked(struct runtime *runtime, const struct type *type,
                                            size_t size)
{
    struct object *object = runtime_alloc_headed(runtime, type, size);
    if (object != NULL) {
        object->index = 0;
    }
    return object;
}

/* The count has passed the trigger, or the registry is full: the policy's turn, then room is made.
 * Returns object, or NULL, with the block freed, when there is no room. */
void *runtime_allocated(struct runtime *runtime, struct object *object, size_t size);

/* A container's block; the caller fills it and calls runtime_track, which gives it its index,
 * before it allocates anything else. May collect first, when the policy says so: the new block is
 * not part of it, as in _PyObject_GC_Link of 3.11. */
static inline void *runtime_alloc_container(struct runtime *runtime, const struct type *type,
                                            size_t size)
{
    struct object *object = runtime_alloc_headed(runtime, type, size);
    if (object == NULL) {
        return NULL;
    }
    struct collector *collector = &runtime->collector;
#ifdef GC_THREADS
    if (__builtin_expect(++gc_own->count >= GC_THREAD_BATCH, false) ||
        __builtin_expect(!registry_has_room(&collector->registry), false)) {
        return runtime_allocated(runtime, object, size);
    }
#else
    if (__builtin_expect(++collector->count > collector->trigger, false) ||
        __builtin_expect(!registry_is_roomy(&collector->registry), false)) {
        return runtime_allocated(runtime, object, size);
    }
#endif
    return object;
}

static inline void runtime_track(struct runtime *runtime, struct object *container)
{
    registry_add(&runtime->collector.registry, container);
}

/* One of these three is to be called before the fields of a container of a guarded type change,
 * also when nothing is allocated or released; and after whatever may collect. Costs a branch on its
 * count. This one when nothing is stored. */
static inline void runtime_written(struct runtime *runtime, struct object *container)
{
    if (__builtin_expect(object_is_biased(container), false)) {
        runtime->collector.policy->written(runtime, container, NULL);
    }
}

/* The container is to hold a reference to item that somebody else has held until now. */
static inline void runtime_given(struct runtime *runtime, struct object *container,
                                 struct object *item)
{
    if (__builtin_expect(object_is_biased(container), false)) {
        runtime->collector.policy->written(runtime, container, item);
    }
}

/* The container is to hold a reference to item of its own, and item's count goes up by it. */
static inline void runtime_gained(struct runtime *runtime, struct object *container,
                                  struct object *item)
{
    if (__builtin_expect(object_is_biased(container), false)) {
        runtime->collector.policy->gained(runtime, container, item);
    }
}

/* To be called when a reference to item leaves a container without being dropped, or comes from
 * where no reference is counted, as from a weak reference: it has got a holder that no count shows
 * as new. */
static inline void runtime_moved(struct runtime *runtime, struct object *item)
{
    if (__builtin_expect(object_is_biased(item), false)) {
        runtime->collector.policy->written(runtime, NULL, item);
    }
}

/* A container with GC_FLAG_WATCHED is about to leave the registry. */
#ifdef GC_THREADS
/* Adds the thread's count to the collector's. Returns that. threads.c, as the next. */
int runtime_tell_count(struct runtime *runtime);
void runtime_untracking(struct runtime *runtime, struct object *container);
#else
static inline void runtime_untracking(struct runtime *runtime, struct object *container)
{
    runtime->collector.policy->untracking(runtime, container);
}
#endif

/* Takes a tracked container out of the registry. */
static inline void runtime_untrack(struct runtime *runtime, struct object *container)
{
    if (__builtin_expect(gc_head_of(container)->flags & GC_FLAG_WATCHED, false)) {
        runtime_untracking(runtime, container);
    }
    registry_remove(&runtime->collector.registry, container);
}

/* size is that of the block, header included; heap_type that of the type, where it is a constant.
 */
static inline void runtime_free_container_of(struct runtime *runtime, struct object *container,
                                             size_t size, enum heap_type heap_type)
{
#ifdef GC_THREADS
    if (__builtin_expect(--gc_own->count <= -GC_THREAD_BATCH, false)) {
        runtime_tell_count(runtime);
    }
#else
    struct collector *collector = &runtime->collector;
    if (__builtin_expect(collector->count > 0, true)) {
        collector->count--;
    }
#endif
    RUNTIME_OWN(runtime)->objects_live--;
    ledger_death(runtime, container);
    heap_free(runtime->heap, gc_head_of(container), size, heap_type);
}

static inline void runtime_free_container(struct runtime *runtime, struct object *container,
                                          size_t size)
{
    runtime_free_container_of(runtime, container, size, container->type->heap_type);
}

#endif
