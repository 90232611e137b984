/* The collector's structures: the header before each container, the generations' lists, and the
 * phases that find and free the unreachable. Internal to gc/.
 *
 * The header is two words, as CPython 3.11's PyGC_Head: links of a circular list whose sentinel is
 * a header without an object. While a list is being examined, `prev` holds the count of references
 * that are not yet explained instead of a link, and the list is linked through `next` alone; the
 * low bits of `prev` are flags at any time, which blocks aligned to 8 leave free. CPython keeps its
 * mark of the tentatively unreachable in `next`; here all flags are in `prev`, so that `next` is
 * always a clean pointer.
 *
 * A policy (generations.c is the first) decides when to collect and which containers to examine;
 * it composes the phases of collector.c, which know nothing of generations. */
#ifndef HEAPMILL_GC_COLLECTOR_H
#define HEAPMILL_GC_COLLECTOR_H

#include <assert.h>

#include "gc/object.h"

struct gc_head {
    struct gc_head *next; /* NULL: not tracked */
    uintptr_t prev;       /* link or count, and flags */
};

static_assert(sizeof(struct gc_head) == 16, "PyGC_Head: two words");

enum {
    GC_FLAG_COLLECTING = 1u << 0,  /* in the list that is being examined */
    GC_FLAG_UNREACHABLE = 1u << 1, /* tentatively unreachable: moved out of that list */
    GC_FLAG_FINALIZED = 1u << 2,   /* its finalizer has run, or is running */
    GC_FLAGS = 7u,
    GC_REFERENCES_SHIFT = 3,
};

static_assert(HEAP_ALIGNMENT > GC_FLAGS, "flags need the low bits of a header's address");

/* ---------------------------------------------------------------- headers and their lists */
static inline struct gc_head *gc_head_of(const struct object *object)
{
    return (struct gc_head *)(uintptr_t)object - 1;
}

static inline struct object *gc_object_of(const struct gc_head *head)
{
    return (struct object *)(uintptr_t)(head + 1);
}

/* Whether object (a container) was found to be garbage and is being freed. */
static inline bool gc_is_in_trash(const struct object *object)
{
    return (gc_head_of(object)->prev & GC_FLAG_UNREACHABLE) != 0;
}

static inline void gc_set_finalized(const struct object *object)
{
    gc_head_of(object)->prev |= GC_FLAG_FINALIZED;
}

static inline struct gc_head *gc_prev(const struct gc_head *head)
{
    return (struct gc_head *)(head->prev & ~(uintptr_t)GC_FLAGS);
}

static inline void gc_set_prev(struct gc_head *head, const struct gc_head *prev)
{
    head->prev = (uintptr_t)prev | (head->prev & GC_FLAGS);
}

static inline void gc_list_init(struct gc_head *list)
{
    list->next = list;
    list->prev = (uintptr_t)list;
}

static inline bool gc_list_is_empty(const struct gc_head *list)
{
    return list->next == list;
}

/* Links an unlinked header at the end of list; its flags stay. */
static inline void gc_list_append(struct gc_head *list, struct gc_head *head)
{
    struct gc_head *last = gc_prev(list);
    last->next = head;
    gc_set_prev(head, last);
    head->next = list;
    list->prev = (uintptr_t)head;
}

/* Unlinks head from the doubly linked list that it is in. head's own links are left stale. */
static inline void gc_list_remove(struct gc_head *head)
{
    struct gc_head *prev = gc_prev(head);
    struct gc_head *next = head->next;
    prev->next = next;
    gc_set_prev(next, prev);
}

/* Moves everything in from to the end of to. */
static inline void gc_list_merge(struct gc_head *from, struct gc_head *to)
{
    if (!gc_list_is_empty(from)) {
        struct gc_head *last = gc_prev(to);
        last->next = from->next;
        gc_set_prev(from->next, last);
        struct gc_head *from_last = gc_prev(from);
        from_last->next = to;
        to->prev = (uintptr_t)from_last;
        gc_list_init(from);
    }
}

/* ---------------------------------------------------------------- the collector's state */
struct gc_generation {
    struct gc_head list;
    int threshold;
    int count; /* see gc_set_threshold */
};

struct collector {
    struct gc_generation generations[GC_GENERATIONS];
    /* The count of generation 0 beyond which an allocation looks whether to collect: its threshold,
     * or the largest int while automatic collection is off. */
    int trigger;
    bool enabled;
    bool collecting;
    /* Containers that survived the last full collection, and those that have survived a collection
     * of generation 1 since: the 25% rule for the oldest generation. */
    uint64_t long_lived_total;
    uint64_t long_lived_pending;
    struct gc_stats stats; /* `tracked` is filled by runtime_stats */
};

void generations_open(struct collector *collector);
/* Called when the count of generation 0 has passed the trigger: collects the oldest generation that
 * is due. */
void generations_collect_due(struct runtime *runtime);

/* ---------------------------------------------------------------- the phases */
/* Moves the containers of young that nothing outside of young keeps alive to unreachable (an empty
 * list), in which they are doubly linked and still flagged; young keeps the others in order.
 * Returns the number examined; *unreachable_count is that of the moved. Does not allocate. */
uint64_t collector_find_unreachable(struct gc_head *young, struct gc_head *unreachable,
                                    uint64_t *unreachable_count);
/* Frees the containers of unreachable: clears one after the other, and reference counts do the
 * rest. One that outlives its own clear waits in old for the others. All are dead on return, as
 * every reference to one was another's. */
void collector_delete_garbage(struct runtime *runtime, struct gc_head *unreachable,
                              struct gc_head *old);

#endif
