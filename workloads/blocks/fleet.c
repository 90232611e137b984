/* fleet: the steady state of a service of a large fleet.
 *
 * Imitates one of ten services that Google sampled in its own fleet (fleet_profiles.h says where
 * they are from): how often each size is allocated and how many blocks of it are alive. At each
 * step a size is drawn by its rate, one of its live blocks, drawn at random, dies, and another of
 * that size is born. So the number alive of each size stays what it is, and a size's lifetimes are
 * exponential with the mean that its number alive and its rate give (number / rate, in steps). The
 * numbers alive are scaled down so that `scale` MiB are alive in all. Leaves out phases,
 * correlations, and what crosses from one thread to another: each thread has a share of its own.
 * Stresses throughput with real mixes of sizes, and the memory that such mixes cost.
 *
 * A size of which less than half a block would be alive has one, if that is no more than a
 * hundredth of a thread's share; else it is left out, as is one
 * of 4 GiB and more: the figures fleet_left_out_rate and _bytes
 * are the parts (0 to 1) of the profile's rate and bytes live that are lost so. What is drawn is
 * drawn in set-up, a tape of steps that the run plays over and over, as in churn. */
#include "workloads/workload.h"

enum { FLEET_PROFILE, FLEET_SCALE };

enum {
    FLEET_PROFILES = 10,
    FLEET_SIZES_MAX = 64,
    FLEET_TAPE_FACTOR = 4, /* steps on the tape, as a multiple of the live blocks */
    FLEET_TAPE_STEPS_MIN = 1 << 16,
    FLEET_LINE_BYTES = 64,
    FLEET_LEAST_PART = 100,
};

/* If there are fewer than FLEET_SIZES_MAX, the last one has a size of 0. */
struct fleet_size {
    uint64_t size; /* bytes */
    double rate;
    double live;
};

#include "workloads/blocks/fleet_profiles.h"

struct fleet_block {
    unsigned char *block;
    uint32_t size;
    uint32_t stamp; /* its low byte is written to both ends */
};

/* A thread's share, on its own cache lines. */
struct fleet_share {
    _Alignas(FLEET_LINE_BYTES) struct fleet_block *blocks;
    uint32_t *tape; /* sizes whose blocks are replaced */
    uint64_t position;
    uint64_t checksum;
};

struct fleet_state {
    const struct fleet_size *sizes;
    size_t size_count;
    uint64_t first[FLEET_SIZES_MAX + 1]; /* by size: the index of a share's first block; the last
                                            entry is their number */
    double until[FLEET_SIZES_MAX];       /* cumulative rates */
    uint64_t tape_steps;
    struct fleet_share *shares;
};

static uint64_t fleet_operations(const struct run *run)
{
    return 2 * (uint64_t)run->threads;
}

static uint64_t fleet_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * run->threads;
}

static size_t fleet_window_bytes(const struct run *run)
{
    return (size_t)(run->values[FLEET_SCALE] * 1.25 * (1 << 20));
}

/* Computes how many blocks of each size a share has. */
static void fleet_divide(struct run *run, struct fleet_state *state)
{
    double share_bytes = run->values[FLEET_SCALE] * (1 << 20) / run->threads;
    double bytes = 0, rate = 0, lost_bytes = 0, lost_rate = 0;
    size_t count = 0;
    while (count < FLEET_SIZES_MAX && state->sizes[count].size != 0) {
        bytes += (double)state->sizes[count].size * state->sizes[count].live;
        rate += state->sizes[count].rate;
        count++;
    }
    double kept_rate = 0;
    for (size_t i = 0; i < count; i++) {
        const struct fleet_size *size = &state->sizes[i];
        uint64_t blocks = (uint64_t)(size->live * share_bytes / bytes + 0.5);
        if (blocks == 0 && (double)size->size <= share_bytes / FLEET_LEAST_PART) {
            blocks = 1;
        }
        blocks = size->size > UINT32_MAX ? 0 : blocks;
        if (blocks == 0) {
            lost_bytes += (double)size->size * size->live;
            lost_rate += size->rate;
        } else {
            kept_rate += size->rate;
        }
        state->first[i + 1] = state->first[i] + blocks;
        state->until[i] = kept_rate;
    }
    state->size_count = count;
    run_add_figure(run, "fleet_left_out_rate", lost_rate / rate);
    run_add_figure(run, "fleet_left_out_bytes", lost_bytes / bytes);
}

static size_t fleet_draw_size(const struct fleet_state *state, struct rng *rng)
{
    double drawn = rng_uniform(rng) * state->until[state->size_count - 1];
    size_t size = 0;
    while (state->until[size] <= drawn) {
        size++;
    }
    return size;
}

static inline bool fleet_take(struct run *run, struct fleet_block *slot, uint32_t stamp,
                              uint64_t *tally)
{
    slot->block = heap_alloc_tallied(run->heap, slot->size, HEAP_RAW, tally);
    if (__builtin_expect(slot->block == NULL, false)) {
        run_fail(run, "heap exhausted");
        return false;
    }
    slot->stamp = stamp;
    run_touch(slot->block, slot->size, stamp);
    return true;
}

/* Each thread draws its own tape and allocates its own blocks, with the sizes in random order,
 * because no program allocates all blocks of one size first. */
static void fleet_fill(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    const struct fleet_state *state = run->state;
    struct fleet_share *share = &state->shares[thread->index];
    const uint64_t count = state->first[state->size_count];
    uint64_t tally = 0;
    (void)iterations;
    for (uint64_t i = 0; i < state->tape_steps; i++) {
        size_t size = fleet_draw_size(state, &thread->rng);
        uint64_t alive = state->first[size + 1] - state->first[size];
        share->tape[i] = (uint32_t)(state->first[size] + rng_below(&thread->rng, alive));
    }
    for (size_t size = 0; size < state->size_count; size++) {
        for (uint64_t i = state->first[size]; i < state->first[size + 1]; i++) {
            share->blocks[i].size = (uint32_t)state->sizes[size].size;
        }
    }
    for (uint64_t i = 0; i < state->tape_steps; i++) {
        struct fleet_block *slot = &share->blocks[share->tape[i]];
        if (slot->block == NULL && !fleet_take(run, slot, (uint32_t)i, &tally)) {
            return;
        }
    }
    for (uint64_t i = 0; i < count; i++) { /* sizes that are not on the tape */
        struct fleet_block *slot = &share->blocks[i];
        if (slot->block == NULL && !fleet_take(run, slot, (uint32_t)i, &tally)) {
            return;
        }
    }
}

static enum status fleet_setup(struct run *run, struct error *error)
{
    struct fleet_state *state = run_scratch(run, sizeof(*state));
    run->state = state;
    state->sizes = fleet_profiles[run_count(run, FLEET_PROFILE)];
    fleet_divide(run, state);
    uint64_t count = state->first[state->size_count];
    state->tape_steps = FLEET_TAPE_FACTOR * count;
    if (state->tape_steps < FLEET_TAPE_STEPS_MIN) {
        state->tape_steps = FLEET_TAPE_STEPS_MIN;
    }
    if (count == 0) {
        return error_set(error, STATUS_INVALID, "no block of the profile fits: raise -p scale");
    }
    state->shares = run_scratch(run, run->threads * sizeof(*state->shares));
    for (unsigned i = 0; i < run->threads; i++) {
        state->shares[i].blocks = run_scratch(run, count * sizeof(struct fleet_block));
        state->shares[i].tape = run_scratch(run, state->tape_steps * sizeof(uint32_t));
    }
    run_on_threads(run, fleet_fill, 1);
    if (run->failed == NULL) {
        run->workload->run(run, state->tape_steps);
    }
    return run->failed == NULL ? STATUS_OK
                               : error_set(error, STATUS_NO_MEMORY, "heap exhausted in set-up");
}

static void fleet_work(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    const struct fleet_state *state = run->state;
    struct fleet_share *share = &state->shares[thread->index];
    const uint64_t steps = state->tape_steps;
    const uint32_t *tape = share->tape;
    uint64_t position = share->position;
    uint64_t checksum = share->checksum;
    uint64_t tally = 0;
    uint32_t difference = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        struct fleet_block *slot = &share->blocks[tape[position]];
        position = position + 1 == steps ? 0 : position + 1;
        difference |= (slot->block[0] ^ slot->stamp) | (slot->block[slot->size - 1] ^ slot->stamp);
        checksum = (checksum ^ slot->size ^ slot->stamp) * UINT64_C(0x100000001b3);
        heap_free(run->heap, slot->block, slot->size, HEAP_RAW);
        if (!fleet_take(run, slot, (uint32_t)i, &tally)) {
            return;
        }
        if (thread->index == 0) {
            run_mark(run, NULL);
        }
    }
    share->position = position;
    share->checksum = checksum;
    heap_add_tally(tally);
    run_verify(run, (difference & 0xff) == 0);
}

static void fleet_run(struct run *run, uint64_t iterations)
{
    const struct fleet_state *state = run->state;
    run_on_threads(run, fleet_work, iterations);
    for (unsigned i = 0; i < run->threads; i++) {
        run->checksum = (run->checksum ^ state->shares[i].checksum) * UINT64_C(0x100000001b3);
    }
}

static void fleet_empty(struct run_thread *thread, uint64_t iterations)
{
    const struct fleet_state *state = thread->run->state;
    struct fleet_share *share = &state->shares[thread->index];
    (void)iterations;
    for (uint64_t i = 0; i < state->first[state->size_count]; i++) {
        heap_free(thread->run->heap, share->blocks[i].block, share->blocks[i].size, HEAP_RAW);
    }
}

static void fleet_teardown(struct run *run)
{
    run_on_threads(run, fleet_empty, 1);
}

const struct workload workload_fleet = {
    .name = "fleet",
    .kind = "blocks",
    .family = "real",
    .summary = "a service of Google's fleet: its sizes, rates and lifetimes, as a steady state",
    .parameters =
        {
            {.name = "profile",
             .unit = "",
             .summary = "which of the ten services",
             .choices =
                 (const char *const[]){"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL}},
            {.name = "scale",
             .unit = "MiB",
             .summary = "alive in all threads together",
             .value = 8,
             .minimum = 1,
             .maximum = 65536},
        },
    .operations = fleet_operations,
    .expected_allocations = fleet_expected_allocations,
    .window_bytes = fleet_window_bytes,
    .setup = fleet_setup,
    .run = fleet_run,
    .teardown = fleet_teardown,
    .threaded = true,
};
