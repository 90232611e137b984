/* batch: n blocks of one size are taken, then given back in an order, again and again.
 *
 * Imitates a request or a compiler pass that builds up its data and drops it: in the order of
 * allocation (fifo), backwards (lifo: a stack of scopes), or in no order (random: a hash table's).
 * With heap=trim nothing else is live, so that each batch ends in an empty heap, and a back end
 * that then gives memory to the OS pays for it in every iteration. With heap=aged a much larger
 * population was there before, of which one block in eight, scattered, stays live through the run:
 * the heap's holes are filled and emptied, and its free lists are in no order. Leaves out mixtures
 * of sizes and of lifetimes (see churn). Stresses throughput of filling and emptying, and how held
 * memory follows live memory. */
#include "workloads/workload.h"

enum { BATCH_ORDER, BATCH_HEAP, BATCH_SIZE, BATCH_LIVE };
enum { BATCH_FIFO, BATCH_LIFO, BATCH_RANDOM };
enum { BATCH_TRIM, BATCH_AGED };

static const char *const batch_orders[] = {"fifo", "lifo", "random", NULL};
static const char *const batch_heaps[] = {"trim", "aged", NULL};

enum {
    /* Orders in turn, so that no back end's free list adapts to the order of the requests. */
    BATCH_ORDERS = 4,
    BATCH_KEPT_OF = 8, /* one block in this many is kept */
    /* The population before the run is this many times live, so that its holes have room for more
     * than a batch. */
    BATCH_POPULATION_FACTOR = 4,
    /* Samples per iteration, and the fewest blocks between two samples. */
    BATCH_PARTS = 100,
    BATCH_PART_BLOCKS_MIN = 16,
};

struct batch_state {
    uint64_t live;
    size_t size;
    uint64_t part;                  /* blocks between two marks */
    uint32_t *orders[BATCH_ORDERS]; /* orders of freeing; if the order is fixed, one is used */
    uint64_t order_count;
    uint64_t iteration; /* since setup */
    void **blocks;
    void **kept; /* of the population; NULL if there is none */
    uint64_t kept_count;
};

static uint64_t batch_operations(const struct run *run)
{
    return 2 * run_count(run, BATCH_LIVE);
}

static uint64_t batch_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * run_count(run, BATCH_LIVE);
}

static size_t batch_window_bytes(const struct run *run)
{
    return (size_t)run_count(run, BATCH_LIVE) *
           heap_round_up((size_t)run_count(run, BATCH_SIZE), 16);
}

static void batch_make_orders(struct run *run, struct batch_state *state)
{
    uint64_t order = run_count(run, BATCH_ORDER);
    state->order_count = order == BATCH_RANDOM ? BATCH_ORDERS : 1;
    for (uint64_t i = 0; i < state->order_count; i++) {
        state->orders[i] = run_scratch(run, state->live * sizeof(uint32_t));
        for (uint64_t k = 0; k < state->live; k++) {
            state->orders[i][k] = (uint32_t)(order == BATCH_LIFO ? state->live - 1 - k : k);
        }
        if (order == BATCH_RANDOM) {
            rng_shuffle_u32(&run->rng, state->orders[i], state->live);
        }
    }
}

/* Frees seven of each eight blocks in random order, and keeps one at a random place of the
 * eight. */
static void batch_thin_population(struct run *run, struct batch_state *state, void **population)
{
    uint64_t count = state->kept_count * BATCH_KEPT_OF;
    uint32_t *order = run_scratch(run, count * sizeof(uint32_t));
    for (uint64_t group = 0; group < state->kept_count; group++) {
        void **kept = &population[group * BATCH_KEPT_OF + rng_below(&run->rng, BATCH_KEPT_OF)];
        state->kept[group] = *kept;
        *kept = NULL;
    }
    for (uint64_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    rng_shuffle_u32(&run->rng, order, count);
    for (uint64_t i = 0; i < count; i++) {
        if (population[order[i]] != NULL) {
            heap_free(run->heap, population[order[i]], state->size, HEAP_RAW);
        }
    }
}

static enum status batch_age(struct run *run, struct batch_state *state, struct error *error)
{
    state->kept_count = (state->live * BATCH_POPULATION_FACTOR - 1) / BATCH_KEPT_OF + 1;
    uint64_t count = state->kept_count * BATCH_KEPT_OF;
    void **population = run_scratch(run, count * sizeof(void *));
    state->kept = run_scratch(run, state->kept_count * sizeof(void *));
    for (uint64_t i = 0; i < count; i++) {
        population[i] = heap_alloc(run->heap, state->size, HEAP_RAW);
        if (population[i] == NULL) {
            return error_set(error, STATUS_NO_MEMORY, "heap exhausted after %llu blocks of set-up",
                             (unsigned long long)i);
        }
        run_touch(population[i], state->size, i);
    }
    batch_thin_population(run, state, population);
    return STATUS_OK;
}

static enum status batch_setup(struct run *run, struct error *error)
{
    struct batch_state *state = run_scratch(run, sizeof(*state));
    run->state = state;
    state->live = run_count(run, BATCH_LIVE);
    state->size = (size_t)run_count(run, BATCH_SIZE);
    state->part = state->live / (BATCH_PARTS / 2) + 1;
    if (state->part < BATCH_PART_BLOCKS_MIN) {
        state->part = BATCH_PART_BLOCKS_MIN;
    }
    state->blocks = run_scratch(run, state->live * sizeof(void *));
    batch_make_orders(run, state);
    return run_count(run, BATCH_HEAP) == BATCH_AGED ? batch_age(run, state, error) : STATUS_OK;
}

static bool batch_fill(struct run *run, struct batch_state *state)
{
    const struct batch_state batch = *state; /* nobody has its address, so it stays in registers */
    uint64_t allocations = 0;
    for (uint64_t first = 0; first < batch.live; first += batch.part) {
        uint64_t end = first + batch.part < batch.live ? first + batch.part : batch.live;
        for (uint64_t i = first; i < end; i++) {
            void *block = heap_alloc_tallied(run->heap, batch.size, HEAP_RAW, &allocations);
            if (__builtin_expect(block == NULL, false)) {
                run_fail(run, "heap exhausted");
                return false;
            }
            run_touch(block, batch.size, i);
            batch.blocks[i] = block;
        }
        run_mark(run, NULL);
    }
    heap_add_tally(allocations);
    return true;
}

/* Reads both ends of each block before it frees the block, as a program would. Returns the bits in
 * which any of them differs from what was written. */
static unsigned batch_drain(struct run *run, struct batch_state *state, const uint32_t *order)
{
    const struct batch_state batch = *state;
    unsigned difference = 0;
    for (uint64_t first = 0; first < batch.live; first += batch.part) {
        uint64_t end = first + batch.part < batch.live ? first + batch.part : batch.live;
        for (uint64_t k = first; k < end; k++) {
            uint32_t i = order[k];
            unsigned char *block = batch.blocks[i];
            difference |= (block[0] ^ i) | (block[batch.size - 1] ^ i);
            heap_free(run->heap, block, batch.size, HEAP_RAW);
        }
        run_mark(run, NULL);
    }
    return difference & 0xff;
}

static void batch_run(struct run *run, uint64_t iterations)
{
    struct batch_state *state = run->state;
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        const uint32_t *order = state->orders[state->iteration++ % state->order_count];
        run_mark(run, "take");
        if (!batch_fill(run, state)) {
            return;
        }
        run_mark(run, "give back");
        run_verify(run, batch_drain(run, state, order) == 0);
        run->checksum = (run->checksum ^ (order[0] + 1)) * UINT64_C(0x100000001b3);
    }
}

static void batch_teardown(struct run *run)
{
    struct batch_state *state = run->state;
    for (uint64_t i = 0; i < state->kept_count; i++) {
        heap_free(run->heap, state->kept[i], state->size, HEAP_RAW);
    }
}

const struct workload workload_batch = {
    .name = "batch",
    .kind = "blocks",
    .family = "batch",
    .summary = "n blocks taken, then given back in an order, in a fresh or an aged heap",
    .parameters =
        {
            {.name = "order",
             .unit = "",
             .summary = "in which blocks are given back",
             .choices = batch_orders,
             .value = BATCH_FIFO,
             .minimum = BATCH_FIFO,
             .maximum = BATCH_RANDOM},
            {.name = "heap",
             .unit = "",
             .summary =
                 "trim: nothing else is live; aged: one in eight of an earlier population is",
             .choices = batch_heaps,
             .value = BATCH_TRIM,
             .minimum = BATCH_TRIM,
             .maximum = BATCH_AGED},
            {.name = "size",
             .unit = "bytes",
             .summary = "of each block",
             .value = 48,
             .minimum = 1,
             .maximum = 1 << 30},
            {.name = "live",
             .unit = "blocks",
             .summary = "in a batch",
             .value = 10000,
             .minimum = 1,
             .maximum = 1e8},
        },
    .operations = batch_operations,
    .expected_allocations = batch_expected_allocations,
    .window_bytes = batch_window_bytes,
    .setup = batch_setup,
    .run = batch_run,
    .teardown = batch_teardown,
};
