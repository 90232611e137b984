/* garbage_two_cycles: pairs of lists that refer to each other, all dead, and one full collection.
 *
 * Imitates the most common cycle of real programs (an object and its owner), in bulk. The garbage
 * is made in set-up with automatic collection off; the timed part is the collection that finds and
 * frees it.
 *
 * Leaves out live objects beside the garbage. Stresses finding the unreachable and freeing it:
 * every object is examined once and freed once. */
#include "workloads/objects/shapes.h"

enum { GARBAGE_TWO_CYCLES_N };

static uint64_t garbage_two_cycles_pairs(const struct run *run)
{
    return (run_count(run, GARBAGE_TWO_CYCLES_N) + 1) / 2;
}

static void garbage_two_cycles_teardown(struct run *run)
{
    gc_collect(run->runtime, GC_GENERATIONS - 1);
}

/* Makes two lists that refer only to each other. false: the heap is exhausted. */
static bool garbage_two_cycles_make(struct runtime *runtime)
{
    struct object *one = list_new(runtime);
    struct object *other = one == NULL ? NULL : shapes_node(runtime, one);
    bool closed = other != NULL && list_append(runtime, one, other);
    object_xdecref(runtime, other);
    object_xdecref(runtime, one);
    return closed;
}

static enum status garbage_two_cycles_setup(struct run *run, struct error *error)
{
    gc_enable(run->runtime, false);
    for (uint64_t i = 0; i < garbage_two_cycles_pairs(run); i++) {
        if (!garbage_two_cycles_make(run->runtime)) {
            garbage_two_cycles_teardown(run);
            return model_exhausted(error);
        }
    }
    uint64_t dead = 2 * garbage_two_cycles_pairs(run);
    run_garbage(run, dead, dead * SHAPES_NODE_ASKED_BYTES);
    return STATUS_OK;
}

static void garbage_two_cycles_run(struct run *run, uint64_t iterations)
{
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        run_mark(run, "collection");
        uint64_t freed = gc_collect(run->runtime, GC_GENERATIONS - 1);
        run_add_figure(run, "collected_objects", (double)freed);
    }
}

/* An operation is a dead list. */
static uint64_t garbage_two_cycles_operations(const struct run *run)
{
    return 2 * garbage_two_cycles_pairs(run);
}

static uint64_t garbage_two_cycles_expected_allocations(const struct run *run, uint64_t iterations)
{
    (void)run;
    (void)iterations;
    return 0;
}

static size_t garbage_two_cycles_window_bytes(const struct run *run)
{
    return (size_t)(4 * garbage_two_cycles_pairs(run) * SHAPES_NODE_BYTES + 65536);
}

const struct workload workload_garbage_two_cycles = {
    .name = "garbage_two_cycles",
    .kind = "objects",
    .family = "collections",
    .summary = "a full collection of dead pairs that hold each other",
    .parameters = {{"n", "objects", "dead objects, two to a cycle", NULL, 1e5, 2, 4e7}},
    .operations = garbage_two_cycles_operations,
    .expected_allocations = garbage_two_cycles_expected_allocations,
    .window_bytes = garbage_two_cycles_window_bytes,
    .setup = garbage_two_cycles_setup,
    .run = garbage_two_cycles_run,
    .teardown = garbage_two_cycles_teardown,
    .single_shot = true,
};
