/* Foretells one allocation more than it makes, as a loop would whose pair was elided. */
#include "workloads/tests/broken/broken.h"

static uint64_t broken_count_expected(const struct run *run, uint64_t iterations)
{
    (void)run;
    return iterations + 1;
}

const struct workload workload_broken_count =
    BROKEN_WORKLOAD("broken_count", broken_set_up, broken_loop, broken_count_expected);
