/* What the collector says of itself, against what it must have done. object_graph's own callback is
 * told of each collection before all others, so that the model knows when there was one, and of
 * which generation. From that follow
 *
 *  - the generation that each container is in (policies whose survivors are promoted);
 *  - the figures: a collection's own, gc_stats, gc_get_count, and the result of gc_collect, which
 *    is the shadow's garbage where that is known exactly;
 *  - that automatic collections come when they are due, in the order that is stated, and not while
 *    they are switched off;
 *  - promptness: after as many allocations as the policy promises, nothing unreachable is left. */
#ifndef HEAPMILL_FUZZ_TARGETS_OBJECT_GRAPH_WATCH_H
#define HEAPMILL_FUZZ_TARGETS_OBJECT_GRAPH_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "gc/introspect.h"

struct palette;
struct shadow;
struct shadow_node;

enum {
    WATCH_EVENTS = 4096,
    WATCH_KEPT = 16384, /* lists that a wait for the collector makes, at most */
    WATCH_FROZEN = GC_GENERATIONS,
    WATCH_UNKNOWN = GC_GENERATIONS + 1, /* the generation of a node */
};

struct graph_watch {
    struct gc_callback callback;
    bool promotes;   /* survivors of a collection are in the next older generation */
    bool is_sliced;  /* collections go on while no callback is told */
    bool has_deeds;  /* the program's code may do anything, or is a legacy finalizer */
    bool is_telling; /* between the events of a collection */
    unsigned asked;  /* calls of gc_collect that are under way */
    struct gc_event begun;
    struct gc_stats before; /* at its start */
    int counts[GC_GENERATIONS];
    uint64_t collected; /* by all events */
    uint32_t event_count;
    uint8_t events[WATCH_EVENTS]; /* a generation that was collected, or a kind of freezing */
    uint32_t kept_count;
    struct object *kept[WATCH_KEPT];
};

/* Before any other callback is added. */
void graph_watch_open(struct shadow *shadow, bool has_deeds);
/* Before the runtime is closed, and what it does is nobody's affair. */
void graph_watch_close(struct shadow *shadow);
/* gc_freeze or gc_unfreeze was called. */
void graph_watch_freezing(struct shadow *shadow, bool is_frozen);

/* How many events there were: a container that is made now has seen so many. */
static inline uint32_t graph_watch_now(const struct graph_watch *watch)
{
    return watch->event_count;
}

/* gc_collect with its figures. */
uint64_t graph_watch_collect(struct shadow *shadow, int generation);
/* Each container that the program can reach is in the generation that it must be in. */
void graph_watch_generations(struct shadow *shadow);
/* Makes containers until the policy must have collected all there is, and expects so. Nothing where
 * the policy promises nothing, or not within WATCH_KEPT. */
void graph_watch_promptness(struct shadow *shadow);

#endif
