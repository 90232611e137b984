/* What object_graph knows of its objects: a node for each, with its references in both worlds.
 *
 * The shadow frees by counts as the runtime must. What is left over is garbage in cycles: it stays
 * in the shadow until a full collection. Where collections may have happened in between (automatic
 * ones, or of young generations) such a node may be freed already, so that its object is not to be
 * touched, and counts are known between two bounds; otherwise they are known exactly. */
#ifndef HEAPMILL_FUZZ_OBJECT_GRAPH_SHADOW_H
#define HEAPMILL_FUZZ_OBJECT_GRAPH_SHADOW_H

#include "gc/class.h"
#include "gc/object.h"
#include "gc/weakref.h"

#include "fuzz/fuzz_memory.h"
#include "fuzz/fuzz_os.h"
#include "fuzz/oracle.h"
#include "fuzz/palette.h"
#include "fuzz/targets/object_graph_deeds.h"
#include "fuzz/targets/object_graph_watch.h"

enum {
    SHADOW_NODES = 512,
    SHADOW_NAMES = 16,
    SHADOW_EDGES = 48,
    SHADOW_WEAKREFS = 8,
    SHADOW_RESCUED = 8,
    SHADOW_WIDE = 256,
    SHADOW_NONE = -1,
};

enum shadow_kind {
    SHADOW_LIST,
    SHADOW_TUPLE,
    SHADOW_DICT,
    SHADOW_INSTANCE,     /* plain */
    SHADOW_OF_CLASS,     /* may be weakly referenced */
    SHADOW_FINALIZED,    /* and has a finalizer */
    SHADOW_RESCUED_KIND, /* whose finalizer keeps the object, while there is room */
    SHADOW_LEGACY,       /* has a legacy finalizer: kept when a collector finds it in a cycle */
    SHADOW_FRAME,        /* its first edge is the caller */
    SHADOW_INT,
    SHADOW_FLOAT,
    SHADOW_STR,
    SHADOW_WEAK, /* a weak reference that a slot has had: a container, whose edges nobody counts */
    SHADOW_KINDS
};

struct shadow_node {
    struct object *object;
    enum shadow_kind kind;
    bool alive;
    bool reachable;
    bool has_dict;       /* of attributes */
    bool is_weak_unsure; /* a collection has cut its weak references off, and it lives on */
    bool is_immortal;
    bool is_shared;     /* a small int: how many refer to it nobody knows */
    uint8_t generation; /* that it is in, after the first `seen` events of collections */
    uint32_t seen;
    unsigned saved;     /* entries of the list of garbage; references of the program's, too */
    unsigned finalized; /* calls of its finalizer, of either kind */
    int64_t serial; /* what an int, float or str is made of, and an instance's first attribute */
    int count;      /* references: from names and others of the program's, and from edges */
    int held;       /* of them, from names and others */
    unsigned edge_count;         /* of lists and tuples: their length; of frames: one more */
    unsigned wide;               /* of a dict: so many of wide_keys are in it, each its own value */
    int16_t edges[SHADOW_EDGES]; /* SHADOW_NONE: none, or None */
};

struct shadow_weakref {
    struct object *object; /* NULL: the slot is empty */
    int64_t referent;      /* its serial */
    int node;
    unsigned called;
    bool has_callback;
    int holder; /* one more than the node that stands for it, whose reference is one of its; or 0 */
};

/* What the finalizers of a class are given. */
struct shadow_class {
    struct shadow *shadow;
    enum shadow_kind kind;
};

struct shadow {
    struct heap heap;
    struct fuzz_os os;
    struct runtime *runtime;
    struct object *keys[SHADOW_NAMES];     /* interned strs: keys and attributes' names */
    struct object *wide_keys[SHADOW_WIDE]; /* ints, made when a dict first wants them */
    unsigned wide_key_count;
    /* Plain, with a finalizer, with one that rescues, with a legacy one, in programs with deeds. */
    struct object *classes[4];
    struct graph_deeds deeds;
    struct graph_watch watch;
    struct shadow_class contexts[4];
    bool
        may_have_dicts; /* that memory was refused for an entry of, so that no node knows of them */
    struct shadow_node nodes[SHADOW_NODES];
    int names[SHADOW_NAMES];
    int rescued[SHADOW_RESCUED];
    int rescued_count;
    struct shadow_weakref weakrefs[SHADOW_WEAKREFS];
    int64_t next_serial;
    uint64_t objects_base; /* alive before the first node */
    bool is_exact;         /* nothing was collected since the last full collection */
    bool is_automatic;
    bool is_ending;       /* finalizers rescue nothing any more */
    size_t garbage_noted; /* entries of the list of garbage that the nodes know of */
    bool is_frozen;       /* what was alive, and may be garbage since, is not collected */
    int fresh;            /* nodes from here on were never used */
    int first_free;       /* none below it is unused */
};

extern struct shadow object_graph_shadow;

static inline bool shadow_is_instance(enum shadow_kind kind)
{
    return kind >= SHADOW_INSTANCE && kind <= SHADOW_LEGACY;
}

/* Whether it cannot die without a call of its finalizer. */
static inline bool shadow_finalizes(enum shadow_kind kind)
{
    return kind == SHADOW_FINALIZED || kind == SHADOW_RESCUED_KIND || kind == SHADOW_LEGACY;
}

static inline bool shadow_is_container(enum shadow_kind kind)
{
    return kind < SHADOW_INT;
}

/* Edges from there on lead nowhere. */
static inline int shadow_edge_limit(const struct shadow_node *node)
{
    if (node->kind <= SHADOW_TUPLE || node->kind == SHADOW_FRAME) {
        return (int)node->edge_count;
    }
    return shadow_is_container(node->kind) ? SHADOW_NAMES : 0;
}

/* Whether others than the nodes may refer to its object, or it is no object of its own. */
static inline bool shadow_is_shared(const struct shadow_node *node)
{
    return node->is_shared || (node->kind == SHADOW_TUPLE && node->edge_count == 0);
}

/* An unused node; SHADOW_NONE when all are in use. */
int shadow_add(struct shadow *shadow, enum shadow_kind kind, struct object *object);
/* One reference of the program's, or of an edge, is gone in the runtime already. */
void shadow_release(struct shadow *shadow, int index);
/* Sets `reachable` everywhere. */
void shadow_mark(struct shadow *shadow);
/* Enters what collections have put into the list of garbage since the last time. */
void shadow_note_garbage(struct shadow *shadow);
/* A full collection has been made: frees what is unreachable. */
void shadow_collected(struct shadow *shadow);
/* The finalizer of the classes 1 and 2, and the legacy one of class 3. */
void shadow_finalizer(struct runtime *runtime, struct object *self, void *context);
void shadow_weakref_callback(struct runtime *runtime, struct object *weakref, struct object *owned,
                             void *context);

/* Blocks for objects, all that may be alive or those alone that the program can reach. */
uint64_t shadow_objects(const struct shadow *shadow, bool reachable);

/* Counts, contents, weak references and the number of objects alive, against the runtime. */
void shadow_verify(struct shadow *shadow);
/* The checkers of the collector and of the heap. */
void shadow_expect_collector(const struct shadow *shadow);
void shadow_expect_heap(const struct shadow *shadow);
/* All three. */
void shadow_verify_all(struct shadow *shadow);

#endif
