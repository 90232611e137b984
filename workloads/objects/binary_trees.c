/* binary_trees: many short-lived trees beside a long-lived one.
 *
 * Imitates the Computer Language Benchmarks Game's binary-trees: one tree of full depth lives
 * throughout; trees of depth 4, 6, … up to the full depth are made bottom-up, counted and
 * dropped, more of the small ones than of the large ones. Nodes are tuples, lists, or instances
 * with two attributes; a leaf's children are the shared int 0, where Python has None.
 *
 * Leaves out the game's factor of 16 on the number of trees, so that an iteration is short: each
 * depth makes about as many nodes as the long-lived tree has. The game's stretch tree is left to
 * the warm-up.
 *
 * Stresses throughput of making and of deep deallocation, and the collector, which looks at the
 * containers again and again without finding garbage. */
#include "workloads/objects/model.h"

enum { BINARY_TREES_DEPTH, BINARY_TREES_NODE };
enum { BINARY_TREES_TUPLE, BINARY_TREES_LIST, BINARY_TREES_INSTANCE };
enum { BINARY_TREES_DEPTH_MIN = 4, BINARY_TREES_CHILDREN = 2 };

struct binary_trees_state {
    struct object *long_lived;
    struct object *leaf_child;                   /* the shared int 0 */
    struct object *class_name;                   /* of nodes that are instances */
    struct object *names[BINARY_TREES_CHILDREN]; /* of an instance's attributes */
    uint64_t kind;
};

/* ------------------------------------------------------------------ one node of each kind */
/* The makers below do not take over the children; they return a new reference, or NULL. */
static struct object *binary_trees_make_tuple(struct runtime *runtime, struct object *children[])
{
    struct object *node = tuple_new(runtime, BINARY_TREES_CHILDREN);
    if (node != NULL) {
        tuple_give_item(node, 0, object_incref(children[0]));
        tuple_give_item(node, 1, object_incref(children[1]));
    }
    return node;
}

static struct object *binary_trees_make_list(struct runtime *runtime, struct object *children[])
{
    struct object *node = list_new(runtime);
    if (node != NULL && list_append(runtime, node, children[0]) &&
        list_append(runtime, node, children[1])) {
        return node;
    }
    object_xdecref(runtime, node);
    return NULL;
}

static struct object *binary_trees_make_instance(struct runtime *runtime,
                                                 const struct binary_trees_state *state,
                                                 struct object *children[])
{
    struct object *node = instance_new(runtime, state->class_name);
    if (node != NULL && instance_set_attribute(runtime, node, state->names[0], children[0]) &&
        instance_set_attribute(runtime, node, state->names[1], children[1])) {
        return node;
    }
    object_xdecref(runtime, node);
    return NULL;
}

static struct object *binary_trees_make_node(struct runtime *runtime,
                                             const struct binary_trees_state *state,
                                             struct object *children[])
{
    switch (state->kind) {
    case BINARY_TREES_TUPLE:
        return binary_trees_make_tuple(runtime, children);
    case BINARY_TREES_LIST:
        return binary_trees_make_list(runtime, children);
    default:
        return binary_trees_make_instance(runtime, state, children);
    }
}

/* Borrowed. */
static struct object *binary_trees_child(const struct binary_trees_state *state,
                                         const struct object *node, size_t side)
{
    switch (state->kind) {
    case BINARY_TREES_TUPLE:
        return tuple_item(node, side);
    case BINARY_TREES_LIST:
        return list_item(node, side);
    default:
        return instance_attribute(node, state->names[side]);
    }
}

/* ------------------------------------------------------------------ trees */
/* Makes a tree of 2^(depth+1) − 1 nodes, children before parents. NULL: the heap is exhausted, and
 * nothing is left behind. The recursion is as deep as the tree. */
static struct object *binary_trees_make(struct runtime *runtime,
                                        const struct binary_trees_state *state, unsigned depth)
{
    if (depth == 0) {
        struct object *none[] = {state->leaf_child, state->leaf_child};
        return binary_trees_make_node(runtime, state, none);
    }
    struct object *children[] = {NULL, NULL};
    struct object *node = NULL;
    children[0] = binary_trees_make(runtime, state, depth - 1);
    if (children[0] != NULL) {
        children[1] = binary_trees_make(runtime, state, depth - 1);
    }
    if (children[1] != NULL) {
        node = binary_trees_make_node(runtime, state, children);
    }
    object_xdecref(runtime, children[0]);
    object_xdecref(runtime, children[1]);
    return node;
}

/* Counts the nodes by visiting each. */
static uint64_t binary_trees_count(const struct binary_trees_state *state,
                                   const struct object *node)
{
    const struct object *left = binary_trees_child(state, node, 0);
    if (left == state->leaf_child) {
        return 1;
    }
    return 1 + binary_trees_count(state, left) +
           binary_trees_count(state, binary_trees_child(state, node, 1));
}

static uint64_t binary_trees_nodes(uint64_t depth)
{
    return ((uint64_t)2 << depth) - 1;
}

/* ------------------------------------------------------------------ the workload */
static void binary_trees_teardown(struct run *run)
{
    struct binary_trees_state *state = run->state;
    object_xdecref(run->runtime, state->long_lived);
    object_xdecref(run->runtime, state->leaf_child);
    object_xdecref(run->runtime, state->class_name);
    object_xdecref(run->runtime, state->names[0]);
    object_xdecref(run->runtime, state->names[1]);
    *state = (struct binary_trees_state){0};
}

static enum status binary_trees_setup(struct run *run, struct error *error)
{
    struct binary_trees_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->kind = run_count(run, BINARY_TREES_NODE);
    state->leaf_child = int_new(run->runtime, 0);
    state->class_name = str_intern(run->runtime, "Node", 4);
    state->names[0] = str_intern(run->runtime, "left", 4);
    state->names[1] = str_intern(run->runtime, "right", 5);
    if (state->leaf_child != NULL && state->class_name != NULL && state->names[0] != NULL &&
        state->names[1] != NULL) {
        unsigned depth = (unsigned)run_count(run, BINARY_TREES_DEPTH);
        state->long_lived = binary_trees_make(run->runtime, state, depth);
    }
    if (state->long_lived == NULL) {
        binary_trees_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

/* Makes all trees of one depth, one after the other; adds up their nodes. */
static bool binary_trees_run_depth(struct run *run, unsigned depth, uint64_t trees)
{
    struct binary_trees_state *state = run->state;
    uint64_t nodes = 0;
    uint64_t marked = trees / 16 + 1;
    for (uint64_t i = 0; i < trees; i++) {
        struct object *tree = binary_trees_make(run->runtime, state, depth);
        if (tree == NULL) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return false;
        }
        if (run->sampling && i % marked == 0) {
            run_mark(run, NULL);
        }
        nodes += binary_trees_count(state, tree);
        object_decref(run->runtime, tree);
    }
    model_check(run, nodes);
    return true;
}

static void binary_trees_run(struct run *run, uint64_t iterations)
{
    struct binary_trees_state *state = run->state;
    const unsigned depth_max = (unsigned)run_count(run, BINARY_TREES_DEPTH);
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        for (unsigned depth = BINARY_TREES_DEPTH_MIN; depth <= depth_max; depth += 2) {
            if (!binary_trees_run_depth(run, depth, (uint64_t)1 << (depth_max - depth))) {
                return;
            }
        }
        model_check(run, binary_trees_count(state, state->long_lived));
    }
}

/* An operation is a node that is made. */
static uint64_t binary_trees_operations(const struct run *run)
{
    const uint64_t depth_max = run_count(run, BINARY_TREES_DEPTH);
    uint64_t nodes = 0;
    for (uint64_t depth = BINARY_TREES_DEPTH_MIN; depth <= depth_max; depth += 2) {
        nodes += ((uint64_t)1 << (depth_max - depth)) * binary_trees_nodes(depth);
    }
    return nodes;
}

/* A tuple is one block; a list is two (with its items), an instance three (with its dict and the
 * dict's keys). */
static uint64_t binary_trees_expected_allocations(const struct run *run, uint64_t iterations)
{
    uint64_t node_blocks = 1 + run_count(run, BINARY_TREES_NODE);
    return iterations * node_blocks * binary_trees_operations(run);
}

/* One short-lived tree lives at a time, and no garbage waits for the collector. */
static size_t binary_trees_window_bytes(const struct run *run)
{
    static const uint64_t node_bytes[] = {
        [BINARY_TREES_TUPLE] = HEAP_TUPLE_BYTES + 2 * sizeof(void *) + 16,
        [BINARY_TREES_LIST] = MODEL_LIST_BYTES + 64,
        [BINARY_TREES_INSTANCE] = MODEL_INSTANCE_BYTES + MODEL_DICT_BYTES + MODEL_KEYS_BYTES_MIN,
    };
    uint64_t nodes = binary_trees_nodes(run_count(run, BINARY_TREES_DEPTH));
    return (size_t)(2 * (nodes + 64) * node_bytes[run_count(run, BINARY_TREES_NODE)]);
}

static const char *const binary_trees_node_kinds[] = {"tuple", "list", "instance", NULL};

const struct workload workload_binary_trees = {
    .name = "binary_trees",
    .kind = "objects",
    .family = "pointers",
    .summary = "short-lived binary trees beside a long-lived one",
    .parameters =
        {
            {"depth", "levels", "of the largest trees: 2^(depth+1) - 1 nodes", NULL, 14, 4, 24},
            {"node", "", "what a node is", binary_trees_node_kinds, BINARY_TREES_TUPLE, 0, 2},
        },
    .operations = binary_trees_operations,
    .expected_allocations = binary_trees_expected_allocations,
    .window_bytes = binary_trees_window_bytes,
    .setup = binary_trees_setup,
    .run = binary_trees_run,
    .teardown = binary_trees_teardown,
};
