/* Calls malloc itself in the timed part. */
#include "workloads/tests/broken/broken.h"

#include <stdlib.h>

static void broken_stray_run(struct run *run, uint64_t iterations)
{
    broken_loop(run, iterations);
    void *block = malloc(BROKEN_BYTES);
    heap_barrier(block); /* or the compiler drops the pair */
    free(block);
}

const struct workload workload_broken_stray =
    BROKEN_WORKLOAD("broken_stray", broken_set_up, broken_stray_run, broken_expected);
