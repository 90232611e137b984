/* false_sharing: each thread takes a small block, writes to it many times and gives it back.
 *
 * After cache-thrash and cache-scratch of the Hoard benchmarks (Berger, McKinley, Blumofe and
 * Wilson, "Hoard: A Scalable Memory Allocator for Multithreaded Applications", ASPLOS 2000,
 * section 5). Nothing is shared by the program. If it is slow all the same, the allocator has put
 * two threads' blocks on one cache line:
 *  - mode=active: it gave parts of a line to several threads as they asked for blocks.
 *  - mode=passive: the main thread took neighbouring blocks in set-up and gave one to each thread,
 *    which has freed it; the allocator then lets each thread take its part of that line again.
 * Theirs has threads begin and end; these last. With writes=1 it is a pingpong in each thread. On
 * two hardware threads of one core, which share their caches, there is nothing to see. Stresses
 * where blocks lie, not how long they take. */
#include "workloads/workload.h"

enum { FALSE_SHARING_MODE, FALSE_SHARING_SIZE, FALSE_SHARING_WRITES };

static const char *const false_sharing_modes[] = {"active", "passive", NULL};
enum { FALSE_SHARING_ACTIVE, FALSE_SHARING_PASSIVE };

static uint64_t false_sharing_operations(const struct run *run)
{
    return 2 * (uint64_t)run->threads;
}

static uint64_t false_sharing_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * run->threads;
}

static size_t false_sharing_window_bytes(const struct run *run)
{
    return (run_count(run, FALSE_SHARING_SIZE) + 16) * 4 * run->threads;
}

static void false_sharing_give_back(struct run_thread *thread, uint64_t size)
{
    unsigned char **given = thread->run->state;
    heap_free(thread->run->heap, given[thread->index], size, HEAP_RAW);
}

static enum status false_sharing_setup(struct run *run, struct error *error)
{
    size_t size = run_count(run, FALSE_SHARING_SIZE);
    if (run_count(run, FALSE_SHARING_MODE) == FALSE_SHARING_ACTIVE) {
        return STATUS_OK;
    }
    unsigned char **given = run_scratch(run, run->threads * sizeof(*given));
    run->state = given;
    for (unsigned i = 0; i < run->threads; i++) {
        given[i] = heap_alloc(run->heap, size, HEAP_RAW);
        if (given[i] == NULL) {
            return error_set(error, STATUS_NO_MEMORY, "heap exhausted in set-up");
        }
        run_touch(given[i], size, i);
    }
    run_on_threads(run, false_sharing_give_back, size);
    return STATUS_OK;
}

/* Volatile, because every write must reach the cache line. */
static inline void false_sharing_write(volatile unsigned char *block, size_t size, uint64_t writes)
{
    for (uint64_t i = 0; i < writes; i++) {
        for (size_t at = 0; at < size; at++) {
            block[at] = (unsigned char)(block[at] + 1);
        }
    }
}

static void false_sharing_work(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    const size_t size = run_count(run, FALSE_SHARING_SIZE);
    const uint64_t writes = run_count(run, FALSE_SHARING_WRITES);
    uint64_t tally = 0;
    bool kept = true;
    for (uint64_t i = 0; i < iterations; i++) {
        unsigned char *block = heap_alloc_tallied(run->heap, size, HEAP_RAW, &tally);
        if (__builtin_expect(block == NULL, false)) {
            run_fail(run, "heap exhausted");
            return;
        }
        for (size_t at = 0; at < size; at++) {
            block[at] = (unsigned char)i;
        }
        false_sharing_write(block, size, writes);
        kept = kept && block[0] == (unsigned char)(i + writes) &&
               block[size - 1] == (unsigned char)(i + writes);
        heap_free(run->heap, block, size, HEAP_RAW);
        if (thread->index == 0) {
            run_mark(run, NULL);
        }
    }
    heap_add_tally(tally);
    run_verify(run, kept);
}

static void false_sharing_run(struct run *run, uint64_t iterations)
{
    run_on_threads(run, false_sharing_work, iterations);
    run->checksum += iterations * run->threads;
}

static void false_sharing_teardown(struct run *run)
{
    (void)run;
}

const struct workload workload_false_sharing = {
    .name = "false_sharing",
    .kind = "blocks",
    .family = "threads",
    .summary = "threads write to blocks of their own, which may share a cache line",
    .parameters =
        {
            {.name = "mode",
             .unit = "",
             .summary =
                 "active: threads ask for blocks; passive: they first free neighbouring ones",
             .choices = false_sharing_modes,
             .value = FALSE_SHARING_ACTIVE,
             .maximum = FALSE_SHARING_PASSIVE},
            {.name = "size",
             .unit = "bytes",
             .summary = "of a block",
             .value = 8,
             .minimum = 1,
             .maximum = 4096},
            {.name = "writes",
             .unit = "",
             .summary = "to each byte of a block in its life",
             .value = 100,
             .minimum = 1,
             .maximum = 1e6},
        },
    .operations = false_sharing_operations,
    .expected_allocations = false_sharing_expected_allocations,
    .window_bytes = false_sharing_window_bytes,
    .setup = false_sharing_setup,
    .run = false_sharing_run,
    .teardown = false_sharing_teardown,
    .threaded = true,
};
