/* Finds other contents in a block than it wrote. */
#include "workloads/tests/broken/broken.h"

static void broken_contents_run(struct run *run, uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        unsigned char *block = heap_alloc(run->heap, BROKEN_BYTES, HEAP_RAW);
        run_touch(block, BROKEN_BYTES, 1);
        run_verify(run, block[0] == 2);
        heap_free(run->heap, block, BROKEN_BYTES, HEAP_RAW);
    }
}

const struct workload workload_broken_contents =
    BROKEN_WORKLOAD("broken_contents", broken_set_up, broken_contents_run, broken_expected);
