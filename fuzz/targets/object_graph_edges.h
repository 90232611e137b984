/* What object_graph's operations do to the references of a container: first the runtime's, then the
 * shadow's. container and value are nodes. */
#ifndef HEAPMILL_FUZZ_OBJECT_GRAPH_EDGES_H
#define HEAPMILL_FUZZ_OBJECT_GRAPH_EDGES_H

#include "fuzz/targets/object_graph_shadow.h"

/* The container gets one more reference, to value. false: it cannot, or memory was refused. */
bool graph_put(struct shadow *shadow, int container, int value, unsigned key);
/* A reference of it leads to value from now on. */
void graph_set(struct shadow *shadow, int container, int value, unsigned place);
/* One more item, in a list's middle: the item that is at place now, modulo its length, and those
 * behind it move up. false: as graph_put. */
bool graph_insert(struct shadow *shadow, int list, int value, unsigned place);
/* One less, of a list that has some. */
void graph_delete_item(struct shadow *shadow, int list, unsigned place);
/* `keeper`: the name that keeps what is popped off a list, with the list's own reference;
 * SHADOW_NONE: nobody does. */
void graph_remove(struct shadow *shadow, int container, unsigned place, int keeper);
/* So many int keys shall be in the dict: 0 to SHADOW_WIDE for choice 0 to 15. */
void graph_widen(struct shadow *shadow, int container, unsigned choice);
/* Of a list alone. */
void graph_clear(struct shadow *shadow, int container);
/* Appends value to a list as often as that may have items. */
void graph_fill(struct shadow *shadow, int container, int value);
/* The name gets one of its items. */
void graph_load(struct shadow *shadow, int container, unsigned name, unsigned place);
/* The name gets a node that the runtime has just given the program a reference to, which is the
 * name's from now on. */
void graph_keep(struct shadow *shadow, unsigned name, int index);

#endif
