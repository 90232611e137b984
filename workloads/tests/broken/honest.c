/* Breaks no rule: what fails below fails for its own reason. */
#include "workloads/tests/broken/broken.h"

const struct workload workload_honest =
    BROKEN_WORKLOAD("honest", broken_set_up, broken_loop, broken_expected);
