/* Reference counts alone: nothing is collected but when somebody asks. What stays alive is the
 * garbage in cycles. */
#include "gc/objects.h"
#include "gc/runtime.h"

static uint64_t none_collect(struct runtime *runtime, int generation)
{
    struct registry *registry = &runtime->collector.registry;
    (void)generation;
    struct gc_outcome outcome =
        collector_collect(runtime, registry->starts[GC_GENERATIONS - 1], GC_GENERATIONS - 1);
    /* One range for all, in which holes are used again. */
    registry->starts[1] = outcome.end;
    return outcome.freed;
}

const struct gc_policy gc_policy_none = {
    .name = "none",
    .summary = "reference counts alone; a collection only when asked for",
    .collect = none_collect,
};
