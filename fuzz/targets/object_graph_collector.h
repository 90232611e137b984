/* The collector of object_graph: its policy, with parameters that suit programs of a few hundred
 * containers, and the program's requests to it. */
#ifndef HEAPMILL_FUZZ_OBJECT_GRAPH_COLLECTOR_H
#define HEAPMILL_FUZZ_OBJECT_GRAPH_COLLECTOR_H

#include "fuzz/targets/object_graph_shadow.h"

/* The policy that an input names, with the input's parameters; valid until the next call. */
const struct gc_policy *graph_policy(const struct palette *palette);
/* Sets thresholds and automatic collection from the input's flags. */
void graph_configure(struct shadow *shadow, const struct palette *palette);
bool graph_is_automatic(const struct palette *palette);

/* Landmarks of how far a collection in slices is, in what container it stopped, and what the
 * program writes to then: no branches of the code that the program runs meanwhile. */
void graph_pass_phase(const struct shadow *shadow);
void graph_pass_write(const struct shadow *shadow, int container, unsigned how);
/* The container that it stopped in; NULL: none, or the policy has no slices. */
const struct object *graph_suspended(const struct shadow *shadow);
/* The operation GRAPH_COLLECT: a collection, automatic ones on or off, or freezing. */
void graph_step_collector(struct shadow *shadow, unsigned low, unsigned high);
void graph_collect(struct shadow *shadow, int generation);
/* Unfreezes containers. */
void graph_unfreeze(struct shadow *shadow);
/* Called before a container is allocated, since that may start an automatic collection. */
void graph_before_allocation(struct shadow *shadow);

#endif
