/* Reference counts alone: nothing is collected but when somebody asks. What stays alive is the
 * garbage in cycles. */
#include "gc/objects.h"
#include "gc/runtime.h"

static uint64_t none_collect(struct runtime *runtime, int generation)
{
    (void)generation;
    collector_begin(runtime, GC_GENERATIONS - 1);
    struct gc_outcome outcome = collector_collect(runtime, GC_GENERATIONS - 1, GC_GENERATIONS - 1);
    collector_end(runtime, GC_GENERATIONS - 1, &outcome);
    return outcome.collected;
}

const struct gc_policy gc_policy_none = {
    .name = "none",
    .summary = "reference counts alone; a collection only when asked for",
    .collect = none_collect,
};
