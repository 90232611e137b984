/* The collector's state, its switches, and one whole collection; gc/policies/ says when. */
#include "gc/collector.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/collector_names.h"
#include "gc/introspect.h"
#include "gc/objects.h"
#include "gc/runtime.h"
#include "gc/trash.h"
#include "gc/world.h"

/* ---------------------------------------------------------------- policies */
const struct gc_policy *gc_policy_find(const char *name, struct error *error)
{
    char names[256] = "";
    name = collector_present_name(name);
    for (size_t i = 0; gc_policy_table[i] != NULL; i++) {
        if (strcmp(gc_policy_table[i]->name, name) == 0) {
            return gc_policy_table[i];
        }
        if (strlen(names) + strlen(gc_policy_table[i]->name) + 2 < sizeof(names)) {
            strcat(names, " ");
            strcat(names, gc_policy_table[i]->name);
        }
    }
    error_set(error, STATUS_INVALID, "no collector is named %s; there are:%s", name, names);
    return NULL;
}

const struct gc_policy *gc_policy_default(void)
{
    extern const struct gc_policy gc_policy_generational_700;
    return &gc_policy_generational_700;
}

const char *gc_policy_name(const struct gc_policy *policy)
{
    return policy->name;
}

const char *gc_policy_summary(const struct gc_policy *policy)
{
    return policy->summary;
}

/* ---------------------------------------------------------------- opening and switching */
bool collector_open(struct runtime *runtime, const struct gc_policy *policy)
{
    struct collector *collector = &runtime->collector;
    collector->policy = policy;
    collector->enabled = true;
    collector->trigger = INT_MAX;
    collector->trigger_enabled = INT_MAX;
    pauses_reset(&collector->pauses);
    if (!registry_open(&collector->registry)) {
        return false;
    }
    if (policy->open != NULL && !policy->open(runtime)) {
        registry_close(&collector->registry);
        return false;
    }
    return true;
}

void collector_close(struct runtime *runtime)
{
    struct collector *collector = &runtime->collector;
    if (collector->policy->close != NULL) {
        collector->policy->close(runtime);
    }
    registry_close(&collector->registry);
}

void collector_set_trigger(struct collector *collector, int trigger)
{
    collector->trigger_enabled = trigger;
    collector->trigger = collector->enabled ? trigger : INT_MAX;
}

void collector_set_trigger_by_threshold(struct runtime *runtime)
{
    int threshold = runtime->collector.thresholds[0];
    collector_set_trigger(&runtime->collector, threshold > 0 ? threshold : INT_MAX);
}

static void collector_configured(struct runtime *runtime)
{
    const struct gc_policy *policy = runtime->collector.policy;
    if (policy->configured != NULL) {
        policy->configured(runtime);
    }
}

void gc_enable(struct runtime *runtime, bool enabled)
{
    runtime->collector.enabled = enabled;
    collector_set_trigger(&runtime->collector, runtime->collector.trigger_enabled);
    collector_configured(runtime);
}

bool gc_is_enabled(const struct runtime *runtime)
{
    return runtime->collector.enabled;
}

void gc_get_threshold(const struct runtime *runtime, int thresholds[GC_GENERATIONS])
{
    memcpy(thresholds, runtime->collector.thresholds, sizeof(runtime->collector.thresholds));
}

void gc_get_count(const struct runtime *runtime, int counts[GC_GENERATIONS])
{
    const struct gc_policy *policy = runtime->collector.policy;
    memset(counts, 0, GC_GENERATIONS * sizeof(*counts));
    if (policy->counted != NULL) {
        policy->counted(runtime, counts);
    }
    counts[0] = runtime->collector.count;
}

void gc_set_threshold(struct runtime *runtime, const int thresholds[GC_GENERATIONS])
{
    memcpy(runtime->collector.thresholds, thresholds, sizeof(runtime->collector.thresholds));
    collector_configured(runtime);
}

bool gc_is_tracked(const struct object *object)
{
    return object->index != 0;
}

bool gc_is_finalized(const struct object *object)
{
    return object_is_container(object) && (gc_head_of(object)->flags & GC_FLAG_FINALIZED) != 0;
}

/* ---------------------------------------------------------------- the program's code */
void collector_enter(struct collector *collector)
{
    OBJECT_ASSERT(!collector->collecting);
    collector->collecting = true;
    collector->registry.pins++;
}

void collector_leave(struct collector *collector)
{
    collector->registry.pins--;
    collector->collecting = false;
}

void collector_expect_sound(const struct runtime *runtime)
{
    const struct collector *collector = &runtime->collector;
    if (GC_IS_CHECKED && !(collector->collecting && collector->registry.pins != 0 &&
                           registry_is_in_order(&collector->registry))) {
        (void)object_report(NULL, "the program's code ran, or is to run, in an unsound collection");
        abort();
    }
}

/* ---------------------------------------------------------------- collecting */
uint64_t gc_collected(const struct runtime *runtime)
{
    return runtime->collector.stats.collected;
}

struct pauses *runtime_pauses(struct runtime *runtime)
{
    return &runtime->collector.pauses;
}

uint64_t gc_collect(struct runtime *runtime, int generation)
{
    OBJECT_ASSERT(generation >= 0 && generation < GC_GENERATIONS);
#ifdef GC_THREADS
    uint64_t collected = 0;
    gc_stop(runtime);
    if (!runtime->collector.collecting) {
        world_settle(runtime);
        world_begin_collection(runtime);
        collected = runtime->collector.policy->collect(runtime, generation);
        world_end_collection(runtime);
    }
    gc_start(runtime);
    return collected;
#else
    return runtime->collector.collecting ? 0
                                         : runtime->collector.policy->collect(runtime, generation);
#endif
}

/* What save_all has kept counts as collected, as in CPython. */
uint64_t collector_count_trash(struct runtime *runtime, int generation,
                               const struct gc_trash *trash, uint64_t freed)
{
    struct gc_stats *stats = &runtime->collector.stats;
    uint64_t collected = freed + trash->saved + trash->called;
    stats->collected += collected;
    stats->collected_in[generation] += collected;
    stats->uncollectable += trash->uncollectable;
    stats->uncollectable_in[generation] += trash->uncollectable;
    return collected;
}

void collector_begin(struct runtime *runtime, int generation)
{
    collector_enter(&runtime->collector);
    introspect_notify(runtime, &(struct gc_event){GC_PHASE_START, generation, 0, 0});
}

void collector_end(struct runtime *runtime, int generation, const struct gc_outcome *outcome)
{
    introspect_notify(runtime, &(struct gc_event){GC_PHASE_STOP, generation, outcome->collected,
                                                  outcome->uncollectable});
    collector_leave(&runtime->collector);
}

/* Frees what was found, and closes the holes, unless what is left has been frozen meanwhile. */
static void collector_free(struct runtime *runtime, struct gc_trash *trash, int generation,
                           struct gc_outcome *outcome)
{
    struct registry *registry = &runtime->collector.registry;
    const uint64_t before = registry->starts[0] - outcome->begin;
    uint64_t freed = trash->length == 0 ? 0 : gc_trash_dispose(runtime, trash);
    if (outcome->examined - freed != before && outcome->begin >= registry->starts[2]) {
        (void)registry_compact(registry, outcome->begin);
    }
    outcome->uncollectable = trash->uncollectable;
    outcome->collected = collector_count_trash(runtime, generation, trash, freed);
}

struct gc_outcome collector_collect(struct runtime *runtime, int oldest, int generation)
{
    struct collector *collector = &runtime->collector;
    struct registry *registry = &collector->registry;
    const struct gc_range range = {registry->starts[oldest], registry->length};
    pauses_begin(&collector->pauses);
    if (oldest == GC_GENERATIONS - 1) {
        registry_merge(registry);
    } else {
        registry_seal(registry);
    }
    struct gc_trash trash = {.indices = registry->numbers + range.begin};
    /* With older containers about, freeing trash may let one of those die whose finalizer then
     * looks around: it must not see trash that is not flagged. */
    trash.plain = range.begin == 1 && !runtime->save_all;
    struct gc_outcome outcome = {.begin = range.begin};
    outcome.examined = collector_find_unreachable(runtime, range, &trash);
    outcome.unreachable = trash.length;
    if (oldest > 0) {
        registry->starts[1] = range.end;
    }
    collector_free(runtime, &trash, generation, &outcome);
    if (generation == GC_GENERATIONS - 1) {
        heap_trim(runtime->heap); /* clear_freelists, after full collections only */
    }
    collector->stats.collections[generation]++;
    collector->stats.objects_visited += outcome.examined;
    pauses_end(&collector->pauses, outcome.examined);
    return outcome;
}
