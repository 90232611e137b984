/* The object layer with threads: who is one, where they stop, and what they may share.
 *
 * A program whose back end is declared with REFCOUNT (allocators/CMakeLists.txt) has threads; in
 * all others every function here is empty, and the layer serves one thread as before.
 *
 *  - The thread that opens a runtime is one of its threads. Others begin with gc_thread_attach and
 *    end with gc_thread_leave. One runtime with threads is open at a time in a process.
 *  - A thread calls gc_safe_point often, in every loop. There it stops when another thread wants to
 *    have the world to itself, merges the counts that others have left to it, and lets go of what
 *    it took out of shared containers. The allocation of a container is a safe point too, every
 *    GC_THREAD_BATCH of them, and whenever a collection begins there.
 *  - Before it waits for anything, a thread calls gc_thread_detach, and afterwards
 *    gc_thread_attach: it touches no object in between, and nobody waits for it.
 *  - Collections stop the world. Finalizers and callbacks that a collection runs have the world to
 *    themselves: they must not wait for another thread. The collectors that hear of single counts
 *    (snapshot, trial deletion) and `incremental` do not serve threads, and runtime_open_with says
 *    so.
 *  - Lists and dicts may be shared: each verb is atomic. A reference that is borrowed from one
 *    (list_item, dict_get, dict_next) holds only as long as no other thread may change it;
 * list_fetch and dict_fetch return references of the caller's own. Attributes of instances and
 * classes go through a dict, so setting them is as safe; tuples do not change. Strings and ints are
 * read by anybody. Everything of introspect.h is for a world that is stopped (gc_stop).
 *
 * With GC_REFCOUNT_PLAIN there is one lock, which the running thread holds: CPython's up to 3.12
 * (Python/ceval_gil.c, 3.11). Who waits for it longer than the switch interval, 5 ms, asks the
 * holder to let go at its next safe point. */
#ifndef HEAPMILL_GC_THREADS_H
#define HEAPMILL_GC_THREADS_H

#include <assert.h>

#include "gc/object.h"

enum {
    GC_THREADS_MAX = 1023,        /* in a runtime's life */
    GC_THREAD_BATCH = 64,         /* containers: how far a thread's count may be behind */
    GC_SWITCH_INTERVAL_US = 5000, /* DEFAULT_INTERVAL, Python/ceval_gil.h, 3.11 */
    GC_STACK_MAX = 4096,          /* see gc_push */
};

/* Since runtime_open. Times are of the wall, in ns. */
struct gc_thread_stats {
    uint64_t stops;                                 /* of the world */
    uint64_t stop_ns_p50, stop_ns_p99, stop_ns_max; /* from the wish until all others stand */
    uint64_t switches;                              /* of the lock, from one thread to another */
    uint64_t queued; /* objects that other threads left to their owners */
    uint64_t queue_length_max;
    uint64_t retired;     /* references and blocks that left shared containers */
    uint64_t retired_max; /* and waited at once, of one thread */
    uint64_t shared;      /* containers that were taken from their owner's sole use */
};

/* References of the caller's own. NULL: there is no such item. */
#ifdef GC_FREE_THREADS
struct object *list_fetch(struct runtime *runtime, struct object *list, size_t index);
struct object *dict_fetch(struct runtime *runtime, struct object *dict, struct object *key);
#else
static inline struct object *list_fetch(struct runtime *runtime, struct object *list, size_t index)
{
    (void)runtime;
    return index < list_length(list) ? object_incref(list_item(list, index)) : NULL;
}
static inline struct object *dict_fetch(struct runtime *runtime, struct object *dict,
                                        struct object *key)
{
    struct object *value = dict_get(dict, key);
    (void)runtime;
    return value == NULL ? NULL : object_incref(value);
}
#endif

#ifndef GC_THREADS
static inline bool gc_thread_attach(struct runtime *runtime)
{
    (void)runtime;
    return true;
}
static inline void gc_thread_detach(struct runtime *runtime)
{
    (void)runtime;
}
static inline void gc_thread_leave(struct runtime *runtime)
{
    (void)runtime;
}
static inline void gc_safe_point(struct runtime *runtime)
{
    (void)runtime;
}
static inline void gc_stop(struct runtime *runtime)
{
    (void)runtime;
}
static inline void gc_start(struct runtime *runtime)
{
    (void)runtime;
}
static inline void gc_share(struct object *container)
{
    (void)container;
}
#else
/* The calling thread is one of runtime's from now on, or again. false: no memory, or there have
 * been too many threads. */
bool gc_thread_attach(struct runtime *runtime);
void gc_thread_detach(struct runtime *runtime);
/* It is none any more, and owns no reference. */
void gc_thread_leave(struct runtime *runtime);
/* No thread but the caller runs from gc_stop to gc_start. They nest. Another thread may have had
 * the world to itself meanwhile. */
void gc_stop(struct runtime *runtime);
void gc_start(struct runtime *runtime);
void gc_thread_stats(const struct runtime *runtime, struct gc_thread_stats *stats);
/* Says that other threads will use this list or dict, while its maker alone does: spares them the
 * handshake of the first use. What is put into a shared container is shared likewise. */
void gc_share(struct object *container);

void gc_safe_point_slow(struct runtime *runtime);
extern _Thread_local struct gc_thread *gc_own;

struct gc_put_off {
    struct object **objects; /* mapped; NULL: none was ever put off */
    size_t length;
    size_t capacity;
};

/* What has left a shared container, and may still be in another thread's hands. */
struct gc_retired {
    void *what;   /* an object: the container's reference to it; or a block */
    size_t bytes; /* of the block; 0: an object */
    uint64_t epoch;
};

/* A thread. The first part is the thread's own, while it runs. */
struct gc_thread {
    uint32_t number;     /* from 1, never again used */
    uint32_t entry_free; /* the registry's entries that are this thread's to use: chained holes, */
    uint32_t entry_next; /* and a range without holes */
    uint32_t entry_end;
    uint32_t holes;        /* made, less those filled, modulo 2^32, since the registry was told */
    int count;             /* containers made, less those freed, since the collector was told */
    uint64_t objects_live; /* made less freed, modulo 2^64 */
    int dealloc_depth;
    struct gc_head *deferred; /* as struct runtime says */
    struct gc_put_off put_off;
    struct gc_retired *retired; /* mapped; in the order of epochs */
    size_t retired_first;
    size_t retired_length;
    size_t retired_capacity;
    void *left_block; /* by the container that is locked: to be retired when it is not */
    size_t left_bytes;
    struct object **stack; /* mapped: references that are not counted, see gc_push */
    size_t stack_length;

    /* Others read or write these. */
    _Alignas(64) uint32_t poll; /* atomic: enum gc_poll */
    uint32_t writing;           /* atomic: it is changing a container that it alone uses */
    uint64_t seen;              /* atomic: the epoch at its last safe point; UINT64_MAX: detached */
    bool is_running;            /* under the world's lock */
    bool has_ended;             /* under queue_lock */
    uint32_t queue_lock;        /* atomic */
    struct object **queue;      /* mapped */
    size_t queue_length;
    size_t queue_capacity;
    size_t queue_length_max;
    uint64_t queued;
    uint64_t retired_total;
    uint64_t retired_max;
    uint64_t shared;
};

enum gc_poll {
    GC_POLL_STOP = 1u << 0,    /* the world is to stop */
    GC_POLL_QUEUE = 1u << 1,   /* the queue is not empty */
    GC_POLL_SWITCH = 1u << 2,  /* somebody waits for the lock */
    GC_POLL_EPOCH = 1u << 3,   /* somebody waits for it to pass a safe point */
    GC_POLL_RETIRED = 1u << 4, /* the thread's own: there is much to let go of */
};

static inline void gc_safe_point(struct runtime *runtime)
{
    if (__builtin_expect(__atomic_load_n(&gc_own->poll, __ATOMIC_RELAXED) != 0, false)) {
        gc_safe_point_slow(runtime);
    }
}
#endif

/* The short-lived references of a thread, last in, first out, as an interpreter's operands: pop
 * gets what push got. Under GC_REFCOUNT_DEFERRED those to deferred objects are not counted: they
 * are in the thread's stack (at most GC_STACK_MAX of them), where a collection finds them. */
#if defined(GC_REFCOUNT) && GC_REFCOUNT == GC_REFCOUNT_DEFERRED
/* From now on the container dies by the collector alone. Its maker calls it, before anybody else
 * has it. false: no memory, and nothing has changed. */
bool gc_defer(struct runtime *runtime, struct object *container);

static inline bool object_is_deferred(const struct object *object)
{
    return __atomic_load_n(&object->shared, __ATOMIC_RELAXED) >=
           OBJECT_DEFERRED_COUNT / 2 * OBJECT_SHARED_ONE;
}

static inline void gc_push(struct object *object)
{
    if (object_is_deferred(object)) {
        assert(gc_own->stack_length < GC_STACK_MAX);
        gc_own->stack[gc_own->stack_length++] = object;
    } else {
        (void)object_incref(object);
    }
}

static inline void gc_pop(struct runtime *runtime, struct object *object)
{
    if (object_is_deferred(object)) {
        gc_own->stack_length--;
    } else {
        object_decref(runtime, object);
    }
}
#else
static inline bool gc_defer(struct runtime *runtime, struct object *container)
{
    (void)runtime;
    (void)container;
    return true;
}

static inline void gc_push(struct object *object)
{
    (void)object_incref(object);
}

static inline void gc_pop(struct runtime *runtime, struct object *object)
{
    object_decref(runtime, object);
}
#endif

#endif
