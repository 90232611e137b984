/* robson: an adversary that fragments the heap as badly as a program can, sizes being powers of
 * two.
 *
 * After the program with which Robson bounds from below what any allocator that does not move
 * blocks needs ("An Estimate of the Store Size Necessary for Dynamic Storage Allocation", JACM
 * 18(3), 1971; "Bounds for Some Functions Concerning Dynamic Storage Allocation", JACM 21(3),
 * 1974): M bytes live at most, in blocks of 1 to n units, can force ½·log2(n)·M + M − n + 1. It
 * begins with M bytes of blocks of one unit. At step i it looks at the heap in chunks of 2^i units
 * that begin at offset f, where f is the last step's offset or that plus 2^(i−1), whichever the
 * more is obstructed by; keeps the blocks that cover unit f of a chunk, so that no free chunk of
 * 2^i units is left between two of them; frees all others; and fills up to M with blocks of 2^i
 * units, for which the allocator needs new memory. A best case for nobody: an allocator with size
 * classes pays in another way, with pages that one block each keeps.
 *
 * Robson's keeps every block that obstructs. Each block obstructs exactly one of the two offsets,
 * so half of them on average; here it is exactly half of each size, obstructing ones first, and so
 * the number of operations does not depend on where a back end puts its blocks. The unit is the
 * smallest block. Leaves out headers: a block that is a power of two takes more in most allocators,
 * which loosens the bound's hold on them a little. Stresses fragmentation (held_peak), not time.
 *
 * Figures: `half_log2_n`; `bound_bytes`, what Robson's theorem says for this M and n; `live_bytes`,
 * M; in the memory pass `held_bytes`, the most that was held at a step's end, and `blow_up`, that
 * over M, to be read beside half_log2_n. */
#include "workloads/workload.h"

enum { ROBSON_LIVE, ROBSON_SMALLEST, ROBSON_LARGEST };

enum { ROBSON_STEPS_MAX = 32 };

struct robson_block {
    unsigned char *block;
    uint64_t step; /* its size is smallest << step */
};

struct robson_state {
    struct robson_block *blocks; /* in the order of their steps */
    uint64_t count;
    uint64_t counts[ROBSON_STEPS_MAX]; /* live blocks of each step */
    uint64_t offset;                   /* f, in units */
    uint64_t held_bytes_peak;
};

static unsigned robson_steps(const struct run *run)
{
    unsigned steps = 0;
    while (run_count(run, ROBSON_SMALLEST) << (steps + 1) <= run_count(run, ROBSON_LARGEST)) {
        steps++;
    }
    return steps;
}

/* The number of blocks that fill a step up to M, given the live blocks of earlier steps. */
static uint64_t robson_step_blocks(const struct run *run, unsigned step, const uint64_t *counts)
{
    uint64_t units = run_count(run, ROBSON_LIVE) / run_count(run, ROBSON_SMALLEST);
    uint64_t live = 0;
    for (unsigned i = 0; i < step; i++) {
        live += counts[i] << i;
    }
    return (units - live) >> step;
}

static uint64_t robson_allocations(const struct run *run)
{
    uint64_t counts[ROBSON_STEPS_MAX] = {0};
    uint64_t sum = 0;
    for (unsigned step = 0; step <= robson_steps(run); step++) {
        for (unsigned i = 0; i < step; i++) {
            counts[i] -= counts[i] / 2;
        }
        counts[step] = robson_step_blocks(run, step, counts);
        sum += counts[step];
    }
    return sum;
}

static uint64_t robson_operations(const struct run *run)
{
    return 2 * robson_allocations(run);
}

static uint64_t robson_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * robson_allocations(run);
}

/* All bytes that are ever allocated, because a block of the first step can live to the end. */
static size_t robson_window_bytes(const struct run *run)
{
    return (size_t)(run_count(run, ROBSON_LIVE) * (robson_steps(run) + 2));
}

static enum status robson_setup(struct run *run, struct error *error)
{
    struct robson_state *state = run_scratch(run, sizeof(*state));
    uint64_t smallest = run_count(run, ROBSON_SMALLEST);
    double live = run->values[ROBSON_LIVE];
    double half_log2_n = robson_steps(run) / 2.0;
    if (run_count(run, ROBSON_LARGEST) < smallest ||
        (double)(smallest << robson_steps(run)) > live) {
        return error_set(error, STATUS_INVALID,
                         "robson wants smallest <= largest <= live; the sizes are smallest times a "
                         "power of two");
    }
    run->state = state;
    state->blocks = run_scratch(run, robson_allocations(run) * sizeof(struct robson_block));
    run_add_figure(run, "live_bytes", live);
    run_add_figure(run, "bound_bytes",
                   live * (half_log2_n + 1) - (double)((smallest << robson_steps(run)) - smallest));
    run_add_figure(run, "half_log2_n", half_log2_n);
    return STATUS_OK;
}

/* Does the block cover a unit whose number is offset modulo 2^step? */
static bool robson_obstructs(const struct robson_block *block, uint64_t smallest, unsigned step,
                             uint64_t offset)
{
    uint64_t first = (uint64_t)(uintptr_t)block->block / smallest;
    uint64_t last = ((uint64_t)(uintptr_t)block->block + (smallest << block->step) - 1) / smallest;
    uint64_t chunk = (UINT64_C(1) << step) - 1;
    return ((offset - first) & chunk) <= last - first;
}

/* Chooses as Robson does: the offset with the larger sum of 2^step − size over its obstructing
 * blocks. That sum is the memory that they waste beyond their own. */
static void robson_choose_offset(struct robson_state *state, uint64_t smallest, unsigned step)
{
    const uint64_t half = UINT64_C(1) << (step - 1);
    uint64_t spoilt[2] = {0, 0};
    for (uint64_t i = 0; i < state->count; i++) {
        const struct robson_block *block = &state->blocks[i];
        uint64_t beyond = (UINT64_C(1) << step) - (UINT64_C(1) << block->step);
        spoilt[0] += robson_obstructs(block, smallest, step, state->offset) ? beyond : 0;
        spoilt[1] += robson_obstructs(block, smallest, step, state->offset + half) ? beyond : 0;
    }
    state->offset += spoilt[1] > spoilt[0] ? half : 0;
}

static void robson_free(struct run *run, const struct robson_block *block)
{
    size_t size = run_count(run, ROBSON_SMALLEST) << block->step;
    run_verify(run, block->block[0] == (unsigned char)block->step &&
                        block->block[size - 1] == (unsigned char)block->step);
    heap_free(run->heap, block->block, size, HEAP_RAW);
}

/* Frees half of each size: first blocks that do not obstruct, and others only if there are too few
 * of those. */
static void robson_thin(struct run *run, struct robson_state *state, unsigned step)
{
    const uint64_t smallest = run_count(run, ROBSON_SMALLEST);
    uint64_t keep[ROBSON_STEPS_MAX];      /* blocks of each size that must still be kept */
    uint64_t idle_keep[ROBSON_STEPS_MAX]; /* those of them that do not obstruct */
    uint64_t obstructing[ROBSON_STEPS_MAX] = {0};
    uint64_t kept = 0;
    for (uint64_t i = 0; i < state->count; i++) {
        const struct robson_block *block = &state->blocks[i];
        obstructing[block->step] += robson_obstructs(block, smallest, step, state->offset);
    }
    for (unsigned i = 0; i < step; i++) {
        state->counts[i] -= state->counts[i] / 2;
        idle_keep[i] = state->counts[i] > obstructing[i] ? state->counts[i] - obstructing[i] : 0;
        keep[i] = state->counts[i] - idle_keep[i];
    }
    for (uint64_t i = 0; i < state->count; i++) {
        const struct robson_block block = state->blocks[i];
        bool obstructs = robson_obstructs(&block, smallest, step, state->offset);
        uint64_t *left = obstructs ? &keep[block.step] : &idle_keep[block.step];
        if (*left > 0) {
            --*left;
            state->blocks[kept++] = block;
        } else {
            robson_free(run, &block);
        }
    }
    state->count = kept;
}

static void robson_fill(struct run *run, struct robson_state *state, unsigned step)
{
    size_t size = run_count(run, ROBSON_SMALLEST) << step;
    state->counts[step] = robson_step_blocks(run, step, state->counts);
    for (uint64_t i = 0; i < state->counts[step]; i++) {
        unsigned char *block = heap_alloc(run->heap, size, HEAP_RAW);
        if (__builtin_expect(block == NULL, false)) {
            run_fail(run, "heap exhausted");
            return;
        }
        run_touch(block, size, step);
        state->blocks[state->count++] = (struct robson_block){.block = block, .step = step};
    }
}

static void robson_note_held(struct run *run, struct robson_state *state)
{
    uint64_t held = run_held_bytes(run);
    if (held > state->held_bytes_peak) {
        state->held_bytes_peak = held;
        run_add_figure(run, "blow_up", (double)held / run->values[ROBSON_LIVE]);
        run_add_figure(run, "held_bytes", (double)held);
    }
}

/* Frees in the order of allocation, because the adversary has no more to gain. */
static void robson_drain(struct run *run, struct robson_state *state)
{
    for (uint64_t i = 0; i < state->count; i++) {
        robson_free(run, &state->blocks[i]);
    }
    state->count = 0;
}

static void robson_run(struct run *run, uint64_t iterations)
{
    struct robson_state *state = run->state;
    const unsigned steps = robson_steps(run);
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        state->offset = 0;
        for (unsigned step = 0; step <= steps && run->failed == NULL; step++) {
            if (step > 0) {
                robson_choose_offset(state, run_count(run, ROBSON_SMALLEST), step);
                robson_thin(run, state, step);
            }
            run_mark(run, NULL);
            robson_fill(run, state, step);
            run_mark(run, step == 0 ? "smallest" : step == steps ? "largest" : NULL);
            robson_note_held(run, state);
            run->checksum = (run->checksum ^ state->count) * UINT64_C(0x100000001b3);
        }
        robson_drain(run, state);
        run_mark(run, "drained");
    }
}

static void robson_teardown(struct run *run)
{
    robson_drain(run, run->state); /* frees something only if the run was cut short */
}

const struct workload workload_robson = {
    .name = "robson",
    .kind = "blocks",
    .family = "adversary",
    .summary = "Robson's adversary: doubling sizes, keeping only the blocks that obstruct",
    .parameters =
        {
            {.name = "live",
             .unit = "bytes",
             .summary = "M: alive at most",
             .value = 4 << 20,
             .minimum = 1 << 10,
             .maximum = 1e10},
            {.name = "smallest",
             .unit = "bytes",
             .summary = "the unit, and the size of the first step's blocks",
             .value = 16,
             .minimum = 1,
             .maximum = 1 << 20},
            {.name = "largest",
             .unit = "bytes",
             .summary = "n: the last step's blocks are of the power of two times smallest below it",
             .value = 1 << 16,
             .minimum = 1,
             .maximum = 1 << 30},
        },
    .operations = robson_operations,
    .expected_allocations = robson_expected_allocations,
    .window_bytes = robson_window_bytes,
    .setup = robson_setup,
    .run = robson_run,
    .teardown = robson_teardown,
};
