/* The operations of object_graph. */
#ifndef HEAPMILL_FUZZ_OBJECT_GRAPH_STEPS_H
#define HEAPMILL_FUZZ_OBJECT_GRAPH_STEPS_H

#include "fuzz/targets/object_graph_shadow.h"

/* The kinds of operation. The argument's low half names one name, its high half another. */
enum graph_kind {
    GRAPH_NEW_CONTAINER, /* high: the kind; GRAPH_CHOICE_FRAME */
    GRAPH_NEW_INSTANCE,
    GRAPH_NEW_ATOM,
    GRAPH_ASSIGN,
    GRAPH_DELETE_NAME, /* high: or make its object immortal, or use the list of garbage */
    GRAPH_PUT,         /* append, or set an entry or attribute; low is the container */
    GRAPH_SET,         /* replace an item, chosen by the operation's number */
    GRAPH_REMOVE,      /* pop, or delete an entry or attribute */
    GRAPH_CLEAR, /* clear a list, or fill an empty one with high; give a dict that many int keys */
    GRAPH_LOAD,  /* give a name one of a container's items */
    GRAPH_CYCLE, /* a self-reference, or a ring of lists that is dropped at once */
    GRAPH_CHAIN,
    GRAPH_COLLECT, /* high: the generation; automatic collections; freezing */
    GRAPH_CHECK,   /* high: which check */
    GRAPH_REFUSE,  /* the heap's next calls, from a place on */
    GRAPH_WEAK,    /* make or drop one; or drop what finalizers have rescued */
};

enum {
    GRAPH_CHOICE_LEGACY = 15,    /* of GRAPH_NEW_INSTANCE, in programs with deeds */
    GRAPH_CHOICE_SMALL_INT = 11, /* of GRAPH_NEW_ATOM, for some names: one that is shared */
    GRAPH_CHOICE_KEEP_WEAKREF =
        12,                  /* of GRAPH_WEAK, for some names: the name keeps a weak reference */
    GRAPH_CHOICE_HANG = 13,  /* of GRAPH_WEAK, likewise: a death in the middle of freeing */
    GRAPH_CHOICE_DEED = 14,  /* of GRAPH_WEAK, likewise: what finalizers do, outside of one */
    GRAPH_CHOICE_FRAME = 12, /* of GRAPH_NEW_CONTAINER: called from the one that the name had */
    GRAPH_CHOICE_KEEP_VISITED = 10,  /* of GRAPH_CHECK: the name keeps what a visit shows, … */
    GRAPH_CHOICE_KEEP_REFERENT = 11, /* … or what a weak reference leads to */
    GRAPH_CHOICE_VISIT_ALL = 12,
    GRAPH_CHOICE_REFERENTS = 13,
    GRAPH_CHOICE_REFERRERS = 14,
    GRAPH_CHOICE_KEEP_SUSPENDED = 15, /* for some names: what a slice was interrupted in */
    GRAPH_CHOICE_SAVE_ALL = 13,       /* of GRAPH_DELETE_NAME: on or off */
    GRAPH_CHOICE_CLEAR_GARBAGE = 14,
    GRAPH_CHOICE_IMMORTAL = 15,
};

/* One name in four does more than the others, so that recorded programs keep their meaning. */
static inline bool graph_is_special(unsigned name)
{
    return name % 4 == 3;
}

/* One in sixteen. */
static inline bool graph_is_rare(unsigned name)
{
    return name == SHADOW_NAMES - 1;
}

/* Plays the operation at that index of the palette. */
void graph_step(struct shadow *shadow, const struct palette *palette, size_t at);
/* Binds the name to the node, whose reference is the name's from now on. */
void graph_bind(struct shadow *shadow, unsigned name, int index);
void graph_drop_weakref(struct shadow *shadow, struct shadow_weakref *weak);
/* Drops the references that finalizers have taken. */
void graph_drop_rescued(struct shadow *shadow);

#endif
