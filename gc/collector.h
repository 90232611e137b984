/* The collector's structures: the header before each container, its state, and the phases that find
 * and free the unreachable. Internal to gc/.
 *
 * A policy (gc/policies/) decides when to collect and which range of the registry to examine; it
 * composes the phases of collector.c, which know nothing of generations. */
#ifndef HEAPMILL_GC_COLLECTOR_H
#define HEAPMILL_GC_COLLECTOR_H

#include <assert.h>
#include <string.h>

#include "gc/object.h"
#include "gc/pauses.h"
#include "gc/policy.h"
#include "gc/registry.h"

struct gc_head {
    uint32_t flags;
    uint32_t number; /* the policy's, for what it likes; 0 at first, as is word */
    uintptr_t word;  /* the policy's too, until the container's deallocation begins */
};

static_assert(sizeof(struct gc_head) == 16, "PyGC_Head: two words");

enum {
    GC_FLAG_TRASH = 1u << 0,   /* found unreachable; see gc/trash.h */
    GC_FLAG_WATCHED = 1u << 1, /* the policy's untracking is called before it leaves the registry */
    GC_FLAG_FINALIZED = 1u << 2, /* its finalizer has run, or is running */
    GC_FLAG_SPARED = 1u << 3,    /* was trash, and what it refers to is yet to be looked at */
    /* A policy passes over its references in slices: whoever gives them new positions takes it off.
     */
    GC_FLAG_SLICED = 1u << 4,
    GC_FLAG_POLICY = 1u << 16, /* this one and those above are the policy's */
};

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
    return (gc_head_of(object)->flags & GC_FLAG_TRASH) != 0;
}

static inline void gc_set_finalized(const struct object *object)
{
    gc_head_of(object)->flags |= GC_FLAG_FINALIZED;
}

/* ---------------------------------------------------------------- the collector's state */
struct collector {
    struct registry registry;
    /* Containers allocated less those freed since the policy set it to 0, never below 0; and the
     * count beyond which an allocation calls the policy: the largest int while automatic collection
     * is off. */
    int count;
    int trigger;
    int trigger_enabled; /* the trigger while it is on */
    bool enabled;
    bool collecting;
    bool trash_under_way; /* a policy frees trash in slices */
    const struct gc_policy *policy;
    void *state; /* the policy's */
    int thresholds[GC_GENERATIONS];
    struct gc_stats stats; /* `tracked` is filled by runtime_stats */
    struct pauses pauses;
};

/* Opens the registry and the policy. false: no memory. */
bool collector_open(struct runtime *runtime, const struct gc_policy *policy);
void collector_close(struct runtime *runtime);

/* Sets the count beyond which the policy is called, which takes effect while automatic collection
 * is on. */
void collector_set_trigger(struct collector *collector, int trigger);
/* The same with thresholds[0]; 0: never. A policy's `configured`. */
void collector_set_trigger_by_threshold(struct runtime *runtime);

/* ---------------------------------------------------------------- the phases */
/* A range of the registry that is examined. */
struct gc_range {
    uint32_t begin;
    uint32_t end;
};

struct gc_trash;

/* The mark of a container that collector_find_unreachable found unreachable: no bit of these. */
enum { GC_MARK_ALIVE = 0xf8 };

/* The first unreachable one of [i, end); end: there is none. */
static inline uint32_t gc_next_unmarked(const uint8_t *marks, uint32_t i, uint32_t end)
{
    const uint64_t ones = 0x0101010101010101u;
    for (; end - i >= sizeof(uint64_t); i += (uint32_t)sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, marks + i, sizeof(eight));
        /* Each byte of 5 bits carries into its sixth unless it is 0. */
        eight = (eight >> 3 & ones * 0x1f) + ones * 0x1f;
        if ((eight & ones * 0x20) != ones * 0x20) {
            break;
        }
    }
    while (i < end && (marks[i] & GC_MARK_ALIVE) != 0) {
        i++;
    }
    return i;
}

/* Finds the containers of the range that nothing outside of it keeps alive, and puts them into
 * trash. Tuples among the others that hold nothing but atoms are untracked. Returns the number of
 * containers examined. Uses the range's marks and numbers; does not allocate. */
uint64_t collector_find_unreachable(struct runtime *runtime, struct gc_range range,
                                    struct gc_trash *trash);

/* One whole collection of [begin, the registry's length) in one pause: find, process, free,
 * compact. The survivors are older than the youngest range on return, in [begin, *end), and the
 * caller sets the other boundaries. */
struct gc_outcome {
    uint64_t examined;
    uint64_t unreachable; /* found to be so, before finalizers brought any back */
    uint64_t freed;
    uint64_t uncollectable; /* set aside by legacy finalizers, and what is reachable from them */
    uint32_t end;
};
struct gc_outcome collector_collect(struct runtime *runtime, uint32_t begin, int generation);

/* Enters what has become of trash into the statistics, as of that generation; freed: by
 * gc_trash_free, or by a policy's own means. Returns what counts as collected. */
uint64_t collector_count_trash(struct runtime *runtime, int generation,
                               const struct gc_trash *trash, uint64_t freed);

#endif
