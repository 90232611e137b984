/* object_graph's model of its objects: a node for each, with its references in the runtime and in
 * the shadow.
 *
 * The shadow frees by counts, as the runtime must. The rest is cyclic garbage, which stays in the
 * shadow until a full collection. If collections may have run meanwhile (automatic ones, or of
 * young generations), such a node's object may already be freed and must not be touched, and counts
 * are known only between two bounds; otherwise they are known exactly. */
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
    SHADOW_RESCUED_KIND, /* its finalizer keeps the object while there is room */
    SHADOW_LEGACY,       /* has a legacy finalizer: a collector that finds it in a cycle keeps it */
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
    bool is_weak_unsure; /* a collection has cut its weak references, and it lives on */
    bool is_immortal;
    bool is_shared;     /* a small int: how many refer to it nobody knows */
    uint8_t generation; /* that it is in, after the first `seen` events of collections */
    uint32_t seen;
    unsigned saved; /* entries in the list of garbage; the program's references to it count too */
    unsigned finalized;  /* calls of its finalizer of either kind */
    int64_t serial;      /* the value of an int, float or str; an instance's first attribute */
    int count;           /* references from names, from the program otherwise, and from edges */
    int held;            /* those of them that are not from edges */
    unsigned edge_count; /* length of a list or tuple; of a frame: one more than its slots */
    unsigned wide;       /* of a dict: how many of wide_keys it has, each with itself as value */
    int16_t edges[SHADOW_EDGES]; /* SHADOW_NONE: none, or None */
};

struct shadow_weakref {
    struct object *object; /* NULL: the slot is unused */
    int64_t referent;      /* its referent's serial */
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
    struct object *keys[SHADOW_NAMES];     /* interned strs: keys and names of attributes */
    struct object *wide_keys[SHADOW_WIDE]; /* ints, made when a dict first needs them */
    unsigned wide_key_count;
    /* Plain; with a finalizer; with one that rescues; with a legacy one, in programs with deeds. */
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
    uint64_t objects_base; /* live before the first node */
    bool is_exact;         /* nothing was collected since the last full collection */
    bool is_automatic;
    bool is_ending;       /* finalizers no longer rescue anything */
    size_t garbage_noted; /* entries of the list of garbage that nodes know */
    bool is_frozen;       /* containers that were alive may be garbage now, but are not collected */
    int fresh;            /* nodes from this one on were never used */
    int first_free;       /* no node below it is unused */
};

extern struct shadow object_graph_shadow;

static inline bool shadow_is_instance(enum shadow_kind kind)
{
    return kind >= SHADOW_INSTANCE && kind <= SHADOW_LEGACY;
}

/* Does it always call its finalizer before it dies? */
static inline bool shadow_finalizes(enum shadow_kind kind)
{
    return kind == SHADOW_FINALIZED || kind == SHADOW_RESCUED_KIND || kind == SHADOW_LEGACY;
}

static inline bool shadow_is_container(enum shadow_kind kind)
{
    return kind < SHADOW_INT;
}

/* Edges from this index on are unused. */
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

/* Adds a node; SHADOW_NONE: all are in use. */
int shadow_add(struct shadow *shadow, enum shadow_kind kind, struct object *object);
/* Releases a reference, of the program or of an edge, that is already gone in the runtime. */
void shadow_release(struct shadow *shadow, int index);
/* Sets `reachable` in all nodes. */
void shadow_mark(struct shadow *shadow);
/* Adds what collections have put into the list of garbage since the last call. */
void shadow_note_garbage(struct shadow *shadow);
/* Called after a full collection: frees what is unreachable. */
void shadow_collected(struct shadow *shadow);
/* The finalizer of classes 1 and 2, and the legacy one of class 3. */
void shadow_finalizer(struct runtime *runtime, struct object *self, void *context);
void shadow_weakref_callback(struct runtime *runtime, struct object *weakref, struct object *owned,
                             void *context);

/* Blocks for objects, all that may be alive or those alone that the program can reach. */
uint64_t shadow_objects(const struct shadow *shadow, bool reachable);

/* Compares counts, contents, weak references and the number of live objects with the runtime. */
void shadow_verify(struct shadow *shadow);
/* Runs the checkers of the collector and of the heap. */
void shadow_expect_collector(const struct shadow *shadow);
void shadow_expect_heap(const struct shadow *shadow);
/* Does all three. */
void shadow_verify_all(struct shadow *shadow);

#endif
