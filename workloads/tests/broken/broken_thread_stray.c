/* Calls malloc itself in the timed part, in each of its threads. */
#include "workloads/tests/broken/broken.h"

#include <stdlib.h>

static void broken_thread_stray_work(struct run_thread *thread, uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        broken_pair(thread->run, i);
    }
    void *block = malloc(BROKEN_BYTES);
    heap_barrier(block); /* or the compiler drops the pair */
    free(block);
}

static void broken_thread_stray_run(struct run *run, uint64_t iterations)
{
    run_on_threads(run, broken_thread_stray_work, iterations);
}

static uint64_t broken_thread_stray_expected(const struct run *run, uint64_t iterations)
{
    return iterations * run->threads;
}

const struct workload workload_broken_thread_stray = {
    .name = "broken_thread_stray",
    .kind = "blocks",
    .family = "broken",
    .summary = "breaks a rule in a thread",
    .operations = broken_operations,
    .expected_allocations = broken_thread_stray_expected,
    .setup = broken_set_up,
    .run = broken_thread_stray_run,
    .teardown = broken_tear_down,
    .threaded = true,
};
