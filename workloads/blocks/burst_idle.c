/* burst_idle: a peak of memory, then idle time: what is given back, and when.
 *
 * Imitates a service with bursts: a report, a batch of requests, an import, and between them hours
 * in which it does next to nothing but is charged for what it holds. In a cycle blocks of
 * log-normal sizes are taken up to `peak` bytes; all but one in `survivors` are freed; the program
 * does nothing at all for `idle` milliseconds; then for as long again it takes and frees a hundred
 * blocks every twentieth of that time, as a program at rest does for a timer or a small request,
 * since an allocator without a thread of its own can give memory back only when it is called. The
 * survivors go with the next cycle's drop. Leaves out memory pressure, to which the kernel and some
 * allocators answer. Stresses held over time, and the faults when memory that was given back is
 * taken again.
 *
 * The idle time is in seconds of the memory pass's series, where operations stand still; it is not
 * in the time of the time pass, which is CPU time. The default is short. jemalloc gives back after
 * 10 s, and for want of calls only with a thread of its own: -p idle=12000 -b
 * 'jemalloc{MALLOC_CONF=background_thread:true}'. A cell lasts 2 × cycles × idle and more:
 * mind --timeout.
 *
 * Figures, in the memory pass, of the last cycle, as parts of what was held at the peak:
 * `kept_after_drop`, `kept_after_idle`, `kept_after_trickle`; and `survivors_of_peak`, what was
 * alive then. */
#include "workloads/workload.h"

#include <math.h>

enum {
    BURST_IDLE_PEAK,
    BURST_IDLE_MEDIAN,
    BURST_IDLE_SIGMA,
    BURST_IDLE_SURVIVORS,
    BURST_IDLE_CYCLES,
    BURST_IDLE_IDLE
};

enum { BURST_IDLE_REQUESTS = 20, BURST_IDLE_REQUEST_BLOCKS = 100, BURST_IDLE_LARGEST = 1 << 16 };

struct burst_idle_block {
    unsigned char *block;
    uint32_t size;
    uint32_t stamp; /* its low byte is written to both ends */
};

struct burst_idle_state {
    const uint32_t *sizes; /* of a peak's blocks, equal in each cycle */
    uint64_t count;
    struct burst_idle_block *blocks;    /* of this peak */
    struct burst_idle_block *survivors; /* of the last peak */
    uint64_t survivor_count;
    uint64_t live_bytes;
};

/* The blocks of a small request: the first ones of a peak. */
static uint64_t burst_idle_request_blocks(const struct burst_idle_state *state)
{
    return state->count < BURST_IDLE_REQUEST_BLOCKS ? state->count : BURST_IDLE_REQUEST_BLOCKS;
}

static uint64_t burst_idle_allocations(const struct run *run)
{
    const struct burst_idle_state *state = run->state;
    return run_count(run, BURST_IDLE_CYCLES) *
           (state->count + BURST_IDLE_REQUESTS * burst_idle_request_blocks(state));
}

static uint64_t burst_idle_operations(const struct run *run)
{
    const struct burst_idle_state *state = run->state;
    uint64_t survivors = run_count(run, BURST_IDLE_SURVIVORS);
    uint64_t left = survivors == 0 ? 0 : (state->count + survivors - 1) / survivors;
    return 2 * burst_idle_allocations(run) - left; /* which the teardown frees */
}

static uint64_t burst_idle_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * burst_idle_allocations(run);
}

static size_t burst_idle_window_bytes(const struct run *run)
{
    return (size_t)(run->values[BURST_IDLE_PEAK] * 2 * (1 + run->values[BURST_IDLE_CYCLES]));
}

static uint32_t burst_idle_draw_size(struct run *run)
{
    double size =
        run->values[BURST_IDLE_MEDIAN] * exp(run->values[BURST_IDLE_SIGMA] * rng_normal(&run->rng));
    return size < 1 ? 1 : (uint32_t)(size < BURST_IDLE_LARGEST ? size : BURST_IDLE_LARGEST);
}

static enum status burst_idle_setup(struct run *run, struct error *error)
{
    (void)error;
    struct burst_idle_state *state = run_scratch(run, sizeof(*state));
    const uint64_t peak = run_count(run, BURST_IDLE_PEAK);
    const struct rng begin = run->rng;
    uint64_t bytes = 0;
    for (; bytes < peak; state->count++) {
        bytes += burst_idle_draw_size(run);
    }
    /* Draws the same numbers again, now that there is room for them. */
    uint32_t *sizes = run_scratch(run, state->count * sizeof(*sizes));
    run->rng = begin;
    for (uint64_t i = 0; i < state->count; i++) {
        sizes[i] = burst_idle_draw_size(run);
    }
    state->sizes = sizes;
    state->blocks = run_scratch(run, state->count * sizeof(*state->blocks));
    state->survivors = run_scratch(run, state->count * sizeof(*state->survivors));
    run->state = state;
    return STATUS_OK;
}

/* Allocates the first count blocks of a peak. */
static bool burst_idle_take(struct run *run, struct burst_idle_state *state, uint64_t count)
{
    const uint64_t stretch = state->count / 32 + 1;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t size = state->sizes[i];
        unsigned char *block = heap_alloc(run->heap, size, HEAP_RAW);
        if (__builtin_expect(block == NULL, false)) {
            run_fail(run, "heap exhausted");
            return false;
        }
        run_touch(block, size, i);
        state->blocks[i] =
            (struct burst_idle_block){.block = block, .size = size, .stamp = (uint32_t)i & 0xff};
        state->live_bytes += size;
        run->checksum = (run->checksum ^ size) * UINT64_C(0x100000001b3);
        if (i % stretch == 0) {
            run_mark(run, NULL);
        }
    }
    return true;
}

static void burst_idle_free(struct run *run, struct burst_idle_state *state,
                            const struct burst_idle_block *block)
{
    run_verify(run,
               block->block[0] == block->stamp && block->block[block->size - 1] == block->stamp);
    heap_free(run->heap, block->block, block->size, HEAP_RAW);
    state->live_bytes -= block->size;
}

static void burst_idle_end_survivors(struct run *run, struct burst_idle_state *state)
{
    for (uint64_t i = 0; i < state->survivor_count; i++) {
        burst_idle_free(run, state, &state->survivors[i]);
    }
    state->survivor_count = 0;
}

static void burst_idle_drop(struct run *run, struct burst_idle_state *state)
{
    const uint64_t survivors = run_count(run, BURST_IDLE_SURVIVORS);
    const uint64_t stretch = state->count / 32 + 1;
    burst_idle_end_survivors(run, state);
    for (uint64_t i = 0; i < state->count; i++) {
        if (survivors != 0 && i % survivors == 0) {
            state->survivors[state->survivor_count++] = state->blocks[i];
        } else {
            burst_idle_free(run, state, &state->blocks[i]);
        }
        if (i % stretch == 0) {
            run_mark(run, NULL);
        }
    }
}

/* Imitates a program at rest: a small request now and then. */
static void burst_idle_trickle(struct run *run, struct burst_idle_state *state, uint64_t ns)
{
    const uint64_t blocks = burst_idle_request_blocks(state);
    for (int i = 0; i < BURST_IDLE_REQUESTS; i++) {
        run_idle(run, ns / BURST_IDLE_REQUESTS);
        if (!burst_idle_take(run, state, blocks)) {
            return;
        }
        for (uint64_t at = 0; at < blocks; at++) {
            burst_idle_free(run, state, &state->blocks[at]);
        }
    }
}

static void burst_idle_cycle(struct run *run, struct burst_idle_state *state)
{
    const uint64_t idle_ns = run_count(run, BURST_IDLE_IDLE) * 1000000;
    run_mark(run, "burst");
    if (!burst_idle_take(run, state, state->count)) {
        return;
    }
    double peak = (double)run_held_bytes(run);
    run_mark(run, "drop");
    burst_idle_drop(run, state);
    double dropped = (double)run_held_bytes(run);
    run_mark(run, "idle");
    run_idle(run, idle_ns);
    double idle = (double)run_held_bytes(run);
    run_mark(run, "trickle");
    burst_idle_trickle(run, state, idle_ns);
    if (peak > 0) {
        run_add_figure(run, "kept_after_drop", dropped / peak);
        run_add_figure(run, "kept_after_idle", idle / peak);
        run_add_figure(run, "kept_after_trickle", (double)run_held_bytes(run) / peak);
        run_add_figure(run, "survivors_of_peak", (double)state->live_bytes / peak);
    }
}

static void burst_idle_run(struct run *run, uint64_t iterations)
{
    struct burst_idle_state *state = run->state;
    for (uint64_t i = 0; i < iterations * run_count(run, BURST_IDLE_CYCLES); i++) {
        if (run->failed == NULL) {
            burst_idle_cycle(run, state);
        }
    }
}

static void burst_idle_teardown(struct run *run)
{
    burst_idle_end_survivors(run, run->state);
}

const struct workload workload_burst_idle = {
    .name = "burst_idle",
    .kind = "blocks",
    .family = "phases",
    .summary = "peaks of memory with idle time between: what is given back, and when",
    .parameters =
        {
            {.name = "peak",
             .unit = "bytes",
             .summary = "taken in a burst",
             .value = 16 << 20,
             .minimum = 1,
             .maximum = 1e10},
            {.name = "median",
             .unit = "bytes",
             .summary = "of the sizes, which are log-normal",
             .value = 128,
             .minimum = 1,
             .maximum = 1 << 16},
            {.name = "sigma",
             .unit = "",
             .summary = "standard deviation of the sizes' natural logarithm",
             .value = 1,
             .minimum = 0,
             .maximum = 4},
            {.name = "survivors",
             .unit = "blocks",
             .summary = "one block in so many lives until the next drop; 0: none",
             .value = 10000,
             .minimum = 0,
             .maximum = 1e9},
            {.name = "cycles",
             .unit = "bursts",
             .summary = "in a cell",
             .value = 2,
             .minimum = 1,
             .maximum = 1000},
            {.name = "idle",
             .unit = "milliseconds",
             .summary = "without any call, and then as many with a call now and then",
             .value = 100,
             .minimum = 0,
             .maximum = 3600000},
        },
    .operations = burst_idle_operations,
    .expected_allocations = burst_idle_expected_allocations,
    .window_bytes = burst_idle_window_bytes,
    .setup = burst_idle_setup,
    .run = burst_idle_run,
    .teardown = burst_idle_teardown,
    .single_shot = true,
};
