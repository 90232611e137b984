#include "fuzz/targets/object_graph_watch.h"

#include <inttypes.h>
#include <string.h>

#include "fuzz/targets/object_graph_shadow.h"
#include "gc/policies/generational.h"
#include "gc/policies/snapshot.h"
#include "gc/runtime.h"

enum {
    WATCH_FREEZE = GC_GENERATIONS,
    WATCH_UNFREEZE,
    WATCH_TABLE = 1 << 15,   /* entries of the registry whose generation is looked up */
    WATCH_TRACKED_MAX = 1200 /* nodes, dicts of attributes and weak references, without deeds */
};

extern const struct gc_policy gc_policy_growth;
extern const struct gc_policy gc_policy_none;
extern const struct gc_policy gc_policy_snapshot;
extern const struct gc_policy gc_policy_trial_deletion_php;
extern const struct gc_policy gc_policy_trial_deletion_orc;

static bool watch_is_generational(const struct shadow *shadow)
{
    return shadow->runtime->collector.policy->open == generational_open;
}

/* ---------------------------------------------------------------- generations */
/* What the events have made of the node since it was last looked at. */
static void watch_settle(const struct graph_watch *watch, struct shadow_node *node)
{
    for (; node->seen < watch->event_count; node->seen++) {
        unsigned event = watch->events[node->seen];
        if (event == WATCH_FREEZE) {
            node->generation = WATCH_FROZEN;
        } else if (event == WATCH_UNFREEZE) {
            node->generation =
                node->generation == WATCH_FROZEN ? GC_GENERATIONS - 1 : node->generation;
        } else if (node->generation != WATCH_UNKNOWN && node->generation <= event) {
            node->generation =
                (uint8_t)(event + 1 < GC_GENERATIONS ? event + 1 : GC_GENERATIONS - 1);
        }
    }
}

static void watch_note_event(struct shadow *shadow, unsigned event)
{
    struct graph_watch *watch = &shadow->watch;
    if (watch->event_count == WATCH_EVENTS) {
        for (int i = 0; i < shadow->fresh; i++) {
            watch_settle(watch, &shadow->nodes[i]);
            shadow->nodes[i].seen = 0;
        }
        watch->event_count = 0;
    }
    watch->events[watch->event_count++] = (uint8_t)event;
}

void graph_watch_freezing(struct shadow *shadow, bool is_frozen)
{
    watch_note_event(shadow, is_frozen ? WATCH_FREEZE : WATCH_UNFREEZE);
}

struct watch_visit {
    uint8_t generation;
    uint8_t *table;
};

static int watch_visit_note(struct object *object, void *context)
{
    const struct watch_visit *visit = context;
    if (object->index < WATCH_TABLE) {
        visit->table[object->index] = visit->generation;
    }
    return 0;
}

FUZZ_ORACLE void graph_watch_generations(struct shadow *shadow)
{
    static uint8_t table[WATCH_TABLE];
    const struct graph_watch *watch = &shadow->watch;
    if (!watch->promotes || watch->has_deeds) {
        return;
    }
    const uint32_t length = shadow->runtime->collector.registry.length;
    memset(table, WATCH_FROZEN, length < WATCH_TABLE ? length : WATCH_TABLE);
    for (int i = 0; i < GC_GENERATIONS; i++) {
        struct watch_visit visit = {(uint8_t)i, table};
        (void)gc_visit_objects(shadow->runtime, i, watch_visit_note, &visit);
    }
    for (int i = 0; i < shadow->fresh; i++) {
        struct shadow_node *node = &shadow->nodes[i];
        if (!node->alive || !(node->reachable || shadow->is_exact)) {
            continue;
        }
        watch_settle(watch, node);
        uint32_t index = object_is_container(node->object) ? node->object->index : 0;
        FUZZ_EXPECT(index == 0 || index >= WATCH_TABLE || node->generation == WATCH_UNKNOWN ||
                        table[index] == node->generation,
                    "generation", "container %" PRId64 " is in generation %u, not in %u",
                    node->serial, table[index], node->generation);
    }
}

/* ---------------------------------------------------------------- what callbacks are told */
/* An automatic collection is of the oldest generation whose count is beyond its threshold; of the
 * oldest one only when enough is new. */
static void watch_expect_due(const struct shadow *shadow, int generation)
{
    int counts[GC_GENERATIONS];
    int thresholds[GC_GENERATIONS];
    gc_get_count(shadow->runtime, counts);
    gc_get_threshold(shadow->runtime, thresholds);
    bool older = generation == 0 && counts[1] > thresholds[1];
    FUZZ_EXPECT(counts[generation] > thresholds[generation] && !older, "trigger",
                "a collection of generation %d, by counts of %d, %d, %d", generation, counts[0],
                counts[1], counts[2]);
}

static void watch_expect_counts(const struct shadow *shadow)
{
    int counts[GC_GENERATIONS];
    gc_get_count(shadow->runtime, counts);
    for (int i = 1; i < GC_GENERATIONS && watch_is_generational(shadow); i++) {
        FUZZ_EXPECT(counts[i] == shadow->watch.counts[i], "counts",
                    "%d collections are counted for generation %d, of %d", counts[i], i,
                    shadow->watch.counts[i]);
    }
}

static void watch_begun(struct shadow *shadow, const struct gc_event *event)
{
    struct graph_watch *watch = &shadow->watch;
    FUZZ_EXPECT(event->collected == 0 && event->uncollectable == 0, "callback",
                "a collection that begins has collected something");
    FUZZ_EXPECT(watch->asked > 0 || gc_is_enabled(shadow->runtime), "trigger",
                "a collection that nobody has asked for");
    watch_expect_counts(shadow);
    if (watch_is_generational(shadow) && watch->asked == 0) {
        watch_expect_due(shadow, event->generation);
    }
    watch->begun = *event;
    runtime_stats(shadow->runtime, &watch->before);
    memset(watch->counts, 0, (size_t)(event->generation + 1) * sizeof(*watch->counts));
    if (event->generation + 1 < GC_GENERATIONS) {
        watch->counts[event->generation + 1]++;
    }
    watch_note_event(shadow, (unsigned)event->generation);
}

static void watch_ended(struct shadow *shadow, const struct gc_event *event)
{
    struct graph_watch *watch = &shadow->watch;
    const struct gc_stats *before = &watch->before;
    struct gc_stats after;
    runtime_stats(shadow->runtime, &after);
    const int generation = event->generation;
    uint64_t collections = 0;
    for (int i = 0; i < GC_GENERATIONS; i++) {
        collections += after.collections[i] - before->collections[i];
    }
    watch->collected += event->collected;
    FUZZ_EXPECT(generation == watch->begun.generation, "callback",
                "a collection of generation %d ends as one of %d", watch->begun.generation,
                generation);
    if (watch->is_sliced) {
        return;
    }
    FUZZ_EXPECT(after.collected - before->collected == event->collected &&
                    after.collected_in[generation] - before->collected_in[generation] ==
                        event->collected,
                "stats", "%" PRIu64 " containers are collected, %" PRIu64 " by the figures",
                event->collected, after.collected - before->collected);
    FUZZ_EXPECT(after.uncollectable - before->uncollectable == event->uncollectable, "stats",
                "%" PRIu64 " containers are uncollectable, %" PRIu64 " by the figures",
                event->uncollectable, after.uncollectable - before->uncollectable);
    FUZZ_EXPECT(collections == 1 || fuzz_memory_faults.refused != 0, "stats",
                "%" PRIu64 " collections are counted for one", collections);
    uint64_t visited = after.objects_visited - before->objects_visited;
    bool is_known = watch->promotes && generation == GC_GENERATIONS - 1 && !shadow->is_frozen &&
                    !shadow->watch.has_deeds;
    FUZZ_EXPECT(!is_known || visited == before->tracked, "stats",
                "%" PRIu64 " containers are visited of %" PRIu64, visited, before->tracked);
}

static void watch_called(struct runtime *runtime, const struct gc_event *event, void *context)
{
    struct shadow *shadow = &object_graph_shadow;
    struct graph_watch *watch = &shadow->watch;
    FUZZ_EXPECT(context == shadow && runtime == shadow->runtime, "callback",
                "a callback is given another's context");
    FUZZ_EXPECT((event->phase == GC_PHASE_STOP) == watch->is_telling, "callback", "a collection %s",
                watch->is_telling ? "begins in another" : "ends twice");
    watch->is_telling = !watch->is_telling;
    if (watch->is_telling) {
        watch_begun(shadow, event);
    } else {
        watch_ended(shadow, event);
    }
}

void graph_watch_open(struct shadow *shadow, bool has_deeds)
{
    struct graph_watch *watch = &shadow->watch;
    const struct gc_policy *policy = shadow->runtime->collector.policy;
    watch->promotes =
        watch_is_generational(shadow) || policy == &gc_policy_growth || policy == &gc_policy_none;
    watch->is_sliced = policy->open == gc_policy_snapshot.open;
    watch->has_deeds = has_deeds;
    watch->is_telling = false;
    watch->asked = 0;
    watch->collected = 0;
    watch->event_count = 0;
    watch->kept_count = 0;
    memset(watch->counts, 0, sizeof(watch->counts));
    watch->callback = (struct gc_callback){watch_called, shadow, NULL};
    gc_add_callback(shadow->runtime, &watch->callback);
}

void graph_watch_close(struct shadow *shadow)
{
    watch_expect_counts(shadow);
    gc_remove_callback(shadow->runtime, &shadow->watch.callback);
}

/* ---------------------------------------------------------------- collections that are asked for
 */
/* Containers that a full collection must find, all unreachable, by the shadow; those of them that
 * finalizers have brought back meanwhile are subtracted afterwards. */
static uint64_t watch_count_garbage(const struct shadow *shadow, bool *was_garbage)
{
    uint64_t count = 0;
    for (int i = 0; i < shadow->fresh; i++) {
        const struct shadow_node *node = &shadow->nodes[i];
        was_garbage[i] = node->alive && !node->reachable;
        if (was_garbage[i] && object_is_container(node->object)) {
            count += (node->object->index != 0) + (uint64_t)node->has_dict;
        }
    }
    return count;
}

static uint64_t watch_count_rescued(const struct shadow *shadow, const bool *was_garbage)
{
    uint64_t count = 0;
    for (int i = 0; i < shadow->fresh; i++) {
        const struct shadow_node *node = &shadow->nodes[i];
        if (was_garbage[i] && node->reachable && object_is_container(node->object)) {
            count += (node->object->index != 0) + (uint64_t)node->has_dict;
        }
    }
    return count;
}

/* Whether the shadow knows what a full collection will find. With save_all what finalizers have
 * brought back is not saved, which is told apart nowhere. */
static bool watch_knows_garbage(const struct shadow *shadow, int generation)
{
    bool is_known = shadow->is_exact && generation == GC_GENERATIONS - 1 && !shadow->is_frozen &&
                    !shadow->watch.has_deeds && !shadow->watch.is_sliced &&
                    heap_faults.last <= heap_faults.calls;
    for (int i = 0; i < shadow->fresh && shadow->runtime->save_all && is_known; i++) {
        const struct shadow_node *node = &shadow->nodes[i];
        is_known = !node->alive || node->reachable || node->kind != SHADOW_RESCUED_KIND;
    }
    return is_known;
}

uint64_t graph_watch_collect(struct shadow *shadow, int generation)
{
    static bool was_garbage[SHADOW_NODES];
    struct graph_watch *watch = &shadow->watch;
    const bool is_inside = shadow->runtime->collector.collecting;
    const uint64_t before = watch->collected;
    uint64_t garbage = 0;
    if (!is_inside) {
        shadow_note_garbage(shadow);
    }
    shadow_mark(shadow);
    const bool is_known = !is_inside && watch_knows_garbage(shadow, generation);
    if (is_known) {
        garbage = watch_count_garbage(shadow, was_garbage);
    }
    watch->asked++;
    uint64_t collected = gc_collect(shadow->runtime, generation);
    watch->asked--;
    FUZZ_EXPECT(is_inside ? collected == 0
                          : watch->is_sliced || collected == watch->collected - before,
                "collect", "gc_collect returns %" PRIu64 ", the callbacks were told %" PRIu64,
                collected, watch->collected - before);
    if (is_known) {
        shadow_mark(shadow);
        garbage -= shadow->runtime->save_all ? 0 : watch_count_rescued(shadow, was_garbage);
        FUZZ_EXPECT(collected == garbage, "collect",
                    "gc_collect returns %" PRIu64 ", there were %" PRIu64 " unreachable containers",
                    collected, garbage);
    }
    return collected;
}

/* ---------------------------------------------------------------- promptness */
/* How many roots trial deletion may have come to want after so many runs that freed little. */
static uint64_t watch_roots(const struct shadow *shadow, uint64_t first)
{
    struct gc_stats stats;
    runtime_stats(shadow->runtime, &stats);
    uint64_t runs = stats.collections[0] + stats.collections[1] + stats.collections[2];
    if (shadow->runtime->collector.policy == &gc_policy_trial_deletion_php) {
        return first + runs * first;
    }
    uint64_t roots = first < 256 ? 256 : first;
    for (; runs > 0 && roots < WATCH_KEPT; runs--) {
        roots += roots / 2;
    }
    return roots;
}

static bool watch_has_frames(const struct shadow *shadow)
{
    bool has = false;
    for (int i = 0; i < shadow->fresh; i++) {
        has |= shadow->nodes[i].alive && shadow->nodes[i].kind == SHADOW_FRAME;
    }
    return has;
}

/* Containers to be allocated, and kept, until all that is unreachable now is gone, as the policy's
 * own page says (docs/collectors.md, gc/object.h). 0: it promises nothing. */
static uint64_t watch_bound(const struct shadow *shadow)
{
    const struct collector *collector = &shadow->runtime->collector;
    int thresholds[GC_GENERATIONS];
    gc_get_threshold(shadow->runtime, thresholds);
    const uint64_t young = (uint64_t)thresholds[0] + 1;
    if (watch_is_generational(shadow)) {
        /* A full collection at the latest when the middle one has been collected often enough, and
         * a quarter of what survived the last full one is new. */
        const uint64_t middle = young * ((uint64_t)thresholds[1] + 2);
        return middle * ((uint64_t)thresholds[2] + 2) + WATCH_TRACKED_MAX / 4 + middle;
    }
    if (collector->policy == &gc_policy_growth) {
        return young + WATCH_TRACKED_MAX;
    }
    if (collector->policy == &gc_policy_trial_deletion_php ||
        collector->policy == &gc_policy_trial_deletion_orc) {
        return watch_roots(shadow, young) + 2 * 64; /* its candidates are counted each 64 */
    }
    /* The promise excludes garbage with a frame in it: nobody reports what a frame's owner writes.
     */
    if (shadow->watch.is_sliced && !watch_has_frames(shadow) &&
        snapshot_of(shadow->runtime)->parameters->slice_units == 8192) {
        return 12000 + registry_tracked(&collector->registry) / 4;
    }
    return 0;
}

static bool watch_is_clean(struct shadow *shadow)
{
    shadow_mark(shadow);
    return runtime_objects_live(shadow->runtime) == shadow_objects(shadow, true);
}

/* Allocations on the way to the bound; false: memory was refused. */
static bool watch_wait(struct shadow *shadow, uint64_t bound)
{
    struct graph_watch *watch = &shadow->watch;
    const uint64_t pace = bound / 8 + 1;
    while (watch->kept_count < bound &&
           (watch->kept_count % pace != 0 || !watch_is_clean(shadow))) {
        struct object *list = list_new(shadow->runtime);
        if (list == NULL) {
            return false;
        }
        watch->kept[watch->kept_count++] = list;
    }
    return true;
}

void graph_watch_promptness(struct shadow *shadow)
{
    struct graph_watch *watch = &shadow->watch;
    uint64_t bound = watch_bound(shadow);
    if (bound == 0 || bound > WATCH_KEPT || !shadow->is_automatic || shadow->is_frozen ||
        shadow->runtime->save_all || watch->has_deeds) {
        return;
    }
    shadow->is_exact = false;
    if (watch_wait(shadow, bound)) {
        shadow_mark(shadow);
        uint64_t live = runtime_objects_live(shadow->runtime);
        uint64_t expected = shadow_objects(shadow, true);
        FUZZ_EXPECT(live == expected, "promptness",
                    "%" PRIu64 " objects are alive after %u allocations, of which %" PRIu64
                    " are unreachable",
                    live, watch->kept_count, live - expected);
        shadow_collected(shadow);
        shadow_verify_all(shadow);
    }
    while (watch->kept_count > 0) {
        object_decref(shadow->runtime, watch->kept[--watch->kept_count]);
    }
}
