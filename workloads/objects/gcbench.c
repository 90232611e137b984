/* gcbench: trees that live shortly beside one that lives long.
 *
 * GCBench, by John Ellis and Pete Kovac of Post Communications, modified by Hans Boehm of Silicon
 * Graphics, re-created from its published description: a stretch tree is made and dropped; then a
 * long-lived tree and an array of numbers stay while, for each even depth from 4 up, trees are made
 * top-down (each node before its children) and as many bottom-up, the fewer the deeper. A node is a
 * list of four: left, right, and two small numbers, i and j of the original. An iteration is the
 * whole benchmark.
 *
 * Leaves out the second half of the array, which stays empty in the original.
 * Nothing is cyclic, so a reference-counting runtime frees all of
 * it at once; the collector only looks. Its reference is Boehm's collector, for which all of it is
 * garbage (workloads/references/). `depth=16` is the published size. */
#include "workloads/objects/gcbench.h"
#include "workloads/objects/model.h"

enum { GCBENCH_LEFT, GCBENCH_RIGHT, GCBENCH_FIELDS = 4 };

struct gcbench_state {
    struct object *nothing;    /* the shared int 0: stands for no child, and for i and j */
    struct object *long_lived; /* these two live while an iteration runs */
    struct object *array;
};

static void gcbench_release(struct run *run)
{
    struct gcbench_state *state = run->state;
    object_xdecref(run->runtime, state->long_lived);
    object_xdecref(run->runtime, state->array);
    state->long_lived = NULL;
    state->array = NULL;
}

static void gcbench_teardown(struct run *run)
{
    struct gcbench_state *state = run->state;
    gcbench_release(run);
    object_xdecref(run->runtime, state->nothing);
    state->nothing = NULL;
}

static enum status gcbench_setup(struct run *run, struct error *error)
{
    struct gcbench_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->nothing = int_new(run->runtime, 0);
    return state->nothing != NULL ? STATUS_OK : model_exhausted(error);
}

/* Makes a node with these children, whose references stay the caller's. NULL: the heap is
 * exhausted. */
static struct object *gcbench_node(struct runtime *runtime, const struct gcbench_state *state,
                                   struct object *left, struct object *right)
{
    struct object *const fields[GCBENCH_FIELDS] = {left, right, state->nothing, state->nothing};
    struct object *node = list_new(runtime);
    for (int i = 0; node != NULL && i < GCBENCH_FIELDS; i++) {
        if (!list_append(runtime, node, fields[i])) {
            object_decref(runtime, node);
            node = NULL;
        }
    }
    return node;
}

/* Gives node its descendants, top-down. false: the heap is exhausted. */
static bool gcbench_populate(struct runtime *runtime, const struct gcbench_state *state,
                             struct object *node, unsigned depth)
{
    if (depth == 0) {
        return true;
    }
    for (size_t side = GCBENCH_LEFT; side <= GCBENCH_RIGHT; side++) {
        struct object *child = gcbench_node(runtime, state, state->nothing, state->nothing);
        if (child == NULL) {
            return false;
        }
        list_give_item(runtime, node, side, child);
    }
    return gcbench_populate(runtime, state, list_item(node, GCBENCH_LEFT), depth - 1) &&
           gcbench_populate(runtime, state, list_item(node, GCBENCH_RIGHT), depth - 1);
}

static struct object *gcbench_make_down(struct runtime *runtime, const struct gcbench_state *state,
                                        unsigned depth)
{
    struct object *root = gcbench_node(runtime, state, state->nothing, state->nothing);
    if (root != NULL && !gcbench_populate(runtime, state, root, depth)) {
        object_decref(runtime, root);
        return NULL;
    }
    return root;
}

static struct object *gcbench_make_up(struct runtime *runtime, const struct gcbench_state *state,
                                      unsigned depth)
{
    if (depth == 0) {
        return gcbench_node(runtime, state, state->nothing, state->nothing);
    }
    struct object *left = gcbench_make_up(runtime, state, depth - 1);
    struct object *right = left == NULL ? NULL : gcbench_make_up(runtime, state, depth - 1);
    struct object *node = right == NULL ? NULL : gcbench_node(runtime, state, left, right);
    object_xdecref(runtime, left);
    object_xdecref(runtime, right);
    return node;
}

/* The number of nodes on the leftmost path, so that a tree's depth is read. */
static uint64_t gcbench_height(const struct gcbench_state *state, const struct object *tree)
{
    uint64_t height = 0;
    for (; tree != state->nothing; tree = list_item(tree, GCBENCH_LEFT)) {
        height++;
    }
    return height;
}

/* Makes the array's first half: 1/i. */
static struct object *gcbench_make_array(struct run *run)
{
    struct object *array = list_new(run->runtime);
    const uint64_t filled = gcbench_array_length(run) / 2;
    for (uint64_t i = 1; array != NULL && i <= filled; i++) {
        struct object *number = float_new(run->runtime, 1.0 / (double)i);
        bool appended = number != NULL && list_append(run->runtime, array, number);
        object_xdecref(run->runtime, number);
        if (!appended) {
            object_decref(run->runtime, array);
            return NULL;
        }
    }
    return array;
}

/* Makes trees of one depth in both ways. */
static bool gcbench_time_depth(struct run *run, unsigned depth)
{
    struct gcbench_state *state = run->state;
    const uint64_t trees = gcbench_trees(run, depth);
    const uint64_t marked = trees / 32 + 1;
    for (uint64_t i = 0; i < 2 * trees; i++) {
        if (i % marked == 0) {
            run_mark(run, NULL);
        }
        struct object *tree = i < trees ? gcbench_make_down(run->runtime, state, depth)
                                        : gcbench_make_up(run->runtime, state, depth);
        if (tree == NULL) {
            return false;
        }
        model_check(run, gcbench_height(state, tree));
        object_decref(run->runtime, tree);
    }
    return true;
}

static bool gcbench_iterate(struct run *run)
{
    struct gcbench_state *state = run->state;
    const unsigned deepest = gcbench_depth(run);
    run_mark(run, "stretch tree");
    struct object *stretch = gcbench_make_up(run->runtime, state, deepest + GCBENCH_STRETCH_MORE);
    bool made = stretch != NULL;
    object_xdecref(run->runtime, stretch);
    run_mark(run, "long-lived tree");
    state->long_lived = made ? gcbench_make_down(run->runtime, state, deepest) : NULL;
    state->array = state->long_lived != NULL ? gcbench_make_array(run) : NULL;
    made = state->array != NULL;
    for (unsigned depth = GCBENCH_DEPTH_MIN; made && depth <= deepest; depth += 2) {
        made = gcbench_time_depth(run, depth);
    }
    if (made) {
        model_check(run, gcbench_height(state, state->long_lived));
        model_check(run, list_length(state->array));
    }
    gcbench_release(run);
    return made;
}

static void gcbench_run(struct run *run, uint64_t iterations)
{
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        if (!gcbench_iterate(run)) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return;
        }
    }
}

/* A node is a list and its vector; so is the array. Each of its numbers is a block. */
static uint64_t gcbench_expected_allocations(const struct run *run, uint64_t iterations)
{
    uint64_t numbers = gcbench_array_length(run) / 2;
    return iterations * (2 * gcbench_nodes(run) + numbers + 1 + (numbers > 0));
}

/* Beside the long-lived tree at most the stretch tree lives, and then the largest tree. */
static size_t gcbench_window_bytes(const struct run *run)
{
    uint64_t nodes = gcbench_nodes(run);
    return (size_t)(2 * nodes * (MODEL_LIST_BYTES + 64) +
                    gcbench_array_length(run) * (HEAP_FLOAT_BYTES + 16 + 10 * sizeof(void *)) +
                    65536);
}

const struct workload workload_gcbench = {
    .name = "gcbench",
    .kind = "objects",
    .family = "pointers",
    .summary = "GCBench: short-lived trees of all depths beside a long-lived one",
    .parameters = {{"depth", "levels", "of the largest trees; 16 is the published benchmark", NULL,
                    10, 4, 20}},
    .operations = gcbench_nodes,
    .expected_allocations = gcbench_expected_allocations,
    .window_bytes = gcbench_window_bytes,
    .setup = gcbench_setup,
    .run = gcbench_run,
    .teardown = gcbench_teardown,
};
