/* dead_shuffled: one ring of objects in a random order dies, and a full collection frees it.
 *
 * Imitates a large structure that is dropped at once: a cache, a graph, a document with links to
 * its parents. Its objects refer to each other in an order that has nothing to do with where they
 * lie, so finding and freeing them jumps through memory. The timed part is the drop of the last
 * reference and the collection.
 *
 * Leaves out live objects beside it. Stresses the collector's freeing, and its locality. */
#include "workloads/objects/shapes.h"

enum { DEAD_SHUFFLED_N };

struct dead_shuffled_state {
    struct object *ring;
};

static void dead_shuffled_teardown(struct run *run)
{
    struct dead_shuffled_state *state = run->state;
    object_xdecref(run->runtime, state->ring);
    state->ring = NULL;
    gc_collect(run->runtime, GC_GENERATIONS - 1);
}

static enum status dead_shuffled_setup(struct run *run, struct error *error)
{
    struct dead_shuffled_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    gc_enable(run->runtime, false);
    state->ring = shapes_shuffled(run, NULL, run_count(run, DEAD_SHUFFLED_N));
    if (state->ring == NULL) {
        dead_shuffled_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

static void dead_shuffled_run(struct run *run, uint64_t iterations)
{
    struct dead_shuffled_state *state = run->state;
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        run_mark(run, "collection");
        object_xdecref(run->runtime, state->ring);
        state->ring = NULL;
        run_garbage(run, run_count(run, DEAD_SHUFFLED_N),
                    run_count(run, DEAD_SHUFFLED_N) * SHAPES_NODE_ASKED_BYTES);
        uint64_t freed = gc_collect(run->runtime, GC_GENERATIONS - 1);
        run_add_figure(run, "collected_objects", (double)freed);
    }
}

/* An operation is a dead node. */
static uint64_t dead_shuffled_operations(const struct run *run)
{
    return run_count(run, DEAD_SHUFFLED_N);
}

static uint64_t dead_shuffled_expected_allocations(const struct run *run, uint64_t iterations)
{
    (void)run;
    (void)iterations;
    return 0;
}

static size_t dead_shuffled_window_bytes(const struct run *run)
{
    return (size_t)(2 * run_count(run, DEAD_SHUFFLED_N) * SHAPES_NODE_BYTES + 65536);
}

const struct workload workload_dead_shuffled = {
    .name = "dead_shuffled",
    .kind = "objects",
    .family = "collections",
    .summary = "a full collection of one dead ring in a random order",
    .parameters = {{"n", "objects", "nodes of the ring", NULL, 1e5, 1, 4e7}},
    .operations = dead_shuffled_operations,
    .expected_allocations = dead_shuffled_expected_allocations,
    .window_bytes = dead_shuffled_window_bytes,
    .setup = dead_shuffled_setup,
    .run = dead_shuffled_run,
    .teardown = dead_shuffled_teardown,
    .single_shot = true,
};
