/* The collector of object_graph: which policy, small enough for a program of a few hundred
 * containers to see it at work, and what the program asks of it. */
#ifndef HEAPMILL_FUZZ_OBJECT_GRAPH_COLLECTOR_H
#define HEAPMILL_FUZZ_OBJECT_GRAPH_COLLECTOR_H

#include "fuzz/targets/object_graph_shadow.h"

/* The policy that an input names, with the parameters that it gives; valid until the next call. */
const struct gc_policy *graph_policy(const struct palette *palette);
/* Thresholds and automatic collection, by the input's flags. */
void graph_configure(struct shadow *shadow, const struct palette *palette);
bool graph_is_automatic(const struct palette *palette);

/* Landmarks of how far a collection in slices is, in what container it stopped, and what the
 * program writes to then: no branches of the code that the program runs meanwhile. */
void graph_pass_phase(const struct shadow *shadow);
void graph_pass_write(const struct shadow *shadow, int container, unsigned how);
/* The container that it stopped in; NULL: none, or the policy has no slices. */
const struct object *graph_suspended(const struct shadow *shadow);
/* The operation GRAPH_COLLECT: a collection, automatic ones on or off, freezing. */
void graph_step_collector(struct shadow *shadow, unsigned low, unsigned high);
void graph_collect(struct shadow *shadow, int generation);
/* Puts frozen containers back. */
void graph_unfreeze(struct shadow *shadow);
/* Automatic collections may happen in any allocation of a container. */
void graph_before_allocation(struct shadow *shadow);

#endif
