/* The shapes that the collector's workloads build. A node is a list with one other node as its only
 * item, which is in a vector. They are built only with gc/object.h, so that any object layer behind
 * it (libpython's too) builds the same shapes. */
#ifndef HEAPMILL_WORKLOADS_OBJECTS_SHAPES_H
#define HEAPMILL_WORKLOADS_OBJECTS_SHAPES_H

#include "workloads/objects/model.h"

enum {
    /* Upper estimate of a node: the list and its first vector of four items. */
    SHAPES_NODE_BYTES = MODEL_LIST_BYTES + 64,
    SHAPES_NODE_BLOCKS = 2,
    SHAPES_NODE_ASKED_BYTES = HEAP_LIST_BYTES + 4 * sizeof(void *), /* the exact request */
    /* A list's vectors, each an eighth larger than the one before, add up to about nine times the
     * last one, which is up to an eighth too large. */
    SHAPES_SLOT_BYTES = 10 * sizeof(void *),
};

/* Makes a list with item, whose reference stays the caller's. NULL: the heap is exhausted. */
static inline struct object *shapes_node(struct runtime *runtime, struct object *item)
{
    struct object *node = list_new(runtime);
    if (node != NULL && !list_append(runtime, node, item)) {
        object_decref(runtime, node);
        return NULL;
    }
    return node;
}

/* Appends the object and releases the caller's reference, as `list.append(f())` does. false: the
 * heap is exhausted, or object was NULL. */
static inline bool shapes_append_drop(struct runtime *runtime, struct object *list,
                                      struct object *object)
{
    bool appended = object != NULL && list_append(runtime, list, object);
    object_xdecref(runtime, object);
    return appended;
}

/* Makes a list of count lists, each with item. Returns a new reference, or NULL. */
static inline struct object *shapes_lists(struct runtime *runtime, struct object *item,
                                          uint64_t count)
{
    struct object *holder = list_new(runtime);
    for (uint64_t i = 0; holder != NULL && i < count; i++) {
        if (!shapes_append_drop(runtime, holder, shapes_node(runtime, item))) {
            object_decref(runtime, holder);
            return NULL;
        }
    }
    return holder;
}

/* Makes a chain of count nodes, each with the one made before it; the first one, which *first gets
 * (borrowed; may be NULL), has item. Returns a new reference to the last one, its head, or NULL. */
static inline struct object *shapes_chain(struct runtime *runtime, struct object *item,
                                          uint64_t count, struct object **first)
{
    struct object *head = object_incref(item);
    for (uint64_t i = 0; i < count; i++) {
        struct object *node = shapes_node(runtime, head);
        object_decref(runtime, head);
        if (node == NULL) {
            return NULL;
        }
        if (i == 0 && first != NULL) {
            *first = node;
        }
        head = node;
    }
    return head;
}

/* Makes the same chain, closed: the first node has the last one. */
static inline struct object *shapes_ring(struct runtime *runtime, struct object *item,
                                         uint64_t count)
{
    struct object *first = NULL;
    struct object *head = shapes_chain(runtime, item, count, &first);
    if (head != NULL && first != NULL) {
        list_give_item(runtime, first, 0, object_incref(head));
    }
    return head;
}

/* Links the nodes, which are empty lists, in a random order, and releases the references in nodes
 * except that to the first of the order, which it returns: a chain that ends with item, or a ring
 * if item is NULL. NULL: the heap is exhausted, and the nodes are released. */
static inline struct object *shapes_link_shuffled(struct run *run, struct object **nodes,
                                                  uint32_t *order, uint64_t count,
                                                  struct object *item)
{
    struct runtime *runtime = run->runtime;
    bool linked = true;
    for (uint64_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    rng_shuffle_u32(&run->rng, order, count);
    struct object *head = nodes[order[0]];
    for (uint64_t i = 0; i < count && linked; i++) {
        struct object *next = i + 1 < count ? nodes[order[i + 1]] : item != NULL ? item : head;
        linked = list_append(runtime, nodes[order[i]], next);
    }
    for (uint64_t i = 0; i < count; i++) {
        if (nodes[i] != head || !linked) {
            object_decref(runtime, nodes[i]);
        }
    }
    return linked ? head : NULL;
}

/* Makes nodes whose references are in an order independent of their allocation; returns a new
 * reference to the first of them, or NULL. It is a chain that ends with item, or a ring (item
 * NULL). Only for set-up, since it takes scratch memory. */
static inline struct object *shapes_shuffled(struct run *run, struct object *item, uint64_t count)
{
    struct object **nodes = run_scratch(run, count * sizeof(struct object *));
    uint32_t *order = run_scratch(run, count * sizeof(*order));
    for (uint64_t i = 0; i < count; i++) {
        nodes[i] = list_new(run->runtime);
        if (nodes[i] == NULL) {
            for (uint64_t made = 0; made < i; made++) {
                object_decref(run->runtime, nodes[made]);
            }
            return NULL;
        }
    }
    return shapes_link_shuffled(run, nodes, order, count, item);
}

#endif
