/* producer_consumer: one thread takes blocks and writes to them, another reads and frees them.
 *
 * Imitates a pipeline: messages that one stage makes and the next one consumes. Threads go in
 * pairs, 0 with 1, 2 with 3…, each pair with a queue of its own between them. So every block is
 * freed by a thread that never took one, and whatever the allocator keeps for each thread must find
 * its way back. A thread without a partner (the last of an odd number, or the only one) does both
 * by turns, a batch each: the same work without a hand-over, to compare with. Leaves out queues
 * with several users, and messages that come back. Stresses frees by another thread: remote free
 * lists, the lock of the arena that a block is of.
 *
 * The queue is a ring in scratch memory, with one writer and one reader; places are published a
 * batch at a time, so that its own cache misses are a small part of what is measured. A thread that
 * must wait yields its core, as there may be more threads than cores. */
#include <sched.h>

#include "workloads/workload.h"

enum {
    PRODUCER_CONSUMER_SMALLEST,
    PRODUCER_CONSUMER_LARGEST,
    PRODUCER_CONSUMER_QUEUE,
    PRODUCER_CONSUMER_BATCH
};

enum { PRODUCER_CONSUMER_LINE_BYTES = 64 };

struct producer_consumer_message {
    unsigned char *block;
    uint32_t size;
    uint32_t stamp; /* its low byte is written to both ends */
};

/* The counts only grow; a message's place is its number modulo the queue's length. */
struct producer_consumer_pair {
    _Alignas(PRODUCER_CONSUMER_LINE_BYTES) uint64_t produced; /* the producer writes it */
    _Alignas(PRODUCER_CONSUMER_LINE_BYTES) uint64_t consumed; /* the consumer writes it */
    uint64_t checksum;                                        /* the consumer writes it */
    _Alignas(PRODUCER_CONSUMER_LINE_BYTES) struct producer_consumer_message *ring;
    uint64_t length;
    uint64_t batch;
};

static unsigned producer_consumer_pairs(const struct run *run)
{
    return (run->threads + 1) / 2;
}

/* An iteration is one message of each pair, which is allocated once and freed once. */
static uint64_t producer_consumer_operations(const struct run *run)
{
    return 2 * (uint64_t)producer_consumer_pairs(run);
}

static uint64_t producer_consumer_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * producer_consumer_pairs(run);
}

static size_t producer_consumer_window_bytes(const struct run *run)
{
    return (size_t)(run->values[PRODUCER_CONSUMER_QUEUE] *
                    (run->values[PRODUCER_CONSUMER_LARGEST] + 16)) *
           producer_consumer_pairs(run);
}

static enum status producer_consumer_setup(struct run *run, struct error *error)
{
    (void)error;
    unsigned count = producer_consumer_pairs(run);
    struct producer_consumer_pair *pairs = run_scratch(run, count * sizeof(*pairs));
    uint64_t length = run_count(run, PRODUCER_CONSUMER_QUEUE);
    uint64_t batch = run_count(run, PRODUCER_CONSUMER_BATCH);
    for (unsigned i = 0; i < count; i++) {
        pairs[i].length = length;
        pairs[i].batch = batch < length ? batch : length;
        pairs[i].ring = run_scratch(run, length * sizeof(struct producer_consumer_message));
    }
    run->state = pairs;
    return STATUS_OK;
}

/* Waits until *count is at least wanted. false: the cell has failed meanwhile. */
static bool producer_consumer_await(const struct run *run, const uint64_t *count, uint64_t wanted)
{
    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < wanted) {
        if (run_failed(run)) {
            return false;
        }
        (void)sched_yield();
    }
    return true;
}

/* Allocates the messages numbered first to end - 1, into free places. */
static bool producer_consumer_produce(struct run *run, struct producer_consumer_pair *pair,
                                      struct rng *rng, uint64_t first, uint64_t end)
{
    const uint64_t smallest = run_count(run, PRODUCER_CONSUMER_SMALLEST);
    const uint64_t largest = run_count(run, PRODUCER_CONSUMER_LARGEST);
    const uint64_t span = largest > smallest ? largest - smallest + 1 : 1;
    uint64_t tally = 0;
    uint64_t place = first % pair->length;
    for (uint64_t i = first; i < end; i++) {
        uint32_t size = (uint32_t)(smallest + rng_below(rng, span));
        unsigned char *block = heap_alloc_tallied(run->heap, size, HEAP_RAW, &tally);
        if (__builtin_expect(block == NULL, false)) {
            run_fail(run, "heap exhausted");
            return false;
        }
        run_touch(block, size, i);
        pair->ring[place] = (struct producer_consumer_message){
            .block = block, .size = size, .stamp = (uint32_t)i & 0xff};
        place = place + 1 == pair->length ? 0 : place + 1;
    }
    heap_add_tally(tally);
    __atomic_store_n(&pair->produced, end, __ATOMIC_RELEASE);
    return true;
}

/* Reads and frees the messages numbered first to end - 1, which have been produced. */
static void producer_consumer_consume(struct run *run, struct producer_consumer_pair *pair,
                                      uint64_t first, uint64_t end)
{
    uint64_t place = first % pair->length;
    uint32_t difference = 0;
    for (uint64_t i = first; i < end; i++) {
        const struct producer_consumer_message message = pair->ring[place];
        difference |=
            (message.block[0] ^ message.stamp) | (message.block[message.size - 1] ^ message.stamp);
        pair->checksum = (pair->checksum ^ message.size ^ message.stamp) * UINT64_C(0x100000001b3);
        heap_free(run->heap, message.block, message.size, HEAP_RAW);
        place = place + 1 == pair->length ? 0 : place + 1;
    }
    run_verify(run, difference == 0);
    __atomic_store_n(&pair->consumed, end, __ATOMIC_RELEASE);
}

static uint64_t producer_consumer_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void producer_consumer_work(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    struct producer_consumer_pair *pairs = run->state;
    struct producer_consumer_pair *pair = &pairs[thread->index / 2];
    bool consumes = thread->index % 2 == 1;
    bool produces = !consumes;
    consumes = consumes || thread->index + 1 == run->threads;
    /* When a work begins, the queue is empty: both counts are where the last work ended. */
    uint64_t begin = produces ? pair->produced : pair->consumed;
    uint64_t end = begin + iterations;
    struct rng rng = thread->rng;
    for (uint64_t i = begin; i < end && !run_failed(run);) {
        uint64_t next = producer_consumer_least(i + pair->batch, end);
        if (produces) {
            uint64_t room = next > pair->length ? next - pair->length : 0;
            if (!producer_consumer_await(run, &pair->consumed, room) ||
                !producer_consumer_produce(run, pair, &rng, i, next)) {
                return;
            }
        }
        if (consumes) {
            if (!producer_consumer_await(run, &pair->produced, next)) {
                return;
            }
            producer_consumer_consume(run, pair, i, next);
        }
        if (thread->index == 0) {
            run_mark(run, NULL);
        }
        i = next;
    }
}

static void producer_consumer_run(struct run *run, uint64_t iterations)
{
    struct producer_consumer_pair *pairs = run->state;
    for (unsigned i = 0; i < producer_consumer_pairs(run); i++) {
        pairs[i].checksum = 0;
    }
    run_on_threads(run, producer_consumer_work, iterations);
    for (unsigned i = 0; i < producer_consumer_pairs(run); i++) {
        run->checksum = (run->checksum ^ pairs[i].checksum) * UINT64_C(0x100000001b3);
    }
}

/* Every message has been consumed. */
static void producer_consumer_teardown(struct run *run)
{
    (void)run;
}

const struct workload workload_producer_consumer = {
    .name = "producer_consumer",
    .kind = "blocks",
    .family = "threads",
    .summary = "blocks that one thread takes and another frees",
    .parameters =
        {
            {.name = "smallest",
             .unit = "bytes",
             .summary = "sizes are uniform from here",
             .value = 16,
             .minimum = 1,
             .maximum = 1 << 20},
            {.name = "largest",
             .unit = "bytes",
             .summary = "to here",
             .value = 256,
             .minimum = 1,
             .maximum = 1 << 20},
            {.name = "queue",
             .unit = "blocks",
             .summary = "between a producer and its consumer, at most",
             .value = 4096,
             .minimum = 1,
             .maximum = 1e7},
            {.name = "batch",
             .unit = "blocks",
             .summary = "published together",
             .value = 128,
             .minimum = 1,
             .maximum = 1e6},
        },
    .operations = producer_consumer_operations,
    .expected_allocations = producer_consumer_expected_allocations,
    .window_bytes = producer_consumer_window_bytes,
    .setup = producer_consumer_setup,
    .run = producer_consumer_run,
    .teardown = producer_consumer_teardown,
    .threaded = true,
};
