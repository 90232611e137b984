/* full_collection: the oldest generation is examined again and again, and nothing is garbage.
 *
 * Imitates the worst moment of a large program: a collector that traces has to look at everything
 * that lives. Shapes: `lists`, one list that holds all others; `linked`, a chain in the order of
 * allocation; `linked_shuffled`, a chain in a random order, in which every reference is a cache
 * miss once the nodes outgrow the cache. A node is a list whose one item is in a vector of its own.
 *
 * Leaves out garbage, and everything that happens between collections: automatic collection is off.
 * Stresses the collector's time for each live object. */
#include "workloads/objects/shapes.h"

enum { FULL_COLLECTION_SHAPE, FULL_COLLECTION_N };
enum { FULL_COLLECTION_LISTS, FULL_COLLECTION_LINKED, FULL_COLLECTION_SHUFFLED };

struct full_collection_state {
    struct object *item; /* the shared int 0 */
    struct object *root;
};

static void full_collection_teardown(struct run *run)
{
    struct full_collection_state *state = run->state;
    object_xdecref(run->runtime, state->root);
    object_xdecref(run->runtime, state->item);
    *state = (struct full_collection_state){0};
}

static enum status full_collection_setup(struct run *run, struct error *error)
{
    struct full_collection_state *state = run_scratch(run, sizeof *state);
    const uint64_t count = run_count(run, FULL_COLLECTION_N);
    run->state = state;
    gc_enable(run->runtime, false);
    state->item = int_new(run->runtime, 0);
    if (state->item != NULL) {
        switch (run_count(run, FULL_COLLECTION_SHAPE)) {
        case FULL_COLLECTION_LISTS:
            state->root = shapes_lists(run->runtime, state->item, count);
            break;
        case FULL_COLLECTION_LINKED:
            state->root = shapes_chain(run->runtime, state->item, count, NULL);
            break;
        default:
            state->root = shapes_shuffled(run, state->item, count);
        }
    }
    if (state->root == NULL) {
        full_collection_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

static void full_collection_run(struct run *run, uint64_t iterations)
{
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        run_mark(run, NULL);
        model_check(run, gc_collect(run->runtime, GC_GENERATIONS - 1));
    }
}

/* An operation is a live node that is examined. */
static uint64_t full_collection_operations(const struct run *run)
{
    return run_count(run, FULL_COLLECTION_N);
}

static uint64_t full_collection_expected_allocations(const struct run *run, uint64_t iterations)
{
    (void)run;
    (void)iterations;
    return 0;
}

static size_t full_collection_window_bytes(const struct run *run)
{
    return (size_t)(2 * run_count(run, FULL_COLLECTION_N) *
                        (SHAPES_NODE_BYTES + SHAPES_SLOT_BYTES) +
                    65536);
}

static const char *const full_collection_shapes[] = {"lists", "linked", "linked_shuffled", NULL};

const struct workload workload_full_collection = {
    .name = "full_collection",
    .kind = "objects",
    .family = "collections",
    .summary = "full collections of live objects, none of them garbage",
    .parameters =
        {
            {"shape", "", "how the live objects refer to each other", full_collection_shapes,
             FULL_COLLECTION_LISTS, 0, 2},
            {"n", "objects", "live objects", NULL, 1e5, 1, 4e7},
        },
    .operations = full_collection_operations,
    .expected_allocations = full_collection_expected_allocations,
    .window_bytes = full_collection_window_bytes,
    .setup = full_collection_setup,
    .run = full_collection_run,
    .teardown = full_collection_teardown,
};
