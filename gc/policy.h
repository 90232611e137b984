/* A collector policy: when to collect, and what to examine. One runtime has one policy, chosen when
 * it is opened; all policies work over the same objects, registry and phases (collector.h).
 *
 * A policy is `const struct gc_policy gc_policy_<name>` in a file of gc/policies/, and a line in
 * table.c there. A family of policies shares its functions and differs in `parameters`.
 *
 * What a policy pays for, and others do not:
 *  - `allocated` is called when collector.count, the containers allocated less those freed since
 *    the policy last set it to 0, passes collector.trigger: one comparison for each allocation.
 *    Or when the registry's length comes to registry.room, which registry_set_room lowers: asked
 *    anyway, as there must be room for the new one.
 *  - `decremented`, `written` and `gained` are told only of biased containers (object_bias): the
 *    sign of the count, which object_decref tests anyway, is the flag. A policy that biases nothing
 *    is never called and costs nothing.
 *  - `untracking` is told only of containers with GC_FLAG_WATCHED. */
#ifndef HEAPMILL_GC_POLICY_H
#define HEAPMILL_GC_POLICY_H

#include "gc/object.h"

struct gc_policy {
    const char *name;
    const char *summary; /* one line, for `heapmill list collectors` */
    const void *parameters;
    /* Maps what the policy keeps (os_map_scratch) at collector.state, and sets the trigger. The
     * runtime has no objects yet. false: no memory. NULL: nothing to do. */
    bool (*open)(struct runtime *runtime);
    void (*close)(struct runtime *runtime);
    /* The count has passed the trigger. A container is about to be tracked: it is not examined. Not
     * called while a collection is under way, nor with automatic collection off. */
    void (*allocated)(struct runtime *runtime);
    /* gc_collect: a collection of that generation and the younger ones, to its end, whatever is
     * under way. Policies without generations collect everything. The containers freed. */
    uint64_t (*collect)(struct runtime *runtime, int generation);
    /* gc_enable or gc_set_threshold was called: sets collector.trigger anew. NULL: the trigger is
     * left alone but for being disabled and enabled. */
    void (*configured)(struct runtime *runtime);
    /* gc_get_count: sets those of the older generations. NULL: it counts none. */
    void (*counted)(const struct runtime *runtime, int counts[GC_GENERATIONS]);
    /* A biased container's count has gone down, and not to zero. */
    void (*decremented)(struct runtime *runtime, struct object *container);
    /* A reference to item is about to move out of a container or into one without its count
     * changing, or a container's fields are about to change otherwise; one of the two is biased.
     * NULL item: none in particular. */
    void (*written)(struct runtime *runtime, struct object *container, struct object *item);
    /* A biased container is about to get a reference to item that is counted for it: nothing else
     * has lost one. As any policy that biases. */
    void (*gained)(struct runtime *runtime, struct object *container, struct object *item);
    /* A container with GC_FLAG_WATCHED is about to leave the registry: it dies or is untracked. */
    void (*untracking)(struct runtime *runtime, struct object *container);
    /* gc_check asks: the broken invariants of the policy's own books, each printed. */
    size_t (*check)(const struct runtime *runtime);
};

#endif
