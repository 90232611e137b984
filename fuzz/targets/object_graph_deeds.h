/* What the program's code does when the runtime calls it: finalizers, weak references' callbacks,
 * callbacks of collections, legacy finalizers. In object_graph they note their call and then,
 * sometimes, do one of these things, none of which changes a node or its references. */
#ifndef HEAPMILL_FUZZ_TARGETS_OBJECT_GRAPH_DEEDS_H
#define HEAPMILL_FUZZ_TARGETS_OBJECT_GRAPH_DEEDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rng.h"
#include "fuzz/palette.h"
#include "gc/introspect.h"

struct shadow;

enum {
    DEEDS_KEPT = 12000, /* enough that the registry grows, and that most of it is holes later */
    DEEDS_CALLBACKS = 4,
};

struct graph_deeds {
    unsigned kinds; /* a bit for each kind that this program's code does; 0: it does nothing */
    unsigned burst; /* the largest number of containers made at a time */
    struct rng rng;
    unsigned depth;      /* deeds under way: one may bring about others */
    bool made_garbage;   /* since the last full collection */
    unsigned kept_count; /* lists that the code holds */
    struct object *kept[DEEDS_KEPT];
    struct gc_callback callbacks[DEEDS_CALLBACKS];
    bool is_added[DEEDS_CALLBACKS];
};

/* Whether an input's finalizers and callbacks do anything, and its program has legacy finalizers:
 * its second byte is not 0. */
static inline bool graph_has_deeds(const struct palette *palette)
{
    return palette->faults != 0;
}

/* The low six bits of the input's second byte are the kinds, the upper two the burst. */
void graph_deeds_open(struct shadow *shadow, const struct palette *palette);
/* No more deeds; gives back what they have. */
void graph_deeds_close(struct shadow *shadow);
/* One in two times, one of the kinds. */
void graph_deed(struct shadow *shadow);

#endif
