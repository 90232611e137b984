/* Reports that the heap is exhausted. */
#include "workloads/tests/broken/broken.h"

static void broken_exhausted_run(struct run *run, uint64_t iterations)
{
    broken_loop(run, iterations);
    run_fail(run, "heap exhausted");
    run_fail(run, "a later reason");
}

const struct workload workload_broken_exhausted =
    BROKEN_WORKLOAD("broken_exhausted", broken_set_up, broken_exhausted_run, broken_expected);
