/* int_churn: arithmetic on boxed ints.
 *
 * Imitates the inner loop of number-crunching interpreted code: each step multiplies one int of a
 * live window (a temporary that dies at once), adds a neighbour (the result), and stores the
 * result over the first, which drops the old value. A share of the results is small and therefore
 * shared.
 *
 * Leaves out the interpreter's dispatch, arbitrary precision (every int is one block of 24
 * bytes), and any container work but the window's stores.
 *
 * Stresses throughput of the smallest blocks of one type: a private free list's best case. */
#include "workloads/objects/model.h"

enum { INT_CHURN_LIVE, INT_CHURN_ORDER, INT_CHURN_SMALL };
enum { INT_CHURN_RANDOM, INT_CHURN_IN_ORDER };

struct int_churn_state {
    struct object *window; /* a list */
};

/* The draw of a step: its upper half picks the slot, its lower half decides whether the result is
 * small. */
static inline size_t int_churn_slot(uint64_t draw, uint64_t live)
{
    return (size_t)(((draw >> 32) * live) >> 32);
}

static inline bool int_churn_is_small(uint64_t draw, uint64_t small_percent)
{
    return (((draw & 0xffffffffu) * 100) >> 32) < small_percent;
}

/* Maps any value to 1..128 or to 2^20..2^41: never to 0, so that no product is small. */
static inline int64_t int_churn_value(int64_t value, bool small)
{
    return small ? (value & 127) + 1 : (value & 0xffffffffff) | (1 << 20);
}

static void int_churn_teardown(struct run *run)
{
    struct int_churn_state *state = run->state;
    object_xdecref(run->runtime, state->window);
    state->window = NULL;
}

static enum status int_churn_setup(struct run *run, struct error *error)
{
    struct int_churn_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->window = list_new(run->runtime);
    if (state->window == NULL) {
        return model_exhausted(error);
    }
    for (uint64_t i = 0; i < run_count(run, INT_CHURN_LIVE); i++) {
        uint64_t draw = rng_next(&run->rng);
        bool small = int_churn_is_small(draw, run_count(run, INT_CHURN_SMALL));
        struct object *item = int_new(run->runtime, int_churn_value((int64_t)(draw >> 8), small));
        bool appended = item != NULL && list_append(run->runtime, state->window, item);
        object_xdecref(run->runtime, item);
        if (!appended) {
            int_churn_teardown(run);
            return model_exhausted(error);
        }
    }
    return STATUS_OK;
}

/* window[slot] = window[slot] * 48271 + addend, mapped to small or large. false: the heap is
 * exhausted. */
static inline bool int_churn_step(struct run *run, struct object *window, size_t slot,
                                  int64_t addend, bool small)
{
    struct object *product = int_new(run->runtime, int_value(list_item(window, slot)) * 48271);
    if (product == NULL) {
        return false;
    }
    int64_t sum = int_value(product) + addend;
    struct object *result = int_new(run->runtime, int_churn_value(sum, small));
    object_decref(run->runtime, product);
    if (result == NULL) {
        return false;
    }
    list_give_item(run->runtime, window, slot, result);
    return true;
}

/* Runs steps [first, end) of a pass over the window. Returns the slot of the last one, or of the
 * one whose result the heap could not hold; then run->failed is set. */
static size_t int_churn_part(struct run *run, uint64_t first, uint64_t end, size_t previous)
{
    struct int_churn_state *state = run->state;
    struct object *window = state->window;
    const uint64_t live = run_count(run, INT_CHURN_LIVE);
    const uint64_t small_percent = run_count(run, INT_CHURN_SMALL);
    const bool in_order = run_count(run, INT_CHURN_ORDER) == INT_CHURN_IN_ORDER;
    struct rng rng = run->rng; /* a copy, which stays in registers */
    for (uint64_t step = first; step < end; step++) {
        uint64_t draw = rng_next(&rng);
        size_t slot = in_order ? (size_t)step : int_churn_slot(draw, live);
        int64_t addend = int_value(list_item(window, previous));
        bool small = int_churn_is_small(draw, small_percent);
        if (!int_churn_step(run, window, slot, addend, small)) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            break;
        }
        previous = slot;
    }
    run->rng = rng;
    return previous;
}

static void int_churn_run(struct run *run, uint64_t iterations)
{
    struct int_churn_state *state = run->state;
    const uint64_t live = run_count(run, INT_CHURN_LIVE);
    const uint64_t part = live / 50 + 1;
    size_t previous = 0;
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        for (uint64_t first = 0; first < live && run->failed == NULL; first += part) {
            uint64_t end = first + part < live ? first + part : live;
            run_mark(run, NULL);
            previous = int_churn_part(run, first, end, previous);
        }
        if (run->failed != NULL) {
            return;
        }
        model_check(run, (uint64_t)int_value(list_item(state->window, previous)));
    }
}

/* An operation is a result: the product and the sum of each step. */
static uint64_t int_churn_operations(const struct run *run)
{
    return 2 * run_count(run, INT_CHURN_LIVE);
}

/* Each product is a block; a sum is a block unless it was drawn to be small. */
static uint64_t int_churn_expected_allocations(const struct run *run, uint64_t iterations)
{
    const uint64_t live = run_count(run, INT_CHURN_LIVE);
    const uint64_t small_percent = run_count(run, INT_CHURN_SMALL);
    struct rng rng = run->rng;
    uint64_t blocks = iterations * live;
    for (uint64_t step = 0; step < iterations * live; step++) {
        blocks += !int_churn_is_small(rng_next(&rng), small_percent);
    }
    return blocks;
}

/* A randomly chosen slot survives k passes with probability e^-k, so 40 passes never occur. */
static size_t int_churn_window_bytes(const struct run *run)
{
    uint64_t passes = run_count(run, INT_CHURN_ORDER) == INT_CHURN_IN_ORDER ? 2 : 40;
    return (size_t)(passes * 2 * (run_count(run, INT_CHURN_LIVE) + 64) * MODEL_INT_BYTES);
}

static const char *const int_churn_orders[] = {"random", "in_order", NULL};

const struct workload workload_int_churn = {
    .name = "int_churn",
    .kind = "objects",
    .family = "numbers",
    .summary = "arithmetic on a live window of boxed ints",
    .parameters =
        {
            {"live", "objects", "ints in the window", NULL, 1e4, 1, 1e8},
            {"order", "", "which int is replaced next", int_churn_orders, INT_CHURN_RANDOM, 0, 1},
            {"small", "percent", "results that are shared small ints", NULL, 25, 0, 100},
        },
    .operations = int_churn_operations,
    .expected_allocations = int_churn_expected_allocations,
    .window_bytes = int_churn_window_bytes,
    .setup = int_churn_setup,
    .run = int_churn_run,
    .teardown = int_churn_teardown,
};
