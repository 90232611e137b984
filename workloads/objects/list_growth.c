/* list_growth: lists that grow by append, side by side.
 *
 * Imitates programs that collect results: many lists grow at once, an item at a time, most of
 * them to a few items and some to many, and each is dropped when it is complete. Items are shared
 * small ints, so that the item vectors' growth (by an eighth, as CPython's list_resize) is all
 * that happens. With `live` 1 a vector can often grow in place; side by side they are in each
 * other's way.
 *
 * Leaves out growth by extend, removal from the middle, and items of their own.
 *
 * Stresses resize: copying or growing in place across all size classes and beyond them. */
#include "workloads/objects/model.h"

enum { LIST_GROWTH_LIVE, LIST_GROWTH_LENGTH };
enum { LIST_GROWTH_ITEMS = 8 /* different ones */ };

struct list_growth_state {
    struct object *items[LIST_GROWTH_ITEMS];
    struct object **lists; /* [live]; NULL: complete and dropped */
    uint32_t *lengths;     /* [live]: the final length of each list, in the order of the pass */
    uint32_t *growing;     /* indices of the lists that are not complete */
};

static uint64_t list_growth_target(const struct run *run, uint64_t index)
{
    return model_spread_size(index, run_count(run, LIST_GROWTH_LIVE), 1,
                             run->values[LIST_GROWTH_LENGTH]);
}

static void list_growth_drop_all(struct run *run)
{
    struct list_growth_state *state = run->state;
    for (uint64_t i = 0; i < run_count(run, LIST_GROWTH_LIVE); i++) {
        object_xdecref(run->runtime, state->lists[i]);
        state->lists[i] = NULL;
    }
}

static void list_growth_teardown(struct run *run)
{
    struct list_growth_state *state = run->state;
    list_growth_drop_all(run);
    for (int i = 0; i < LIST_GROWTH_ITEMS; i++) {
        object_xdecref(run->runtime, state->items[i]);
        state->items[i] = NULL;
    }
}

static enum status list_growth_setup(struct run *run, struct error *error)
{
    const uint64_t live = run_count(run, LIST_GROWTH_LIVE);
    struct list_growth_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->lists = run_scratch(run, live * sizeof *state->lists);
    state->lengths = run_scratch(run, live * sizeof *state->lengths);
    state->growing = run_scratch(run, live * sizeof *state->growing);
    for (uint64_t i = 0; i < live; i++) {
        state->lengths[i] = (uint32_t)list_growth_target(run, i);
    }
    for (int i = 0; i < LIST_GROWTH_ITEMS; i++) {
        state->items[i] = int_new(run->runtime, i);
        if (state->items[i] == NULL) {
            list_growth_teardown(run);
            return model_exhausted(error);
        }
    }
    return STATUS_OK;
}

/* Begins every list anew, in another order of lengths. false: the heap is exhausted. */
static bool list_growth_begin(struct run *run)
{
    struct list_growth_state *state = run->state;
    const uint64_t live = run_count(run, LIST_GROWTH_LIVE);
    rng_shuffle_u32(&run->rng, state->lengths, live);
    for (uint64_t i = 0; i < live; i++) {
        state->growing[i] = (uint32_t)i;
        state->lists[i] = list_new(run->runtime);
        if (state->lists[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* Drops the list after reading the sum of its items. */
static void list_growth_complete(struct run *run, struct object *list)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < list_length(list); i++) {
        sum += (uint64_t)int_value(list_item(list, i));
    }
    model_check(run, sum);
    object_decref(run->runtime, list);
}

/* Appends one item to each growing list, and drops those that are complete. Returns how many still
 * grow; 0 if run->failed is set. */
static uint64_t list_growth_append_round(struct run *run, uint64_t growing, uint64_t length)
{
    struct list_growth_state *state = run->state;
    struct object *item = state->items[length % LIST_GROWTH_ITEMS];
    uint64_t kept = 0;
    for (uint64_t i = 0; i < growing; i++) {
        uint32_t index = state->growing[i];
        if (!list_append(run->runtime, state->lists[index], item)) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return 0;
        }
        if (length + 1 == state->lengths[index]) {
            list_growth_complete(run, state->lists[index]);
            state->lists[index] = NULL;
        } else {
            state->growing[kept++] = index;
        }
    }
    return kept;
}

static void list_growth_run(struct run *run, uint64_t iterations)
{
    for (uint64_t iteration = 0; iteration < iterations && run->failed == NULL; iteration++) {
        if (!list_growth_begin(run)) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return;
        }
        uint64_t growing = run_count(run, LIST_GROWTH_LIVE);
        for (uint64_t length = 0; growing > 0; length++) {
            run_mark(run, NULL);
            growing = list_growth_append_round(run, growing, length);
        }
    }
}

/* An operation is an append. */
static uint64_t list_growth_operations(const struct run *run)
{
    uint64_t appends = 0;
    for (uint64_t i = 0; i < run_count(run, LIST_GROWTH_LIVE); i++) {
        appends += list_growth_target(run, i);
    }
    return appends;
}

/* A list and its first vector; later growth is resizing. */
static uint64_t list_growth_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * 2 * run_count(run, LIST_GROWTH_LIVE);
}

/* A vector lives at most for an iteration. A list's vectors, each larger by an eighth than the one
 * before, take about nine times the last one, which is up to an eighth too large: ten times. */
static size_t list_growth_window_bytes(const struct run *run)
{
    const uint64_t live = run_count(run, LIST_GROWTH_LIVE);
    uint64_t iteration_bytes =
        live * (MODEL_LIST_BYTES + 64) + list_growth_operations(run) * sizeof(void *) * 10;
    return (size_t)(2 * iteration_bytes + 65536);
}

const struct workload workload_list_growth = {
    .name = "list_growth",
    .kind = "objects",
    .family = "growth",
    .summary = "lists that grow side by side by append",
    .parameters =
        {
            {"live", "objects", "lists that grow side by side", NULL, 1e3, 1, 1e6},
            {"length", "items", "length of the longest; logarithms evenly spread", NULL, 1e3, 1,
             1e7},
        },
    .operations = list_growth_operations,
    .expected_allocations = list_growth_expected_allocations,
    .window_bytes = list_growth_window_bytes,
    .setup = list_growth_setup,
    .run = list_growth_run,
    .teardown = list_growth_teardown,
};
