/* resize: vectors that grow and shrink by realloc, many of them by turns.
 *
 * Imitates the vectors of a program in growth: buffers, lists, tables. A vector begins with
 * `smallest` bytes, grows by the factor `growth` until it has its own length, which is drawn so
 * that each power of two is as likely as another, then shrinks by halves back to where it began,
 * and is freed. In one iteration all `vectors` of them live once, their steps in a random order, so
 * that between two steps of one its neighbours have moved: growing in place is the exception.
 * Leaves out what the vectors are used for between two steps: only their ends are written to and
 * read back. Stresses resize: whether a block is copied, how often a size class is left, whether
 * large ones are moved by the page table (mremap), and what a shrinking block gives back.
 * list_growth does it with lists of objects.
 *
 * The lengths and the order are drawn in set-up, and are the same in each iteration. */
#include "workloads/workload.h"

#include <math.h>

enum { RESIZE_VECTORS, RESIZE_SMALLEST, RESIZE_LARGEST, RESIZE_GROWTH };

struct resize_vector {
    unsigned char *block; /* NULL: it does not live */
    uint64_t size;
    uint64_t length; /* the length up to which it grows */
    bool shrinks;
    unsigned char stamp; /* written to both ends */
};

struct resize_state {
    struct resize_vector *vectors;
    uint32_t *order; /* the vector of each step */
    uint64_t steps;
};

static uint64_t resize_grown(const struct run *run, const struct resize_vector *vector)
{
    uint64_t size = (uint64_t)((double)vector->size * run->values[RESIZE_GROWTH]) + 1;
    return size < vector->length ? size : vector->length;
}

static uint64_t resize_shrunk(const struct run *run, const struct resize_vector *vector)
{
    uint64_t size = vector->size / 2;
    return size > run_count(run, RESIZE_SMALLEST) ? size : run_count(run, RESIZE_SMALLEST);
}

/* The steps of a life: birth, death, and the resizes between them. */
static uint64_t resize_count_steps(const struct run *run, uint64_t length)
{
    struct resize_vector vector = {.size = run_count(run, RESIZE_SMALLEST), .length = length};
    uint64_t steps = 2;
    for (; vector.size < length; steps++) {
        vector.size = resize_grown(run, &vector);
    }
    for (; vector.size > run_count(run, RESIZE_SMALLEST); steps++) {
        vector.size = resize_shrunk(run, &vector);
    }
    return steps;
}

static uint64_t resize_operations(const struct run *run)
{
    const struct resize_state *state = run->state;
    return state->steps;
}

/* Only a vector's birth is an allocation for the contract; a resize is not. */
static uint64_t resize_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * run_count(run, RESIZE_VECTORS);
}

/* With the window a resize always takes new memory. Growing and shrinking takes at most 4 lengths
 * with a growth of 2. */
static size_t resize_window_bytes(const struct run *run)
{
    double growth = run->values[RESIZE_GROWTH];
    double taken = run->values[RESIZE_LARGEST] * (growth / (growth - 1) + 2);
    return (size_t)(run->values[RESIZE_VECTORS] * taken);
}

static enum status resize_setup(struct run *run, struct error *error)
{
    struct resize_state *state = run_scratch(run, sizeof(*state));
    uint64_t count = run_count(run, RESIZE_VECTORS);
    double smallest = run->values[RESIZE_SMALLEST];
    double largest = run->values[RESIZE_LARGEST];
    if (largest < smallest) {
        return error_set(error, STATUS_INVALID, "resize wants smallest <= largest");
    }
    run->state = state;
    state->vectors = run_scratch(run, count * sizeof(*state->vectors));
    for (uint64_t i = 0; i < count; i++) {
        double length = smallest * pow(largest / smallest, rng_uniform(&run->rng));
        state->vectors[i].length = (uint64_t)length;
        state->vectors[i].stamp = (unsigned char)i;
        state->steps += resize_count_steps(run, state->vectors[i].length);
    }
    state->order = run_scratch(run, state->steps * sizeof(*state->order));
    uint64_t filled = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t steps = resize_count_steps(run, state->vectors[i].length);
        for (uint64_t step = 0; step < steps; step++) {
            state->order[filled++] = (uint32_t)i;
        }
    }
    rng_shuffle_u32(&run->rng, state->order, state->steps);
    return STATUS_OK;
}

static bool resize_be_born(struct run *run, struct resize_vector *vector)
{
    vector->size = run_count(run, RESIZE_SMALLEST);
    vector->block = heap_alloc(run->heap, vector->size, HEAP_RAW);
    vector->shrinks = false;
    return vector->block != NULL;
}

/* Resizes. The first byte must be preserved; the last one of the larger size no longer matters. */
static bool resize_to(struct run *run, struct resize_vector *vector, uint64_t size)
{
    unsigned char *block = heap_resize(run->heap, vector->block, vector->size, size, HEAP_RAW);
    if (block == NULL) {
        return false;
    }
    run_verify(run, block[0] == vector->stamp &&
                        (size < vector->size || block[vector->size - 1] == vector->stamp));
    vector->block = block;
    vector->size = size;
    return true;
}

/* Makes one step of a vector's life. false: the heap is exhausted. */
static bool resize_step(struct run *run, struct resize_vector *vector)
{
    bool done = true;
    if (vector->block == NULL) {
        done = resize_be_born(run, vector);
    } else if (!vector->shrinks && vector->size < vector->length) {
        done = resize_to(run, vector, resize_grown(run, vector));
    } else if (vector->size > run_count(run, RESIZE_SMALLEST)) {
        vector->shrinks = true;
        done = resize_to(run, vector, resize_shrunk(run, vector));
    } else {
        heap_free(run->heap, vector->block, vector->size, HEAP_RAW);
        vector->block = NULL;
        return true;
    }
    if (done) {
        run_touch(vector->block, vector->size, vector->stamp);
    }
    return done;
}

static void resize_run(struct run *run, uint64_t iterations)
{
    const struct resize_state *state = run->state;
    const uint64_t stretch = state->steps / 64 + 1;
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        uint64_t sizes = 0;
        for (uint64_t i = 0; i < state->steps; i++) {
            struct resize_vector *vector = &state->vectors[state->order[i]];
            if (__builtin_expect(!resize_step(run, vector), false)) {
                run_fail(run, "heap exhausted");
                return;
            }
            sizes += vector->size;
            if (i % stretch == 0) {
                run_mark(run, NULL);
            }
        }
        run->checksum = (run->checksum ^ sizes) * UINT64_C(0x100000001b3);
    }
}

/* Every vector's life has ended with its iteration. */
static void resize_teardown(struct run *run)
{
    (void)run;
}

const struct workload workload_resize = {
    .name = "resize",
    .kind = "blocks",
    .family = "growth",
    .summary = "vectors that grow and shrink by realloc, by turns",
    .parameters =
        {
            {.name = "vectors",
             .unit = "blocks",
             .summary = "each lives once in an iteration",
             .value = 1000,
             .minimum = 1,
             .maximum = 1e7},
            {.name = "smallest",
             .unit = "bytes",
             .summary = "of a vector at its birth",
             .value = 32,
             .minimum = 1,
             .maximum = 1 << 20},
            {.name = "largest",
             .unit = "bytes",
             .summary = "lengths are log-uniform from smallest to here",
             .value = 1 << 16,
             .minimum = 1,
             .maximum = 1 << 30},
            {.name = "growth",
             .unit = "",
             .summary = "factor of one growth; CPython's lists have 1.125",
             .value = 2,
             .minimum = 1.05,
             .maximum = 16},
        },
    .operations = resize_operations,
    .expected_allocations = resize_expected_allocations,
    .window_bytes = resize_window_bytes,
    .setup = resize_setup,
    .run = resize_run,
    .teardown = resize_teardown,
};
