/* A full collection after each thousand containers: the simplest policy that has a rule. */
#include "gc/runtime.h"

static bool every_thousand_open(struct runtime *runtime)
{
    runtime->collector.thresholds[0] = 1000;
    collector_set_trigger_by_threshold(runtime);
    return true;
}

static uint64_t every_thousand_collect(struct runtime *runtime, int generation)
{
    extern const struct gc_policy
        gc_policy_none; /* which collects everything when it is asked to */
    runtime->collector.count = 0;
    return gc_policy_none.collect(runtime, generation);
}

static void every_thousand_allocated(struct runtime *runtime)
{
    (void)every_thousand_collect(runtime, GC_GENERATIONS - 1);
}

const struct gc_policy gc_policy_every_thousand = {
    .name = "every-thousand",
    .summary = "a full collection after each thousand containers",
    .open = every_thousand_open,
    .allocated = every_thousand_allocated,
    .collect = every_thousand_collect,
    .configured = collector_set_trigger_by_threshold,
};
