/* Cannot be set up. */
#include "workloads/tests/broken/broken.h"

static enum status broken_setup_refuse(struct run *run, struct error *error)
{
    (void)run;
    return error_set(error, STATUS_NO_MEMORY, "nothing can be set up here");
}

const struct workload workload_broken_setup =
    BROKEN_WORKLOAD("broken_setup", broken_setup_refuse, broken_loop, broken_expected);
