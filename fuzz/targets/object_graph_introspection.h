/* What object_graph asks of gc/introspect.h: visits, immortal objects, the list of garbage. */
#ifndef HEAPMILL_FUZZ_OBJECT_GRAPH_INTROSPECTION_H
#define HEAPMILL_FUZZ_OBJECT_GRAPH_INTROSPECTION_H

#include "fuzz/targets/object_graph_shadow.h"

/* Every tracked container is visited once: in its generation, or among the frozen. */
void graph_visit_all(struct shadow *shadow);
/* What the container refers to, and what refers to it, are those that the shadow knows. */
void graph_visit_referents(struct shadow *shadow, int index);
void graph_visit_referrers(struct shadow *shadow, int index);

/* The object lives until the close; not the empty tuple, which others share. */
void graph_immortalize(struct shadow *shadow, int index);

/* From now on what would be freed by a collection is put into the list of garbage, or not. */
void graph_save_all(struct shadow *shadow, bool save_all);
/* Deletes the attributes of all that have legacy finalizers: nobody else can break their cycles. */
void graph_break_legacy(struct shadow *shadow);
/* Gives up what that list has. */
void graph_clear_garbage(struct shadow *shadow);

#endif
