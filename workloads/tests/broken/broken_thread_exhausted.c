/* A thread runs out of memory in the middle: the others must not wait for it. */
#include "workloads/tests/broken/broken.h"

#include <sched.h>

static void broken_thread_exhausted_work(struct run_thread *thread, uint64_t iterations)
{
    (void)iterations;
    if (thread->index == 0) {
        run_fail(thread->run, "heap exhausted");
        return;
    }
    while (!run_failed(thread->run)) {
        (void)sched_yield();
    }
}

static void broken_thread_exhausted_run(struct run *run, uint64_t iterations)
{
    run_on_threads(run, broken_thread_exhausted_work, iterations);
}

static uint64_t broken_thread_exhausted_expected(const struct run *run, uint64_t iterations)
{
    (void)run;
    (void)iterations;
    return 0;
}

const struct workload workload_broken_thread_exhausted = {
    .name = "broken_thread_exhausted",
    .kind = "blocks",
    .family = "broken",
    .summary = "fails in one of its threads",
    .operations = broken_operations,
    .expected_allocations = broken_thread_exhausted_expected,
    .setup = broken_set_up,
    .run = broken_thread_exhausted_run,
    .teardown = broken_tear_down,
    .threaded = true,
};
