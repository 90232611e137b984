/* A full collection whenever the containers have become twice as many as the last one left: the
 * rule of most tracing collectors (GOGC=100 in Go, setpause 200 in Lua 5.4). A heap that grows to n
 * costs at most 2n examinations in all, and floating garbage is at most as much as is alive. */
#include <limits.h>

#include "gc/objects.h"
#include "gc/runtime.h"

enum {
    GROWTH_FACTOR = 2,
    /* Containers allocated before a collection, however few there are: a collection of so few costs
     * some 100 us. */
    GROWTH_MIN = 10000,
};

/* The next collection is when the count, net growth, makes GROWTH_FACTOR times what there was at
 * the last. */
static void growth_set_trigger(struct runtime *runtime)
{
    struct collector *collector = &runtime->collector;
    const int least = collector->thresholds[0];
    uint64_t tracked = registry_tracked(&collector->registry);
    tracked -= tracked < (uint64_t)collector->count ? tracked : (uint64_t)collector->count;
    uint64_t growth = tracked * (GROWTH_FACTOR - 1);
    growth = growth < (uint64_t)least ? (uint64_t)least : growth;
    bool never = least <= 0 || growth >= INT_MAX;
    collector_set_trigger(collector, never ? INT_MAX : (int)growth);
}

static bool growth_open(struct runtime *runtime)
{
    runtime->collector.thresholds[0] = GROWTH_MIN;
    growth_set_trigger(runtime);
    return true;
}

static uint64_t growth_collect(struct runtime *runtime, int generation)
{
    struct collector *collector = &runtime->collector;
    (void)generation;
    collector_begin(runtime, GC_GENERATIONS - 1);
    collector->count = 0;
    struct gc_outcome outcome = collector_collect(runtime, GC_GENERATIONS - 1, GC_GENERATIONS - 1);
    growth_set_trigger(runtime);
    collector_end(runtime, GC_GENERATIONS - 1, &outcome);
    return outcome.collected;
}

static void growth_allocated(struct runtime *runtime)
{
    (void)growth_collect(runtime, GC_GENERATIONS - 1);
}

const struct gc_policy gc_policy_growth = {
    .name = "growth",
    .summary = "a full collection whenever the containers have doubled since the last",
    .open = growth_open,
    .allocated = growth_allocated,
    .collect = growth_collect,
    .configured = growth_set_trigger,
};
