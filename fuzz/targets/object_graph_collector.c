#include "fuzz/targets/object_graph_collector.h"

#include "fuzz/landmark.h"
#include "gc/introspect.h"
#include "gc/policies/snapshot.h"

/* Flags of the input's first byte; object_graph_fuzzer.c has the others. */
enum {
    GRAPH_FLAG_AUTOMATIC = 1u << 0,
    GRAPH_FLAG_THRESHOLD_SHIFT = 1, /* two bits */
};

enum { GRAPH_COLLECTIONS = 3 /* more, when one does not do */ };

FUZZ_LANDMARKS(rescued)
FUZZ_LANDMARKS(phases)
FUZZ_LANDMARKS(suspended)
FUZZ_LANDMARKS(written)

/* ---------------------------------------------------------------- policies */
/* With its usual pace `snapshot` would never begin a cycle before the program ends. */
static const struct snapshot_parameters *graph_snapshot_parameters(unsigned choice)
{
    static const struct {
        int64_t slice_units;
        uint32_t busy;
        uint32_t idle;
    } paces[4] = {{8192, 32, 512}, {64, 4, 64}, {8, 1, 8}, {1, 1, 1}};
    static const uint32_t trials[4] = {SNAPSHOT_TRIAL_MAX, 0, 8, 2};
    static const struct {
        uint32_t floor;
        uint32_t patience;
    } dues[4] = {{4096, 6}, {64, 6}, {8, 1}, {1, 0}};
    static struct snapshot_parameters parameters;
    parameters = (struct snapshot_parameters){
        .slice_units = paces[choice & 3].slice_units,
        .interval_busy = paces[choice & 3].busy,
        .interval_idle = paces[choice & 3].idle,
        .trial_max = trials[choice >> 2 & 3],
        .youth_max = choice & 16 ? 0 : SNAPSHOT_YOUTH_MAX,
        .newest = choice & 32 ? 0 : 16,
        .floor = dues[choice >> 6 & 3].floor,
        .patience = dues[choice >> 6 & 3].patience,
    };
    return &parameters;
}

const struct gc_policy *graph_policy(const struct palette *palette)
{
    extern const struct gc_policy gc_policy_snapshot;
    static struct gc_policy snapshot;
    unsigned choice = palette->entries[3] >> 8;
    unsigned count = 0;
    while (gc_policy_table[count] != NULL) {
        count++;
    }
    const struct gc_policy *policy =
        choice < 128 ? gc_policy_default() : gc_policy_table[choice % count];
    if (policy == &gc_policy_snapshot) {
        snapshot = gc_policy_snapshot;
        snapshot.parameters = graph_snapshot_parameters(palette->entries[2] >> 8);
        policy = &snapshot;
    }
    return policy;
}

bool graph_is_automatic(const struct palette *palette)
{
    return (palette->flags & GRAPH_FLAG_AUTOMATIC) != 0;
}

static void graph_switch_collection(struct shadow *shadow, bool automatic)
{
    shadow->is_automatic = automatic;
    gc_enable(shadow->runtime, automatic);
}

void graph_configure(struct shadow *shadow, const struct palette *palette)
{
    static const int thresholds[4][GC_GENERATIONS] = {
        {700, 10, 10}, {15, 3, 2}, {1, 1, 1}, {60, 2, 2}};
    gc_set_threshold(shadow->runtime, thresholds[palette->flags >> GRAPH_FLAG_THRESHOLD_SHIFT & 3]);
    graph_switch_collection(shadow, graph_is_automatic(palette));
}

/* ---------------------------------------------------------------- collecting */
/* Collects once. Returns whether the next collection would free nothing: deeds have made or frozen
 * no garbage meanwhile, and nothing was referenced by uncollectable objects. */
static bool graph_collect_once(struct shadow *shadow, int generation)
{
    struct runtime *runtime = shadow->runtime;
    const uint32_t moves = runtime->collector.boundary_moves;
    const uint64_t uncollectable = runtime->collector.stats.uncollectable;
    shadow->deeds.made_garbage = false;
    (void)graph_watch_collect(shadow, generation);
    return !shadow->deeds.made_garbage && runtime->collector.boundary_moves == moves &&
           runtime->collector.stats.uncollectable == uncollectable;
}

void graph_collect(struct shadow *shadow, int generation)
{
    bool is_full = generation == GC_GENERATIONS - 1;
    bool is_all = graph_collect_once(shadow, generation);
    for (int i = 0; i < GRAPH_COLLECTIONS && is_full && !is_all; i++) {
        is_all = graph_collect_once(shadow, generation);
    }
    if (shadow->runtime->save_all) {
        shadow_note_garbage(shadow); /* it has freed nothing */
    } else if (is_full && is_all && !shadow->is_frozen) {
        shadow_collected(shadow);
        landmark_rescued((unsigned)shadow->rescued_count);
    } else {
        shadow->is_exact = false;
    }
}

/* Frozen containers are alive, whatever refers to them. */
static void graph_freeze(struct shadow *shadow)
{
    gc_freeze(shadow->runtime);
    graph_watch_freezing(shadow, true);
    shadow->is_frozen = true;
}

void graph_unfreeze(struct shadow *shadow)
{
    if (shadow->is_frozen) {
        gc_unfreeze(shadow->runtime);
        graph_watch_freezing(shadow, false);
        shadow->is_frozen = false;
    }
}

void graph_before_allocation(struct shadow *shadow)
{
    if (shadow->is_automatic && !shadow->runtime->save_all) {
        shadow->is_exact = false;
    }
}

/* ---------------------------------------------------------------- where a sliced collection stands
 */
const struct object *graph_suspended(const struct shadow *shadow)
{
    if (!shadow->watch.is_sliced) {
        return NULL;
    }
    const struct registry *registry = &shadow->runtime->collector.registry;
    const uint32_t index = snapshot_of(shadow->runtime)->scanning;
    return index == 0 || index >= registry->length ? NULL : registry_object(registry, index);
}

/* Which phase it is in and whether it was interrupted in a container; in what kind of one, how far
 * into it, and how much is left to be looked at. */
void graph_pass_phase(const struct shadow *shadow)
{
    if (!shadow->watch.is_sliced) {
        return;
    }
    const struct snapshot *snapshot = snapshot_of(shadow->runtime);
    unsigned stopped = snapshot->scanning == 0 ? 0 : snapshot->position == 0 ? 1 : 2;
    landmark_phases((unsigned)snapshot->phase * 3 + stopped);
    const struct object *suspended = graph_suspended(shadow);
    if (suspended != NULL) {
        unsigned depth = snapshot->position == 0 ? 0 : snapshot->position < 8 ? 1 : 2;
        unsigned waits = snapshot->taken < snapshot->queue.length;
        landmark_suspended((unsigned)suspended->type->layout * 10 + depth * 2 + waits);
    }
}

/* In which phase a container is written, and whether the collection was interrupted in it. */
void graph_pass_write(const struct shadow *shadow, int container, unsigned how)
{
    if (!shadow->watch.is_sliced) {
        return;
    }
    const struct snapshot *snapshot = snapshot_of(shadow->runtime);
    const struct object *object = shadow->nodes[container].object;
    if (object == graph_suspended(shadow)) {
        landmark_written(16 + how);
    } else if (object_is_container(object) && object->index < snapshot->members) {
        landmark_written((unsigned)snapshot->phase);
    }
}

void graph_step_collector(struct shadow *shadow, unsigned low, unsigned high)
{
    switch (high) {
    case 15:
        graph_switch_collection(shadow, (low & 1) != 0);
        break;
    case 14:
        if (low & 1) {
            graph_freeze(shadow);
        } else {
            graph_unfreeze(shadow);
        }
        break;
    default:
        graph_collect(shadow, high >= 6 ? GC_GENERATIONS - 1 : (int)high % GC_GENERATIONS);
    }
}
