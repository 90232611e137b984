/* append_then_drop: a list grows by lists that are made, appended and released.
 *
 * Imitates how every program fills a list, `xs.append(make())`: the new object's count becomes two
 * and then one. For a collector that starts from candidates, a decrement that leaves a count above
 * zero makes an object a candidate. So here every object is a candidate, although nothing is
 * garbage; for a collector that counts allocations the heap only grows. At the end of an iteration
 * the list is emptied, and reference counts free everything.
 *
 * Leaves out cycles. Stresses the cost of a collector if there is nothing to collect. */
#include "workloads/objects/shapes.h"

enum { APPEND_THEN_DROP_N };
enum { APPEND_THEN_DROP_MARKED = 512 };

struct append_then_drop_state {
    struct object *item; /* the shared int 0 */
    struct object *holder;
};

static void append_then_drop_teardown(struct run *run)
{
    struct append_then_drop_state *state = run->state;
    object_xdecref(run->runtime, state->holder);
    object_xdecref(run->runtime, state->item);
    *state = (struct append_then_drop_state){0};
}

static enum status append_then_drop_setup(struct run *run, struct error *error)
{
    struct append_then_drop_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->item = int_new(run->runtime, 0);
    state->holder = list_new(run->runtime);
    if (state->item == NULL || state->holder == NULL) {
        append_then_drop_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

static bool append_then_drop_fill(struct run *run)
{
    struct append_then_drop_state *state = run->state;
    const uint64_t count = run_count(run, APPEND_THEN_DROP_N);
    for (uint64_t i = 0; i < count; i++) {
        if (i % APPEND_THEN_DROP_MARKED == 0) {
            run_mark(run, i == 0 ? "growth" : NULL);
        }
        struct object *node = shapes_node(run->runtime, state->item);
        if (!shapes_append_drop(run->runtime, state->holder, node)) {
            return false;
        }
    }
    return true;
}

static void append_then_drop_run(struct run *run, uint64_t iterations)
{
    struct append_then_drop_state *state = run->state;
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        if (!append_then_drop_fill(run)) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return;
        }
        model_check(run, list_length(state->holder));
        run_mark(run, "release");
        list_clear(run->runtime, state->holder);
    }
}

/* An operation is a list that is made and appended. */
static uint64_t append_then_drop_operations(const struct run *run)
{
    return run_count(run, APPEND_THEN_DROP_N);
}

/* The nodes, and the holder's first vector, which is freed when it is emptied. */
static uint64_t append_then_drop_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * (SHAPES_NODE_BLOCKS * run_count(run, APPEND_THEN_DROP_N) + 1);
}

static size_t append_then_drop_window_bytes(const struct run *run)
{
    return (size_t)(2 * run_count(run, APPEND_THEN_DROP_N) *
                        (SHAPES_NODE_BYTES + SHAPES_SLOT_BYTES) +
                    65536);
}

const struct workload workload_append_then_drop = {
    .name = "append_then_drop",
    .kind = "objects",
    .family = "growth",
    .summary = "a list filled by append with new lists, of which nothing is garbage",
    .parameters = {{"n", "objects", "lists that are appended", NULL, 1e5, 1, 4e7}},
    .operations = append_then_drop_operations,
    .expected_allocations = append_then_drop_expected_allocations,
    .window_bytes = append_then_drop_window_bytes,
    .setup = append_then_drop_setup,
    .run = append_then_drop_run,
    .teardown = append_then_drop_teardown,
};
