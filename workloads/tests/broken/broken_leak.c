/* Never gives one block back. */
#include "workloads/tests/broken/broken.h"

static void broken_leak_run(struct run *run, uint64_t iterations)
{
    broken_loop(run, iterations - 1);
    run->state = heap_alloc(run->heap, BROKEN_BYTES, HEAP_RAW);
}

const struct workload workload_broken_leak =
    BROKEN_WORKLOAD("broken_leak", broken_set_up, broken_leak_run, broken_expected);
