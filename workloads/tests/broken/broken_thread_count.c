/* One of its threads allocates once more than the workload says. */
#include "workloads/tests/broken/broken.h"

static void broken_thread_count_work(struct run_thread *thread, uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations + (thread->index == 1); i++) {
        broken_pair(thread->run, i);
    }
}

static void broken_thread_count_run(struct run *run, uint64_t iterations)
{
    run_on_threads(run, broken_thread_count_work, iterations);
}

static uint64_t broken_thread_count_expected(const struct run *run, uint64_t iterations)
{
    return iterations * run->threads;
}

const struct workload workload_broken_thread_count = {
    .name = "broken_thread_count",
    .kind = "blocks",
    .family = "broken",
    .summary = "breaks a rule in a thread",
    .operations = broken_operations,
    .expected_allocations = broken_thread_count_expected,
    .setup = broken_set_up,
    .run = broken_thread_count_run,
    .teardown = broken_tear_down,
    .threaded = true,
};
