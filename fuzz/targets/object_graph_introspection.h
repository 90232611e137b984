/* object_graph's use of gc/introspect.h: visits, immortal objects, the list of garbage. */
#ifndef HEAPMILL_FUZZ_OBJECT_GRAPH_INTROSPECTION_H
#define HEAPMILL_FUZZ_OBJECT_GRAPH_INTROSPECTION_H

#include "fuzz/targets/object_graph_shadow.h"

/* Checks that every tracked container is visited once: in its generation, or among the frozen. */
void graph_visit_all(struct shadow *shadow);
/* Checks that the container's referents and referrers are those of the shadow. */
void graph_visit_referents(struct shadow *shadow, int index);
void graph_visit_referrers(struct shadow *shadow, int index);

/* Makes the object live until the close, unless it is the empty tuple, which others share. */
void graph_immortalize(struct shadow *shadow, int index);

/* Makes collections put what they would free into the list of garbage, or stops that. */
void graph_save_all(struct shadow *shadow, bool save_all);
/* Deletes the attributes of all objects with legacy finalizers, since nothing else can break their
 * cycles. */
void graph_break_legacy(struct shadow *shadow);
/* Releases the objects in that list. */
void graph_clear_garbage(struct shadow *shadow);

#endif
