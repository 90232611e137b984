/* The collector's policy: three generations by survived collections, as CPython 3.11's
 * (Modules/gcmodule.c, gc_collect_generations and gc_collect_main).
 *
 * New containers are in generation 0. A collection examines a generation with all younger ones, and
 * moves the survivors to the next. The oldest is collected only when those that have newly got
 * there are at least a quarter of those that were there: full collections then cost amortised
 * linear time in a growing heap (the 25% rule, Antoine Pitrou, CPython issue 4074). */
#include <limits.h>

#include "gc/collector.h"
#include "gc/objects.h"
#include "gc/runtime.h"

enum {
    GENERATIONS_OLDEST = GC_GENERATIONS - 1,
    GENERATIONS_LONG_LIVED_RATIO = 4, /* gc_collect_generations: long_lived_total / 4 */
};

/* _PyGC_InitState, Modules/gcmodule.c, 3.11. */
static const int generations_thresholds[GC_GENERATIONS] = {700, 10, 10};

static void generations_set_trigger(struct collector *collector)
{
    int threshold = collector->generations[0].threshold;
    collector->trigger = collector->enabled && threshold > 0 ? threshold : INT_MAX;
}

void generations_open(struct collector *collector)
{
    *collector = (struct collector){.enabled = true};
    for (int i = 0; i < GC_GENERATIONS; i++) {
        gc_list_init(&collector->generations[i].list);
        collector->generations[i].threshold = generations_thresholds[i];
    }
    generations_set_trigger(collector);
}

void gc_enable(struct runtime *runtime, bool enabled)
{
    runtime->collector.enabled = enabled;
    generations_set_trigger(&runtime->collector);
}

void gc_set_threshold(struct runtime *runtime, const int thresholds[GC_GENERATIONS])
{
    for (int i = 0; i < GC_GENERATIONS; i++) {
        runtime->collector.generations[i].threshold = thresholds[i];
    }
    generations_set_trigger(&runtime->collector);
}

bool gc_is_tracked(const struct object *object)
{
    return object_is_container(object) && gc_head_of(object)->next != NULL;
}

bool gc_is_finalized(const struct object *object)
{
    return object_is_container(object) && (gc_head_of(object)->prev & GC_FLAG_FINALIZED) != 0;
}

/* Moves the younger generations into the one to be collected, and brings the counts up to date. */
static struct gc_head *generations_gather(struct collector *collector, int generation)
{
    struct gc_head *young = &collector->generations[generation].list;
    for (int i = 0; i < generation; i++) {
        gc_list_merge(&collector->generations[i].list, young);
    }
    for (int i = 0; i <= generation; i++) {
        collector->generations[i].count = 0;
    }
    if (generation < GENERATIONS_OLDEST) {
        collector->generations[generation + 1].count++;
    }
    return young;
}

/* Moves the survivors to the next generation, and keeps the books of the 25% rule. */
static struct gc_head *generations_promote(struct collector *collector, int generation,
                                           uint64_t survivors)
{
    struct gc_head *young = &collector->generations[generation].list;
    if (generation == GENERATIONS_OLDEST) {
        collector->long_lived_pending = 0;
        collector->long_lived_total = survivors;
        return young;
    }
    struct gc_head *old = &collector->generations[generation + 1].list;
    if (generation == GENERATIONS_OLDEST - 1) {
        collector->long_lived_pending += survivors;
    }
    gc_list_merge(young, old);
    return old;
}

/* One collection from beginning to end. */
static uint64_t generations_collect(struct runtime *runtime, int generation)
{
    struct collector *collector = &runtime->collector;
    struct gc_head unreachable;
    uint64_t garbage = 0;

    collector->collecting = true;
    gc_list_init(&unreachable);
    struct gc_head *young = generations_gather(collector, generation);
    uint64_t visited = collector_find_unreachable(young, &unreachable, &garbage);
    struct gc_head *old = generations_promote(collector, generation, visited - garbage);
    /* Here is the place of the phases between finding and freeing: weak references first, then
     * finalizers, then another look at what those brought back. */
    collector_delete_garbage(runtime, &unreachable, old);
    if (generation == GENERATIONS_OLDEST) {
        heap_trim(runtime->heap); /* clear_freelists, after full collections only */
    }
    collector->stats.collections[generation]++;
    collector->stats.objects_visited += visited;
    collector->stats.collected += garbage;
    collector->collecting = false;
    return garbage;
}

uint64_t gc_collect(struct runtime *runtime, int generation)
{
    OBJECT_ASSERT(generation >= 0 && generation < GC_GENERATIONS);
    return runtime->collector.collecting ? 0 : generations_collect(runtime, generation);
}

static bool generations_is_due(const struct collector *collector, int generation)
{
    const struct gc_generation *candidate = &collector->generations[generation];
    if (candidate->count <= candidate->threshold) {
        return false;
    }
    return generation < GENERATIONS_OLDEST ||
           collector->long_lived_pending >=
               collector->long_lived_total / GENERATIONS_LONG_LIVED_RATIO;
}

void generations_collect_due(struct runtime *runtime)
{
    if (runtime->collector.collecting) {
        return;
    }
    for (int i = GENERATIONS_OLDEST; i >= 0; i--) {
        if (generations_is_due(&runtime->collector, i)) {
            generations_collect(runtime, i);
            return;
        }
    }
}
