/* churn: a steady state. At each step one block dies and another, of another size, is born.
 *
 * Imitates a server or a cache in the middle of its life: sizes are log-normal (many small, a long
 * tail), lifetimes are exponential. With `live` blocks, the one that dies is drawn uniformly: a
 * block then lives for a geometric number of steps with mean `live`, which is the exponential
 * distribution in whole steps. So live blocks stay at exactly `live`, and old age makes no block
 * likelier to die. Leaves out what real lifetimes have: correlation with size and with neighbours
 * in time (phases; see batch). Stresses throughput with mixed sizes and cache misses, and
 * fragmentation in the long run.
 *
 * What dies and what is born is drawn in set-up, a tape of steps that the run plays over and over:
 * drawing a log-normal number takes longer than most back ends take for a block. The tape is read
 * in order, 8 bytes a step. With each playing its slots are counted from another one, so that no
 * slot is left out for good and no two playings are alike. Set-up plays 4 × live steps, after which
 * all but e^-4 = 2% of the first blocks are gone: the run begins in the steady state. */
#include "workloads/workload.h"

#include <math.h>

enum { CHURN_LIVE, CHURN_MEDIAN, CHURN_SIGMA, CHURN_CAP };

enum {
    CHURN_SETTLING_FACTOR = 4,
    /* Steps on the tape, as a multiple of live; and the fewest, so that sizes do not repeat
     * soon. */
    CHURN_TAPE_FACTOR = 4,
    CHURN_TAPE_STEPS_MIN = 1 << 16,
};

struct churn_step {
    uint32_t slot; /* whose block is freed */
    uint32_t size; /* of the block that replaces it, in bytes */
};

struct churn_slot {
    unsigned char *block;
    uint32_t size;
    uint32_t stamp; /* its low byte is written to both ends */
};

struct churn_state {
    struct churn_slot *slots;
    uint64_t live;
    struct churn_step *tape;
    uint64_t tape_steps;
    uint64_t position; /* on the tape */
    uint64_t origin;   /* slots of this playing are counted from this one */
    uint64_t stride;   /* from the origin of one playing to that of the next */
};

static uint64_t churn_operations(const struct run *run)
{
    (void)run;
    return 2;
}

static uint64_t churn_expected_allocations(const struct run *run, uint64_t iterations)
{
    (void)run;
    return iterations;
}

/* The average live bytes, so that `null` walks over as much memory as the workload really uses. If
 * a block outlives that many further bytes, its contents are lost, but no run of this workload
 * depends on them. The mean of a log-normal distribution is median × exp(sigma² / 2); the cap only
 * lowers it. */
static size_t churn_window_bytes(const struct run *run)
{
    double sigma = run->values[CHURN_SIGMA];
    double mean = run->values[CHURN_MEDIAN] * exp(sigma * sigma / 2);
    mean = mean < run->values[CHURN_CAP] ? mean : run->values[CHURN_CAP];
    return (size_t)(run->values[CHURN_LIVE] * (mean + 16));
}

static uint32_t churn_draw_size(struct run *run)
{
    double size = run->values[CHURN_MEDIAN] * exp(run->values[CHURN_SIGMA] * rng_normal(&run->rng));
    double cap = run->values[CHURN_CAP];
    return size < 1 ? 1 : (uint32_t)(size < cap ? size : cap);
}

static void churn_record_tape(struct run *run, struct churn_state *state)
{
    state->tape_steps = CHURN_TAPE_FACTOR * state->live;
    if (state->tape_steps < CHURN_TAPE_STEPS_MIN) {
        state->tape_steps = CHURN_TAPE_STEPS_MIN;
    }
    state->tape = run_scratch(run, state->tape_steps * sizeof(struct churn_step));
    for (uint64_t i = 0; i < state->tape_steps; i++) {
        state->tape[i].slot = (uint32_t)rng_below(&run->rng, state->live);
        state->tape[i].size = churn_draw_size(run);
    }
}

/* Begins the tape again, from another slot. */
static void churn_rewind(struct churn_state *state)
{
    state->position = 0;
    state->origin = (state->origin + state->stride) % state->live;
}

static inline bool churn_fill_slot(struct run *run, struct churn_slot *slot, uint32_t size,
                                   uint32_t stamp, uint64_t *allocations)
{
    slot->block = heap_alloc_tallied(run->heap, size, HEAP_RAW, allocations);
    if (__builtin_expect(slot->block == NULL, false)) {
        run_fail(run, "heap exhausted");
        return false;
    }
    slot->size = size;
    slot->stamp = stamp;
    run_touch(slot->block, size, stamp);
    return true;
}

static enum status churn_setup(struct run *run, struct error *error)
{
    struct churn_state *state = run_scratch(run, sizeof(*state));
    run->state = state;
    state->live = run_count(run, CHURN_LIVE);
    /* The golden section of live spreads the origins as evenly as any stride. */
    state->stride = (uint64_t)((double)state->live * 0.6180339887498949) | 1;
    state->slots = run_scratch(run, state->live * sizeof(struct churn_slot));
    churn_record_tape(run, state);
    for (uint64_t i = 0; i < state->live && run->failed == NULL; i++) {
        (void)churn_fill_slot(run, &state->slots[i], churn_draw_size(run), (uint32_t)i,
                              &heap_allocations);
    }
    if (run->failed == NULL) {
        run->workload->run(run, CHURN_SETTLING_FACTOR * state->live);
    }
    return run->failed == NULL ? STATUS_OK
                               : error_set(error, STATUS_NO_MEMORY, "heap exhausted in set-up");
}

static void churn_run(struct run *run, uint64_t iterations)
{
    /* A copy whose address nobody has, so that the barriers around each block do not force it to
     * memory. */
    struct churn_state state = *(struct churn_state *)run->state;
    uint64_t checksum = run->checksum;
    uint64_t allocations = 0;
    uint32_t difference = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        if (__builtin_expect(state.position == state.tape_steps, false)) {
            churn_rewind(&state);
        }
        const struct churn_step step = state.tape[state.position++];
        uint64_t index = step.slot + state.origin;
        struct churn_slot *slot = &state.slots[index < state.live ? index : index - state.live];
        difference |= (slot->block[0] ^ slot->stamp) | (slot->block[slot->size - 1] ^ slot->stamp);
        checksum = (checksum ^ slot->size ^ slot->stamp) * UINT64_C(0x100000001b3);
        heap_free(run->heap, slot->block, slot->size, HEAP_RAW);
        if (!churn_fill_slot(run, slot, step.size, (uint32_t)index, &allocations)) {
            return;
        }
    }
    *(struct churn_state *)run->state = state;
    run->checksum = checksum;
    heap_add_tally(allocations);
    run_verify(run, (difference & 0xff) == 0);
}

static void churn_teardown(struct run *run)
{
    struct churn_state *state = run->state;
    for (uint64_t i = 0; i < state->live; i++) {
        heap_free(run->heap, state->slots[i].block, state->slots[i].size, HEAP_RAW);
    }
}

const struct workload workload_churn = {
    .name = "churn",
    .kind = "blocks",
    .family = "steady",
    .summary = "a steady state: log-normal sizes, exponential lifetimes",
    .parameters =
        {
            {.name = "live",
             .unit = "blocks",
             .summary = "alive at any time, and the mean lifetime in steps",
             .value = 20000,
             .minimum = 1,
             .maximum = 1e8},
            {.name = "median",
             .unit = "bytes",
             .summary = "of the sizes",
             .value = 64,
             .minimum = 1,
             .maximum = 1 << 20},
            {.name = "sigma",
             .unit = "",
             .summary = "standard deviation of the sizes' natural logarithm; 0: all are the median",
             .value = 1,
             .minimum = 0,
             .maximum = 4},
            {.name = "cap",
             .unit = "bytes",
             .summary = "no block is larger",
             .value = 16384,
             .minimum = 1,
             .maximum = 1 << 30},
        },
    .operations = churn_operations,
    .expected_allocations = churn_expected_allocations,
    .window_bytes = churn_window_bytes,
    .setup = churn_setup,
    .run = churn_run,
    .teardown = churn_teardown,
};
