/* type_shift: floats need memory of the same block size that was used by ints.
 *
 * Imitates the textbook experiment `x = list(range(n)); del x; y = [float(i) for i in range(n)]`:
 * with private free lists the dead ints' memory cannot serve the floats, and held memory doubles;
 * with pools shared by size it is reused.
 *
 * Leaves out the list: the references are in scratch memory, so that held memory grows only by the
 * ints in the phase `ints`, and only by the floats in the phase `floats`.
 *
 * Stresses held memory over phases: `ints` (n are made), `dropped` (they are dropped, in the order
 * in which they were made), `floats` (n are made; they live until teardown). A phase's growth is
 * the largest held memory in it, minus the largest before it. CPython 2.7 keeps the dead ints'
 * memory, so the floats' growth equals that of the ints; 3.x reuses it or gives it back first, so
 * the floats' growth is about zero. */
#include "workloads/objects/model.h"

enum { TYPE_SHIFT_LIVE };

struct type_shift_state {
    struct object **objects; /* [live]; NULL: no object */
};

static enum status type_shift_setup(struct run *run, struct error *error)
{
    (void)error;
    struct type_shift_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->objects = run_scratch(run, run_count(run, TYPE_SHIFT_LIVE) * sizeof(struct object *));
    return STATUS_OK;
}

static struct object *type_shift_make_int(struct runtime *runtime, uint64_t i)
{
    return int_new(runtime, (int64_t)i + 257);
}

static struct object *type_shift_make_float(struct runtime *runtime, uint64_t i)
{
    return float_new(runtime, (double)i + 0.5);
}

/* Makes objects [first, end). false: the heap is exhausted. */
static bool type_shift_fill_part(struct run *run, uint64_t first, uint64_t end,
                                 struct object *(*make)(struct runtime *, uint64_t))
{
    struct type_shift_state *state = run->state;
    for (uint64_t i = first; i < end; i++) {
        state->objects[i] = make(run->runtime, i);
        if (state->objects[i] == NULL) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return false;
        }
    }
    return true;
}

static void type_shift_drop_part(struct run *run, uint64_t first, uint64_t end)
{
    struct type_shift_state *state = run->state;
    for (uint64_t i = first; i < end; i++) {
        object_xdecref(run->runtime, state->objects[i]);
        state->objects[i] = NULL;
    }
}

/* Makes all objects, or drops them all (make is NULL), with a sample every 1/50. */
static inline bool type_shift_all(struct run *run,
                                  struct object *(*make)(struct runtime *, uint64_t))
{
    const uint64_t live = run_count(run, TYPE_SHIFT_LIVE);
    const uint64_t part = live / 50 + 1;
    for (uint64_t first = 0; first < live; first += part) {
        uint64_t end = first + part < live ? first + part : live;
        if (make == NULL) {
            type_shift_drop_part(run, first, end);
        } else if (!type_shift_fill_part(run, first, end, make)) {
            return false;
        }
        run_mark(run, NULL);
    }
    return true;
}

static void type_shift_drop(struct run *run)
{
    type_shift_all(run, NULL);
}

static void type_shift_check(struct run *run, bool floats)
{
    struct type_shift_state *state = run->state;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < run_count(run, TYPE_SHIFT_LIVE); i++) {
        sum += floats ? (uint64_t)(2 * float_value(state->objects[i]))
                      : (uint64_t)int_value(state->objects[i]);
    }
    model_check(run, sum);
}

static void type_shift_run(struct run *run, uint64_t iterations)
{
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        type_shift_drop(run); /* the floats of the iteration before */
        run_mark(run, "ints");
        if (!type_shift_all(run, type_shift_make_int)) {
            return;
        }
        type_shift_check(run, false);
        run_mark(run, "dropped");
        type_shift_drop(run);
        run_mark(run, "floats");
        if (!type_shift_all(run, type_shift_make_float)) {
            return;
        }
        type_shift_check(run, true);
    }
}

/* An operation is an object that is made. */
static uint64_t type_shift_operations(const struct run *run)
{
    return 2 * run_count(run, TYPE_SHIFT_LIVE);
}

/* No int is small, so each object is a block. */
static uint64_t type_shift_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * 2 * run_count(run, TYPE_SHIFT_LIVE);
}

static size_t type_shift_window_bytes(const struct run *run)
{
    return (size_t)(2 * (run_count(run, TYPE_SHIFT_LIVE) + 64) * MODEL_INT_BYTES);
}

const struct workload workload_type_shift = {
    .name = "type_shift",
    .kind = "objects",
    .family = "phases",
    .summary = "n ints live, dropped, then n floats of the same block size",
    .parameters =
        {
            {"live", "objects", "ints, then floats, that are alive at once", NULL, 1e6, 1, 1e8},
        },
    .operations = type_shift_operations,
    .expected_allocations = type_shift_expected_allocations,
    .window_bytes = type_shift_window_bytes,
    .setup = type_shift_setup,
    .run = type_shift_run,
    .teardown = type_shift_drop,
    .single_shot = true,
};
