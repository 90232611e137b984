/* cyclic_graph: rings of objects that only the cycle collector can free.
 *
 * Imitates programs whose objects point back at their owners (parents, listeners, closures): a
 * table of live groups of nodes; each step makes a new group and drops the oldest. A group is a
 * ring, its last node pointing at its first, or, for a share of them, a chain, which reference
 * counts free at once. Nodes are instances or lists of a payload int and a link. Collections
 * happen as they do in CPython, by allocation (700, 10, 10).
 *
 * Leaves out finalizers, weak references and links between groups.
 *
 * Stresses the collector: its time is part of the operation's, and memory that is dead but not
 * yet found is held. The oldest group is old enough to have been promoted, so that most garbage
 * is in the old generation and waits for full collections. */
#include "workloads/objects/model.h"

enum { CYCLIC_GRAPH_LIVE, CYCLIC_GRAPH_RING, CYCLIC_GRAPH_NODE, CYCLIC_GRAPH_ACYCLIC };
enum { CYCLIC_GRAPH_INSTANCE, CYCLIC_GRAPH_LIST };
enum {
    CYCLIC_GRAPH_NODES_PER_ITERATION = 8192 /* or one group */,
    CYCLIC_GRAPH_PAYLOAD_MIN = 1000,
    /* The bytes that a node allocates with its payload: an instance, its dict and the dict's first
     * table of eight slots (gc/dict_object.c); or a list and its first vector. */
    CYCLIC_GRAPH_INSTANCE_ASKED_BYTES = HEAP_INT_BYTES + 48 + HEAP_DICT_BYTES + 160,
    CYCLIC_GRAPH_LIST_ASKED_BYTES = HEAP_INT_BYTES + HEAP_LIST_BYTES + 4 * sizeof(void *),
};

struct cyclic_graph_state {
    struct object *groups;     /* a list of the first nodes of all groups */
    struct object *nothing;    /* the shared int 0, where Python has None */
    struct object *class_name; /* of nodes that are instances */
    struct object *payload_name;
    struct object *link_name;
    uint64_t kind;
    uint64_t ring;         /* nodes per group */
    uint64_t groups_live;  /* the list's length */
    uint64_t group_oldest; /* its index in the list */
    uint64_t ring_containers;
    uint64_t ring_bytes; /* with payloads */
};

/* ------------------------------------------------------------------ nodes */
/* Makes a node with the payload that links to link; takes over neither. Returns a new reference, or
 * NULL. */
static struct object *cyclic_graph_make_node(struct runtime *runtime,
                                             const struct cyclic_graph_state *state,
                                             struct object *payload, struct object *link)
{
    struct object *node;
    bool filled;
    if (state->kind == CYCLIC_GRAPH_INSTANCE) {
        node = instance_new(runtime, state->class_name);
        filled = node != NULL &&
                 instance_set_attribute(runtime, node, state->payload_name, payload) &&
                 instance_set_attribute(runtime, node, state->link_name, link);
    } else {
        node = list_new(runtime);
        filled =
            node != NULL && list_append(runtime, node, payload) && list_append(runtime, node, link);
    }
    if (!filled) {
        object_xdecref(runtime, node);
        return NULL;
    }
    return node;
}

/* Replaces the node's link, without allocating. */
static void cyclic_graph_relink(struct runtime *runtime, const struct cyclic_graph_state *state,
                                struct object *node, struct object *link)
{
    if (state->kind == CYCLIC_GRAPH_INSTANCE) {
        (void)instance_set_attribute(runtime, node, state->link_name, link);
    } else {
        list_give_item(runtime, node, 1, object_incref(link));
    }
}

static struct object *cyclic_graph_link(const struct cyclic_graph_state *state,
                                        const struct object *node)
{
    return state->kind == CYCLIC_GRAPH_INSTANCE ? instance_attribute(node, state->link_name)
                                                : list_item(node, 1);
}

static int64_t cyclic_graph_payload(const struct cyclic_graph_state *state,
                                    const struct object *node)
{
    return int_value(state->kind == CYCLIC_GRAPH_INSTANCE
                         ? instance_attribute(node, state->payload_name)
                         : list_item(node, 0));
}

/* ------------------------------------------------------------------ groups */
/* Makes a group from its last node to its first. Returns a new reference to its first node; NULL:
 * the heap is exhausted, and what was made is freed. */
static struct object *cyclic_graph_make_group(struct runtime *runtime,
                                              const struct cyclic_graph_state *state,
                                              int64_t payload, bool acyclic)
{
    struct object *first = object_incref(state->nothing);
    struct object *last = NULL; /* borrowed: the chain from `first` on holds it */
    for (uint64_t i = 0; i < state->ring; i++) {
        struct object *number = int_new(runtime, payload + (int64_t)i);
        struct object *node = NULL;
        if (number != NULL) {
            node = cyclic_graph_make_node(runtime, state, number, first);
        }
        object_xdecref(runtime, number);
        object_decref(runtime, first);
        if (node == NULL) {
            return NULL;
        }
        first = node;
        last = last == NULL ? node : last;
    }
    if (!acyclic) {
        cyclic_graph_relink(runtime, state, last, first);
    }
    return first;
}

/* Adds up the payloads in a pass over the whole group. *ring: its last node links to its first, so
 * that it becomes garbage when it is dropped. */
static uint64_t cyclic_graph_sum(const struct cyclic_graph_state *state, struct object *first,
                                 bool *ring)
{
    uint64_t sum = 0;
    struct object *node = first;
    for (uint64_t i = 0; i < state->ring; i++) {
        sum += (uint64_t)cyclic_graph_payload(state, node);
        node = cyclic_graph_link(state, node);
    }
    *ring = node == first;
    return sum + *ring;
}

static struct object *cyclic_graph_draw_group(struct run *run)
{
    uint64_t draw = rng_next(&run->rng);
    bool acyclic = (((draw & 0xffffffffu) * 100) >> 32) < run_count(run, CYCLIC_GRAPH_ACYCLIC);
    int64_t payload = (int64_t)(draw >> 32) + CYCLIC_GRAPH_PAYLOAD_MIN;
    return cyclic_graph_make_group(run->runtime, run->state, payload, acyclic);
}

/* ------------------------------------------------------------------ the workload */
static void cyclic_graph_teardown(struct run *run)
{
    struct cyclic_graph_state *state = run->state;
    object_xdecref(run->runtime, state->groups);
    object_xdecref(run->runtime, state->nothing);
    object_xdecref(run->runtime, state->class_name);
    object_xdecref(run->runtime, state->payload_name);
    object_xdecref(run->runtime, state->link_name);
    *state = (struct cyclic_graph_state){0};
    gc_collect(run->runtime, GC_GENERATIONS - 1);
}

static bool cyclic_graph_fill(struct run *run)
{
    struct cyclic_graph_state *state = run->state;
    for (uint64_t i = 0; i < state->groups_live; i++) {
        struct object *group = cyclic_graph_draw_group(run);
        bool appended = group != NULL && list_append(run->runtime, state->groups, group);
        object_xdecref(run->runtime, group);
        if (!appended) {
            return false;
        }
    }
    return true;
}

/* A node with its payload: an upper estimate. */
static uint64_t cyclic_graph_node_bytes(bool instance)
{
    return MODEL_INT_BYTES + (instance
                                  ? MODEL_INSTANCE_BYTES + MODEL_DICT_BYTES + MODEL_KEYS_BYTES_MIN
                                  : MODEL_LIST_BYTES + 64);
}

static enum status cyclic_graph_setup(struct run *run, struct error *error)
{
    struct cyclic_graph_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->kind = run_count(run, CYCLIC_GRAPH_NODE);
    state->ring = run_count(run, CYCLIC_GRAPH_RING);
    bool instance = state->kind == CYCLIC_GRAPH_INSTANCE;
    state->ring_containers = state->ring * (instance ? MODEL_INSTANCE_CONTAINERS : 1);
    state->ring_bytes = state->ring * (instance ? CYCLIC_GRAPH_INSTANCE_ASKED_BYTES
                                                : CYCLIC_GRAPH_LIST_ASKED_BYTES);
    state->groups_live = run_count(run, CYCLIC_GRAPH_LIVE) / state->ring + 1;
    state->nothing = int_new(run->runtime, 0);
    state->class_name = str_intern(run->runtime, "Node", 4);
    state->payload_name = str_intern(run->runtime, "payload", 7);
    state->link_name = str_intern(run->runtime, "link", 4);
    state->groups = list_new(run->runtime);
    if (state->nothing == NULL || state->class_name == NULL || state->payload_name == NULL ||
        state->link_name == NULL || state->groups == NULL || !cyclic_graph_fill(run)) {
        cyclic_graph_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

static uint64_t cyclic_graph_groups_per_iteration(const struct run *run)
{
    uint64_t groups = CYCLIC_GRAPH_NODES_PER_ITERATION / run_count(run, CYCLIC_GRAPH_RING);
    return groups > 0 ? groups : 1;
}

static void cyclic_graph_run(struct run *run, uint64_t iterations)
{
    struct cyclic_graph_state *state = run->state;
    const uint64_t groups = cyclic_graph_groups_per_iteration(run);
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        for (uint64_t i = 0; i < groups; i++) {
            if (i % 16 == 0) {
                run_mark(run, NULL);
            }
            struct object *oldest = list_item(state->groups, (size_t)state->group_oldest);
            bool ring;
            model_check(run, cyclic_graph_sum(state, oldest, &ring));
            struct object *group = cyclic_graph_draw_group(run);
            if (group == NULL) {
                run_fail(run, MODEL_HEAP_EXHAUSTED);
                return;
            }
            list_give_item(run->runtime, state->groups, (size_t)state->group_oldest, group);
            if (ring) {
                run_garbage(run, state->ring_containers, state->ring_bytes);
            }
            state->group_oldest = (state->group_oldest + 1) % state->groups_live;
        }
    }
}

/* An operation is a node that is made. */
static uint64_t cyclic_graph_operations(const struct run *run)
{
    return cyclic_graph_groups_per_iteration(run) * run_count(run, CYCLIC_GRAPH_RING);
}

/* A payload is one block; a list node is two (with its items), an instance three (with its dict and
 * the dict's keys). Closing a ring and collecting allocate nothing. */
static uint64_t cyclic_graph_expected_allocations(const struct run *run, uint64_t iterations)
{
    uint64_t node_blocks = run_count(run, CYCLIC_GRAPH_NODE) == CYCLIC_GRAPH_INSTANCE ? 4 : 3;
    return iterations * node_blocks * cyclic_graph_operations(run);
}

/* A node lives until the live set has been replaced, and then waits for a full collection. That
 * comes after a number of net container allocations, if those that have grown old since the last
 * one are more than a quarter of the old. Chains are freed at once, so they do not bring a
 * collection nearer. */
static size_t cyclic_graph_window_bytes(const struct run *run)
{
    const uint64_t live = run_count(run, CYCLIC_GRAPH_LIVE) + run_count(run, CYCLIC_GRAPH_RING);
    const bool instance = run_count(run, CYCLIC_GRAPH_NODE) == CYCLIC_GRAPH_INSTANCE;
    const uint64_t node_bytes = cyclic_graph_node_bytes(instance);
    uint64_t cyclic_percent = 100 - run_count(run, CYCLIC_GRAPH_ACYCLIC);
    uint64_t waiting = 0;
    if (cyclic_percent > 0) {
        waiting = (MODEL_FULL_COLLECTION_CONTAINERS + live) * 100 / cyclic_percent;
    }
    return (size_t)(2 * (live + waiting) * node_bytes);
}

static const char *const cyclic_graph_node_kinds[] = {"instance", "list", NULL};

const struct workload workload_cyclic_graph = {
    .name = "cyclic_graph",
    .kind = "objects",
    .family = "cycles",
    .summary = "rings that become garbage and wait for the cycle collector",
    .parameters =
        {
            {"live", "objects", "nodes that are reachable", NULL, 1e4, 1, 1e7},
            {"ring", "objects", "nodes of a ring or chain", NULL, 8, 1, 1e6},
            {"node", "", "what a node is", cyclic_graph_node_kinds, CYCLIC_GRAPH_INSTANCE, 0, 1},
            {"acyclic", "percent", "groups that are chains, not rings", NULL, 20, 0, 100},
        },
    .operations = cyclic_graph_operations,
    .expected_allocations = cyclic_graph_expected_allocations,
    .window_bytes = cyclic_graph_window_bytes,
    .setup = cyclic_graph_setup,
    .run = cyclic_graph_run,
    .teardown = cyclic_graph_teardown,
};
