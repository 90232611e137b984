/* What the program's code does when the runtime calls it: finalizers, callbacks of weak references
 * and of collections, legacy finalizers. In object_graph they note the call and then sometimes do
 * one of these deeds, none of which changes a node or its references. */
#ifndef HEAPMILL_FUZZ_TARGETS_OBJECT_GRAPH_DEEDS_H
#define HEAPMILL_FUZZ_TARGETS_OBJECT_GRAPH_DEEDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rng.h"
#include "fuzz/palette.h"
#include "gc/introspect.h"

struct shadow;

enum {
    DEEDS_KEPT = 12000, /* enough for the registry to grow, and to consist mostly of holes later */
    DEEDS_CALLBACKS = 4,
};

struct graph_deeds {
    unsigned kinds; /* one bit for each kind of deed in this program; 0: none */
    unsigned burst; /* the most containers that are made at once */
    struct rng rng;
    unsigned depth;      /* running deeds: one may cause others */
    bool made_garbage;   /* since the last full collection */
    unsigned kept_count; /* lists that the code holds */
    struct object *kept[DEEDS_KEPT];
    struct gc_callback callbacks[DEEDS_CALLBACKS];
    bool is_added[DEEDS_CALLBACKS];
};

/* Do the input's finalizers and callbacks do deeds, and does its program have legacy finalizers?
 * Yes if its second byte is not 0. */
static inline bool graph_has_deeds(const struct palette *palette)
{
    return palette->faults != 0;
}

/* The lower six bits of the input's second byte are the kinds, the upper two the burst. */
void graph_deeds_open(struct shadow *shadow, const struct palette *palette);
/* Ends deeds, and releases what they hold. */
void graph_deeds_close(struct shadow *shadow);
/* Does one of the kinds, one time in two. */
void graph_deed(struct shadow *shadow);

#endif
