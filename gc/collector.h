/* The collector's structures: the header before each container, its state, and the phases that find
 * and free the unreachable. Internal to gc/.
 *
 * A policy (gc/policies/) decides when to collect and which range of the registry to examine; it
 * composes the phases of collector.c.
 *
 * While the program's code runs
 *
 * A collection calls the program's code: the callbacks that are told of its begin and its end, the
 * callbacks of weak references, and finalizers. Freeing trash calls it too, when an object outside
 * of the trash dies with it. That code may do anything that it may do elsewhere: allocate, drop
 * references, freeze and unfreeze, add and remove callbacks, switch things, look around. These
 * invariants hold whenever it runs, and checked builds verify them before it runs and afterwards:
 *  1. collector.collecting is true: gc_collect does nothing, and no allocation calls the policy.
 *  2. registry.pins is not 0: the registry may get longer, but no entry moves. So an index stays
 *     that of its container until it dies, which leaves a hole.
 *  3. What is examined, and all trash, is below starts[0]: registry_seal comes before the search.
 * So nothing takes the place of a member of the trash that dies, and what is new is no member.
 *  4. Survivors are in the generation that they will be in: boundaries are set before the trash is
 *     processed. gc_freeze and gc_unfreeze may move boundaries at any time, which
 *     collector.boundary_moves counts. So nobody keeps a boundary or registry.length in a variable
 *     across the program's code; starts[0] never gets smaller by it.
 *  5. Trash has its flag, and nobody can get hold of it but finalizers of its own: its weak
 *     references are cut and visits pass it over. Plain trash has no flags, and no code runs.
 *  6. A policy's books are complete before the callbacks are told of the end. */
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
    union {
        uint32_t number;    /* the policy's, for what it likes; 0 at first, as is word */
        struct {            /* with threads, whose policies do not use it: see container.h */
            uint16_t owner; /* the number of the thread that made it */
            uint8_t locked; /* atomic */
            uint8_t shared; /* atomic: not its owner's alone */
        };
    };
    uintptr_t word; /* the policy's too, until the container's deallocation begins */
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
    GC_FLAG_ASIDE = 1u << 5,   /* was trash, and has a legacy finalizer, or is reached from one */
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

/* Whether a collection under way has found it unreachable, and has not decided otherwise: visits
 * and gc_freeze pass it over. */
static inline bool gc_is_hidden(const struct object *object)
{
    return (gc_head_of(object)->flags & (GC_FLAG_TRASH | GC_FLAG_ASIDE)) != 0;
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
    bool trash_under_way;    /* a policy frees trash in slices */
    uint32_t boundary_moves; /* calls of gc_freeze and gc_unfreeze */
    const struct gc_policy *policy;
    void *state; /* the policy's */
    int thresholds[GC_GENERATIONS];
    struct gc_stats stats; /* `tracked` is filled by runtime_stats */
    struct pauses pauses;
};

/* Begins and ends what the program's code may be called in: invariants 1 and 2. */
void collector_enter(struct collector *collector);
void collector_leave(struct collector *collector);
/* In checked builds, ends the process when an invariant is broken that can be verified at once. */
void collector_expect_sound(const struct runtime *runtime);

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

struct gc_outcome {
    uint32_t begin; /* of the entries examined */
    uint64_t examined;
    uint64_t unreachable;   /* found to be so, before finalizers brought any back */
    uint64_t collected;     /* freed, or kept for save_all */
    uint64_t uncollectable; /* set aside by legacy finalizers, and what is reachable from them */
};

/* One whole collection, begun by collector_begin: enters it and tells the callbacks. Which entries
 * it is to examine is to be asked afterwards. */
void collector_begin(struct runtime *runtime, int generation);
/* Examines the generation `oldest` and the younger ones in one pause: find, promote, process, free,
 * compact. Survivors are in the next older generation on return, those of the oldest one in that.
 * Statistics are kept as of `generation`. */
struct gc_outcome collector_collect(struct runtime *runtime, int oldest, int generation);
/* Tells the callbacks of the end, and leaves the collection. */
void collector_end(struct runtime *runtime, int generation, const struct gc_outcome *outcome);

/* Enters what has become of trash into the statistics, as of that generation; freed: by
 * gc_trash_free, or by a policy's own means. Returns what counts as collected. */
uint64_t collector_count_trash(struct runtime *runtime, int generation,
                               const struct gc_trash *trash, uint64_t freed);

#endif
