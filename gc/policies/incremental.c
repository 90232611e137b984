/* Increments in the manner of CPython 3.14.0 to 3.14.4 (Python/gc.c, gc_collect_increment and
 * assess_work_to_do; Mark Shannon), reverted later because memory grew.
 *
 * Containers are young or old, and the old ones visited in this round or pending. A collection
 * examines the young ones and an increment: pending ones, each with all the pending ones that it
 * leads to, until the work that is owed has been done. Survivors are visited; when nothing is
 * pending any more, the round is over and all are pending again. The work owed grows by the new
 * containers and a hundredth of the heap, at most one and a half times the new ones.
 *
 * A cycle that dies after it has been visited is not looked at before the next round: what waits
 * is the garbage of up to a whole round, and a round is as long as the heap is large. That is the
 * growth for which it was reverted. What CPython marks from its
 * own roots (stacks, modules) before the increments is left out: here are no roots to be known. */
#include <string.h>

#include "common/os_memory.h"
#include "gc/objects.h"
#include "gc/policies/region.h"

enum {
    INCREMENTAL_SPACE = REGION_POLICY, /* which of the two spaces of old containers */
    INCREMENTAL_YOUNG = 2000,          /* _PyGC_InitState, 3.14: young.threshold, */
    INCREMENTAL_SCALE = 10,            /* old[0].threshold: the scale factor, */
    INCREMENTAL_SCALE_MIN = 2,         /* of assess_work_to_do, */
    INCREMENTAL_DIVISOR = 10,          /* and SCAN_RATE_DIVISOR */
    INCREMENTAL_GENERATION = 1,        /* as which increments are counted and announced */
};

struct incremental {
    struct region region;
    uint8_t visited;  /* the space, 0 or INCREMENTAL_SPACE, of what has been visited this round */
    uint32_t pending; /* entries below this have been visited, or are holes */
    int64_t work_to_do;
};

static struct incremental *incremental_of(const struct runtime *runtime)
{
    return runtime->collector.state;
}

/* ---------------------------------------------------------------- the increment */
static int64_t incremental_assess(const struct collector *collector)
{
    int64_t new_containers = collector->count;
    int64_t most = new_containers + new_containers / 2;
    int64_t scale = collector->thresholds[1];
    scale = scale < INCREMENTAL_SCALE_MIN ? INCREMENTAL_SCALE_MIN : scale;
    int64_t heap_part =
        (int64_t)registry_tracked(&collector->registry) / INCREMENTAL_DIVISOR / scale;
    return new_containers + (heap_part < most ? heap_part : most);
}

/* The young ones, which nothing is followed from. */
static void incremental_add_young(struct runtime *runtime, struct incremental *incremental)
{
    struct registry *registry = &runtime->collector.registry;
    uint32_t begin = registry->starts[0];
    registry_seal(registry);
    for (uint32_t i = begin; i < registry->starts[0]; i++) {
        registry->marks[i] = incremental->visited;
        if (registry_object(registry, i) != NULL) {
            region_add(runtime, &incremental->region, i);
        }
    }
    incremental->region.expanded = incremental->region.length;
}

/* The next pending container with all the pending ones that it leads to. false: none is left. */
static bool incremental_add_pending(struct runtime *runtime, struct incremental *incremental)
{
    struct registry *registry = &runtime->collector.registry;
    struct region *region = &incremental->region;
    uint32_t frozen = registry->starts[GC_GENERATIONS - 1];
    uint32_t index = incremental->pending > frozen ? incremental->pending : frozen;
    while (index < registry->starts[0] &&
           (registry_object(registry, index) == NULL ||
            (registry->marks[index] & INCREMENTAL_SPACE) == incremental->visited)) {
        index++;
    }
    incremental->pending = index;
    if (index == registry->starts[0]) {
        return false;
    }
    uint32_t first = region->length;
    region->mask = INCREMENTAL_SPACE;
    region->wanted = incremental->visited ^ INCREMENTAL_SPACE;
    region_add(runtime, region, index);
    region_expand(runtime, region);
    for (uint32_t k = first; k < region->length; k++) {
        registry->marks[region->members[k]] ^= INCREMENTAL_SPACE;
    }
    return true;
}

/* The round is over: what was visited is pending. All are in one space now, so that entries may be
 * moved. */
static void incremental_end_round(struct runtime *runtime)
{
    struct incremental *incremental = incremental_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    if (registry->holes > registry->length / 4) {
        registry->starts[1] = registry->starts[GC_GENERATIONS - 1];
        (void)registry_compact(registry, registry->starts[1]);
    }
    memset(registry->marks, 0, registry->length);
    incremental->visited = INCREMENTAL_SPACE;
    incremental->pending = 1;
}

static void incremental_allocated(struct runtime *runtime)
{
    struct collector *collector = &runtime->collector;
    struct incremental *incremental = incremental_of(runtime);
    struct region *region = &incremental->region;
    pauses_begin(&collector->pauses);
    collector_begin(runtime, INCREMENTAL_GENERATION);
    incremental->work_to_do += incremental_assess(collector);
    collector->count = 0;
    struct gc_outcome outcome = {0};
    uint32_t examined = 0;
    bool more = true;
    if (region_begin(region, &collector->registry)) {
        incremental_add_young(runtime, incremental);
        while (more && (int64_t)region->length < incremental->work_to_do) {
            more = incremental_add_pending(runtime, incremental);
        }
        examined = region->length;
        outcome = region_collect(runtime, region, INCREMENTAL_GENERATION);
        incremental->work_to_do -= examined;
        if (!more) {
            incremental_end_round(runtime);
        }
    }
    /* One collection a pause: the increment that ends a round is the oldest generation's. */
    collector->stats.collections[more ? INCREMENTAL_GENERATION : GC_GENERATIONS - 1]++;
    collector->stats.objects_visited += examined;
    collector_end(runtime, INCREMENTAL_GENERATION, &outcome);
    pauses_end(&collector->pauses, examined);
}

/* ---------------------------------------------------------------- the policy */
/* Everything, whatever the generation; then all are pending. */
static uint64_t incremental_collect(struct runtime *runtime, int generation)
{
    struct incremental *incremental = incremental_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    collector_begin(runtime, generation);
    struct gc_outcome outcome = collector_collect(runtime, GC_GENERATIONS - 1, generation);
    registry->starts[1] = registry->starts[GC_GENERATIONS - 1];
    memset(registry->marks, 0, registry->length);
    incremental->visited = INCREMENTAL_SPACE;
    incremental->pending = 1;
    incremental->work_to_do = 0;
    runtime->collector.count = 0;
    collector_end(runtime, generation, &outcome);
    return outcome.collected;
}

static bool incremental_open(struct runtime *runtime)
{
    struct incremental *incremental = os_map_scratch(sizeof(*incremental));
    if (incremental == NULL) {
        return false;
    }
    if (!region_open(&incremental->region, runtime->collector.registry.limit)) {
        os_unmap(incremental, sizeof(*incremental));
        return false;
    }
    incremental->visited = INCREMENTAL_SPACE;
    incremental->pending = 1;
    runtime->collector.registry.pins++; /* marks go by index */
    runtime->collector.state = incremental;
    runtime->collector.thresholds[0] = INCREMENTAL_YOUNG;
    runtime->collector.thresholds[1] = INCREMENTAL_SCALE;
    collector_set_trigger_by_threshold(runtime);
    return true;
}

static void incremental_close(struct runtime *runtime)
{
    struct incremental *incremental = incremental_of(runtime);
    region_close(&incremental->region);
    os_unmap(incremental, sizeof(*incremental));
}

const struct gc_policy gc_policy_incremental = {
    .name = "incremental",
    .summary = "the young and an increment of the old, as CPython 3.14.0 to 3.14.4",
    .open = incremental_open,
    .close = incremental_close,
    .allocated = incremental_allocated,
    .collect = incremental_collect,
    .configured = collector_set_trigger_by_threshold,
};
