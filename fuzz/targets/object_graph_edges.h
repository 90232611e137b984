/* Operations on the references of a container: first the runtime's, then the shadow's. container
 * and value are nodes. */
#ifndef HEAPMILL_FUZZ_OBJECT_GRAPH_EDGES_H
#define HEAPMILL_FUZZ_OBJECT_GRAPH_EDGES_H

#include "fuzz/targets/object_graph_shadow.h"

/* Adds a reference to value to the container. false: it cannot have one, or memory was refused. */
bool graph_put(struct shadow *shadow, int container, int value, unsigned key);
/* Makes one of its references lead to value. */
void graph_set(struct shadow *shadow, int container, int value, unsigned place);
/* One more item, in a list's middle: the item that is at place now, modulo its length, and those
 * behind it move up. false: as graph_put. */
bool graph_insert(struct shadow *shadow, int list, int value, unsigned place);
/* One less, of a list that has some. */
void graph_delete_item(struct shadow *shadow, int list, unsigned place);
/* Removes a reference. keeper: the name that keeps an item popped off a list, with the list's own
 * reference; SHADOW_NONE: none. */
void graph_remove(struct shadow *shadow, int container, unsigned place, int keeper);
/* Makes the dict have this many int keys: 0 to SHADOW_WIDE for choice 0 to 15. */
void graph_widen(struct shadow *shadow, int container, unsigned choice);
/* For lists only. */
void graph_clear(struct shadow *shadow, int container);
/* Appends value to a list until the list is full. */
void graph_fill(struct shadow *shadow, int container, int value);
/* Gives the name one of the container's items. */
void graph_load(struct shadow *shadow, int container, unsigned name, unsigned place);
/* Gives the name a node to which the runtime has just returned a reference; the name takes it
 * over. */
void graph_keep(struct shadow *shadow, unsigned name, int index);

#endif
