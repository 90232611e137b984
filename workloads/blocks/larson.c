/* larson: threads that replace blocks in an array at random, and hand the array on.
 *
 * Imitates a server after Larson and Krishnan, "Memory Allocation for Long-Running Server
 * Applications", ISMM 1998, section 4.2: a request's thread works on state that an earlier thread
 * left, so that it gives back blocks which another one took. Each thread has an array of `live`
 * blocks of uniform sizes; at each step one of them at random is given back and another taken.
 * After `round` steps it passes the array on to the next thread and goes on with the one from the
 * thread before. Theirs ends the thread instead and starts a new one, after 100 arrays' worth of
 * steps, when 1 free in 100 is of a foreign block; a round of one array's worth makes that 63 (1 −
 * 1/e), and the threads last. Leaves out the ends of threads, and with them what an allocator does
 * with the cache of one that is gone. Stresses frees by another thread, locks, and caches per
 * thread.
 *
 * No barrier at the end of a round: a thread waits only for the array that comes to it, and is
 * never more than a round ahead of the one before. With one thread the array stays. */
#include <sched.h>

#include "workloads/workload.h"

enum { LARSON_LIVE, LARSON_SMALLEST, LARSON_LARGEST, LARSON_ROUND };

enum { LARSON_LINE_BYTES = 64 };

struct larson_block {
    unsigned char *block;
    uint32_t size;
    uint32_t stamp; /* its low byte is written to both ends */
};

/* A thread's place, on its own cache lines. Only the thread uses the array at home. The thread
 * before it in the ring puts another array into `arriving`, and this thread takes it out. */
struct larson_place {
    _Alignas(LARSON_LINE_BYTES) struct larson_block *blocks;
    uint64_t steps; /* of this round */
    uint64_t checksum;
    _Alignas(LARSON_LINE_BYTES) struct larson_block *arriving;
};

struct larson_state {
    struct larson_place *places;
};

static uint64_t larson_operations(const struct run *run)
{
    return 2 * (uint64_t)run->threads;
}

static uint64_t larson_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * run->threads;
}

static size_t larson_window_bytes(const struct run *run)
{
    double mean = (run->values[LARSON_SMALLEST] + run->values[LARSON_LARGEST]) / 2;
    return (size_t)(run->values[LARSON_LIVE] * (mean + 16)) * run->threads;
}

static uint32_t larson_draw_size(const struct run *run, struct rng *rng)
{
    uint64_t smallest = run_count(run, LARSON_SMALLEST);
    uint64_t largest = run_count(run, LARSON_LARGEST);
    uint64_t span = largest > smallest ? largest - smallest + 1 : 1;
    return (uint32_t)(smallest + rng_below(rng, span));
}

static inline bool larson_take(struct run *run, struct larson_block *slot, uint32_t size,
                               uint32_t stamp, uint64_t *tally)
{
    slot->block = heap_alloc_tallied(run->heap, size, HEAP_RAW, tally);
    if (__builtin_expect(slot->block == NULL, false)) {
        run_fail(run, "heap exhausted");
        return false;
    }
    slot->size = size;
    slot->stamp = stamp;
    run_touch(slot->block, size, stamp);
    return true;
}

/* Fills the array in each thread during set-up, so that a block is allocated by the thread that
 * works on it. */
static void larson_fill(struct run_thread *thread, uint64_t live)
{
    struct run *run = thread->run;
    const struct larson_state *state = run->state;
    struct larson_block *blocks = state->places[thread->index].blocks;
    uint64_t tally = 0;
    for (uint64_t i = 0; i < live; i++) {
        uint32_t size = larson_draw_size(run, &thread->rng);
        if (!larson_take(run, &blocks[i], size, (uint32_t)i, &tally)) {
            return;
        }
    }
}

static enum status larson_setup(struct run *run, struct error *error)
{
    struct larson_state *state = run_scratch(run, sizeof(*state));
    uint64_t live = run_count(run, LARSON_LIVE);
    run->state = state;
    state->places = run_scratch(run, run->threads * sizeof(*state->places));
    for (unsigned i = 0; i < run->threads; i++) {
        state->places[i].blocks = run_scratch(run, live * sizeof(struct larson_block));
    }
    run_on_threads(run, larson_fill, live);
    return run->failed == NULL ? STATUS_OK
                               : error_set(error, STATUS_NO_MEMORY, "heap exhausted in set-up");
}

/* Passes the array on and waits for another one. false: the cell has failed meanwhile. */
static bool larson_hand_over(struct run_thread *thread, struct larson_place *place)
{
    struct run *run = thread->run;
    const struct larson_state *state = run->state;
    struct larson_place *next = &state->places[(thread->index + 1) % run->threads];
    struct larson_block *none = NULL;
    /* The next thread may still have the earlier array in its place. */
    while (!__atomic_compare_exchange_n(&next->arriving, &none, place->blocks, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        none = NULL;
        if (run_failed(run)) {
            return false;
        }
        (void)sched_yield();
    }
    while ((place->blocks = __atomic_exchange_n(&place->arriving, NULL, __ATOMIC_ACQ_REL)) ==
           NULL) {
        if (run_failed(run)) {
            return false;
        }
        (void)sched_yield();
    }
    place->steps = 0;
    return true;
}

static void larson_work(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    const struct larson_state *state = run->state;
    struct larson_place *place = &state->places[thread->index];
    const uint64_t live = run_count(run, LARSON_LIVE);
    const uint64_t round = run_count(run, LARSON_ROUND);
    struct rng rng = thread->rng; /* a copy whose address nobody has */
    uint64_t checksum = 0;
    uint64_t tally = 0;
    uint32_t difference = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        if (place->steps == round && !larson_hand_over(thread, place)) {
            return;
        }
        place->steps++;
        struct larson_block *slot = &place->blocks[rng_below(&rng, live)];
        difference |= (slot->block[0] ^ slot->stamp) | (slot->block[slot->size - 1] ^ slot->stamp);
        checksum = (checksum ^ slot->size ^ slot->stamp) * UINT64_C(0x100000001b3);
        heap_free(run->heap, slot->block, slot->size, HEAP_RAW);
        uint32_t size = larson_draw_size(run, &rng);
        if (!larson_take(run, slot, size, (uint32_t)i, &tally)) {
            return;
        }
        if (thread->index == 0) {
            run_mark(run, NULL);
        }
    }
    place->checksum = checksum;
    heap_add_tally(tally);
    run_verify(run, (difference & 0xff) == 0);
}

static void larson_run(struct run *run, uint64_t iterations)
{
    const struct larson_state *state = run->state;
    run_on_threads(run, larson_work, iterations);
    for (unsigned i = 0; i < run->threads; i++) {
        run->checksum = (run->checksum ^ state->places[i].checksum) * UINT64_C(0x100000001b3);
    }
}

static void larson_drain(struct run_thread *thread, uint64_t live)
{
    struct run *run = thread->run;
    const struct larson_state *state = run->state;
    struct larson_block *blocks = state->places[thread->index].blocks;
    for (uint64_t i = 0; i < live; i++) {
        heap_free(run->heap, blocks[i].block, blocks[i].size, HEAP_RAW);
    }
}

static void larson_teardown(struct run *run)
{
    run_on_threads(run, larson_drain, run_count(run, LARSON_LIVE));
}

const struct workload workload_larson = {
    .name = "larson",
    .kind = "blocks",
    .family = "threads",
    .summary = "threads replace blocks at random and hand them on to each other",
    .parameters =
        {
            {.name = "live",
             .unit = "blocks",
             .summary = "of each thread",
             .value = 5000,
             .minimum = 1,
             .maximum = 1e7},
            {.name = "smallest",
             .unit = "bytes",
             .summary = "sizes are uniform from here",
             .value = 8,
             .minimum = 1,
             .maximum = 1 << 20},
            {.name = "largest",
             .unit = "bytes",
             .summary = "to here",
             .value = 1000,
             .minimum = 1,
             .maximum = 1 << 20},
            {.name = "round",
             .unit = "steps",
             .summary = "of a thread until it hands its blocks on",
             .value = 5000,
             .minimum = 1,
             .maximum = 1e9},
        },
    .operations = larson_operations,
    .expected_allocations = larson_expected_allocations,
    .window_bytes = larson_window_bytes,
    .setup = larson_setup,
    .run = larson_run,
    .teardown = larson_teardown,
    .threaded = true,
};
