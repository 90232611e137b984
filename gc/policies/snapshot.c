/* The policy `snapshot`: the bias, when a cycle and a slice are due, and what a slice does. See
 * snapshot.h. */
#include "gc/policies/snapshot.h"

#include <limits.h>
#include <string.h>

#include "common/os_memory.h"
#include "gc/introspect.h"
#include "gc/objects.h"

/* Makes sure that slices will come with allocations, since there is something to do. */
static void snapshot_make_pending(struct runtime *runtime);
static size_t snapshot_check(const struct runtime *runtime);

/* ---------------------------------------------------------------- the bias */

/* The bias: who has it, and what the program does to containers that have it. See snapshot.h. */

bool snapshot_is_guarded(const struct object *object)
{
    if (object->type->layout == TYPE_LAYOUT_TUPLE) {
        const struct tuple_object *tuple = (const struct tuple_object *)object;
        for (size_t i = 0; i < tuple->length; i++) {
            if (tuple->items[i] == NULL) {
                return false;
            }
        }
        return true;
    }
    return (object->type->flags & TYPE_IS_GUARDED) != 0;
}

void snapshot_dismiss(struct runtime *runtime, struct object *object, unsigned mark)
{
    if (!object_is_biased(object)) {
        object_bias(object);
        runtime->collector.registry.marks[object->index] |= (uint8_t)(SNAPSHOT_MARK_BIASED | mark);
    }
}

void snapshot_enqueue_seen(struct runtime *runtime, uint32_t index)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    uint8_t *mark = &runtime->collector.registry.marks[index];
    if (snapshot->seen.length < snapshot->seen.committed) {
        snapshot->seen.items[snapshot->seen.length++] = index;
        *mark |= SNAPSHOT_MARK_QUEUED;
    } else {
        *mark &= (uint8_t)~SNAPSHOT_MARK_QUEUED;
        snapshot_suspect(snapshot, index);
    }
    snapshot_make_pending(runtime);
}

/* A biased member was touched. If that was after T0, the member was alive at T0. Frozen containers
 * are not members. */
static void snapshot_note_touch(struct runtime *runtime, uint32_t index)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    if (index >= snapshot->members || index < snapshot->begin) {
        return;
    }
    if (snapshot->phase >= SNAPSHOT_ROOTS && snapshot->phase <= SNAPSHOT_MARK) {
        snapshot_reach(runtime, index);
    } else if (snapshot->phase == SNAPSHOT_SWEEP &&
               !(runtime->collector.registry.marks[index] & SNAPSHOT_MARK_REACHED)) {
        snapshot_rescue(runtime, index);
    }
}

void snapshot_take_bias(struct runtime *runtime, struct object *object)
{
    object_unbias(object);
    snapshot_set_known(object, SNAPSHOT_FLAG_LOST);
    runtime->collector.registry.marks[object->index] &=
        (uint8_t) ~(SNAPSHOT_MARK_BIASED | SNAPSHOT_MARK_LEAF);
}

void snapshot_lose(struct runtime *runtime, struct object *object)
{
    const struct snapshot *snapshot = snapshot_of(runtime);
    uint32_t index = object->index;
    if (snapshot->phase == SNAPSHOT_BIAS && index < snapshot->cursor && index >= snapshot->begin) {
        snapshot_reach(runtime, index); /* it was not biased at T0, so nothing is known about it */
    }
    snapshot_note_touch(runtime, index);
    snapshot_take_bias(runtime, object);
}

/* In a whole collection the marks belong to the collection, which looks at all containers
 * anyway. */
static void snapshot_unbias_in_collection(struct runtime *runtime, struct object *object)
{
    if (object->index < snapshot_of(runtime)->begin) {
        snapshot_take_bias(runtime, object); /* it is frozen, and its marks stay valid */
    } else {
        object_unbias(object);
    }
}

static void snapshot_unbias(struct runtime *runtime, struct object *object)
{
    uint32_t index = object->index;
    if (index == 0) {
        object_unbias(object); /* it is no longer tracked */
        return;
    }
    if (snapshot_of(runtime)->collecting_all) {
        snapshot_unbias_in_collection(runtime, object);
        return;
    }
    snapshot_lose(runtime, object);
    if (!(runtime->collector.registry.marks[index] & SNAPSHOT_MARK_QUEUED)) {
        snapshot_enqueue_seen(runtime, index);
    }
}

/* The biased container's fields are about to change. It stays biased: if others lose references by
 * this, that is noticed at those. Before T0 the change says nothing about the container, which may
 * have become garbage by T0. */
static void snapshot_change(struct runtime *runtime, struct object *container)
{
    if (snapshot_of(runtime)->collecting_all) {
        snapshot_unbias_in_collection(runtime, container);
        return;
    }
    snapshot_note_touch(runtime, container->index);
    runtime->collector.registry.marks[container->index] &= (uint8_t)~SNAPSHOT_MARK_LEAF;
}

static void snapshot_written(struct runtime *runtime, struct object *container, struct object *item)
{
    bool stored = container != NULL && object_is_biased(container);
    if (stored) {
        snapshot_change(runtime, container);
    }
    if (item != NULL && object_is_biased(item)) {
        snapshot_unbias(runtime, item);
    } else if (item != NULL && stored) {
        snapshot_set_known(item, SNAPSHOT_FLAG_HELD);
    }
}

static void snapshot_gained(struct runtime *runtime, struct object *container, struct object *item)
{
    snapshot_change(runtime, container);
    if (!object_is_biased(item)) {
        snapshot_set_known(item, SNAPSHOT_FLAG_HELD);
    }
}

/* ---------------------------------------------------------------- when a cycle begins */

/* When a cycle begins: there must be suspects, and enough may have become garbage since the last
 * cycle. Nobody knows how much garbage there is. But garbage that is younger than the last cycle is
 * among the containers that are new since then, lived long enough to be looked at, and still exist.
 * As long as cycles find almost nothing, half of those are assumed to be alive; the heap's growth
 * is not discounted. An eighth of all allocations counts in addition, so that a program whose heap
 * does not grow is examined too. Once a cycle has found much, every allocation counts.
 *
 * Containers that were looked at are counted as they come. Those that have died since are
 * subtracted by a recount of the registry's new part, in slices, when it seems to be time. */

enum {
    SNAPSHOT_SIXTY_FOURTHS = 64,
    SNAPSHOT_DISCOUNT = 8, /* this many allocations count as one container, */
    SNAPSHOT_LIVING = 2,   /* and so do this many new containers */
    SNAPSHOT_NEARLY = 8,   /* a recount that got this near is not repeated: 7 eighths are enough */
    SNAPSHOT_RECOUNT_AT_ONCE = 32768, /* entries of one slice */
    SNAPSHOT_RECOUNT_UNIT = 8,        /* entries that cost as much as one container */
};

static void snapshot_rest(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    snapshot->allocated = 0;
    snapshot->survivors = 0;
    snapshot->tracked = registry_tracked(&runtime->collector.registry);
    snapshot->since = snapshot->fresh;
    snapshot->moved = 0;
    snapshot->recount = 0;
}

void snapshot_moved_entries(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    snapshot->moved = snapshot->survivors;
    snapshot->since = snapshot->fresh;
    snapshot->recount = 0;
}

/* Continues the recount. true: `survivors` is correct. */
static bool snapshot_recount(struct snapshot *snapshot, const struct registry *registry,
                             int64_t *budget)
{
    if (snapshot->recount == 0) {
        snapshot->recount = snapshot->since;
        snapshot->recount_end = snapshot->examined;
        snapshot->recounted = snapshot->moved;
        snapshot->survivors = 0; /* counts those that come from now on */
    }
    uint32_t left = snapshot->recount_end - snapshot->recount;
    uint32_t count = left < SNAPSHOT_RECOUNT_AT_ONCE ? left : SNAPSHOT_RECOUNT_AT_ONCE;
    for (uint32_t i = 0; i < count; i++) {
        snapshot->recounted += !registry_is_hole(registry->entries[snapshot->recount + i]);
    }
    *budget -= count / SNAPSHOT_RECOUNT_UNIT;
    snapshot->recount += count;
    if (snapshot->recount < snapshot->recount_end) {
        return false;
    }
    snapshot->survivors += snapshot->recounted;
    snapshot->recount = 0;
    return true;
}

static uint64_t snapshot_reason(const struct snapshot *snapshot, uint64_t tracked)
{
    uint64_t growth = tracked > snapshot->tracked ? tracked - snapshot->tracked : 0;
    uint64_t living = snapshot->survivors / SNAPSHOT_LIVING;
    return (growth > living ? growth : living) + snapshot->allocated / SNAPSHOT_DISCOUNT;
}

static bool snapshot_is_due(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    uint64_t tracked = registry_tracked(registry);
    uint64_t patience = tracked * snapshot->parameters->patience / SNAPSHOT_SIXTY_FOURTHS;
    patience = patience > snapshot->parameters->floor ? patience : snapshot->parameters->floor;
    if (snapshot->suspects == 0) {
        return false;
    }
    if (snapshot->is_rich) {
        return snapshot->allocated >= patience;
    }
    if (snapshot->recount == 0 && snapshot_reason(snapshot, tracked) < patience) {
        return false;
    }
    return snapshot_recount(snapshot, registry, budget) &&
           snapshot_reason(snapshot, tracked) >= patience - patience / SNAPSHOT_NEARLY;
}

/* ---------------------------------------------------------------- slices */

enum {
    SNAPSHOT_INDICES_STEP = 16384, /* memory grows by this many indices: 16 pages */
    SNAPSHOT_INDICES_SPARE = 4096, /* room for candidates, beside those that are queued */
    SNAPSHOT_YIELD_RICH = 16, /* a cycle that finds more than a 16th of its members found much, */
    SNAPSHOT_YIELD_POOR = 64, /* and so do the next ones while they find more than a 64th */
    SNAPSHOT_HOLES_SHARE = 4, /* this share of the registry, */
    SNAPSHOT_HOLES_FLOOR = 4096, /* and at least this many holes, are worth closing */
};

/* ---------------------------------------------------------------- vectors of indices */
static bool snapshot_indices_open(struct snapshot_indices *indices, uint32_t limit)
{
    *indices = (struct snapshot_indices){0};
    indices->items = os_reserve_scratch((size_t)limit * sizeof(*indices->items));
    return indices->items != NULL;
}

static void snapshot_indices_close(struct snapshot_indices *indices, uint32_t limit)
{
    if (indices->items != NULL) {
        os_unmap(indices->items, (size_t)limit * sizeof(*indices->items));
    }
}

/* Makes room for that many indices, by at most one step; it is called often enough. false: there is
 * not enough room. */
static bool snapshot_indices_fit(struct snapshot_indices *indices, uint32_t count)
{
    if (indices->committed < count &&
        os_commit_scratch(indices->items + indices->committed,
                          SNAPSHOT_INDICES_STEP * sizeof(*indices->items))) {
        indices->committed += SNAPSHOT_INDICES_STEP;
    }
    return indices->committed >= count;
}

/* ---------------------------------------------------------------- when */
void snapshot_seal(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    uint32_t fresh = registry->length - snapshot->sealed;
    memset(registry->marks + snapshot->sealed, 0, fresh);
    registry_seal(registry);
    snapshot->sealed = registry->length;
    snapshot->allocated += snapshot->calls > fresh ? snapshot->calls : fresh;
    snapshot->calls = 0;
    runtime->collector.count = 0;
}

static bool snapshot_has_many_holes(const struct runtime *runtime)
{
    const struct registry *registry = &runtime->collector.registry;
    return registry->holes > registry->length / SNAPSHOT_HOLES_SHARE &&
           registry->holes > SNAPSHOT_HOLES_FLOOR;
}

/* Announces a cycle as a collection of the oldest generation, however many slices it takes. */
static void snapshot_notify_begin(struct runtime *runtime)
{
    introspect_notify(runtime, &(struct gc_event){GC_PHASE_START, GC_GENERATIONS - 1, 0, 0});
}

static void snapshot_notify_end(struct runtime *runtime)
{
    const struct snapshot *snapshot = snapshot_of(runtime);
    introspect_notify(runtime, &(struct gc_event){GC_PHASE_STOP, GC_GENERATIONS - 1,
                                                  snapshot->collected, snapshot->uncollectable});
}

static void snapshot_end_cycle(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    snapshot->is_rich =
        snapshot->found >
        snapshot->members / (snapshot->is_rich ? SNAPSHOT_YIELD_POOR : SNAPSHOT_YIELD_RICH);
    snapshot->members = 0;
    snapshot_rest(runtime);
    runtime->collector.stats.collections[GC_GENERATIONS - 1]++;
    snapshot_notify_end(runtime);
}

/* Ends the running cycle: trash that was begun is freed, and a verdict that is not reached yet is
 * abandoned. */
static void snapshot_end_now(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    int64_t unbounded = INT64_MAX;
    if (snapshot->phase >= SNAPSHOT_KEEP && snapshot->phase <= SNAPSHOT_DROP) {
        snapshot_advance(runtime, &unbounded);
    }
    for (uint32_t k = 0; k < snapshot->trash.length; k++) {
        struct object *object = gc_trash_object(&runtime->collector.registry, &snapshot->trash, k);
        if (object != NULL) {
            gc_trash_keep(object);
        }
    }
    bool under_way = snapshot->members > 0;
    snapshot->trash.length = 0;
    snapshot->phase = SNAPSHOT_IDLE;
    snapshot->members = 0;
    if (under_way) {
        snapshot_notify_end(runtime);
    }
}

static void snapshot_note_boundaries(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    snapshot->begin = runtime->collector.registry.starts[GC_GENERATIONS - 1];
    snapshot->boundary_moves = runtime->collector.boundary_moves;
}

/* Containers were frozen or unfrozen: a new cycle looks at those that are not frozen now. */
static void snapshot_begin_anew(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    snapshot_end_now(runtime);
    snapshot_seal(runtime);
    snapshot_note_boundaries(runtime);
    snapshot->examined = registry->starts[0];
    snapshot->fresh = registry->starts[0];
    snapshot->suspects++;
    snapshot->is_open = true;
}

/* Called when a cycle should begin: is there room for all containers? */
static bool snapshot_has_room(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    bool wants_cycle = snapshot->suspects > 0 || snapshot->phase != SNAPSHOT_IDLE;
    return wants_cycle &&
           snapshot_indices_fit(&snapshot->queue, runtime->collector.registry.length);
}

/* Announces a cycle. Callbacks may then freeze containers. */
static void snapshot_announce_cycle(struct runtime *runtime)
{
    snapshot_notify_begin(runtime);
    if (snapshot_is_disturbed(runtime)) {
        snapshot_begin_anew(runtime);
        if (!snapshot_has_room(runtime)) {
            snapshot_notify_end(runtime);
            return;
        }
    }
    snapshot_begin_cycle(runtime);
}

/* Continues the running cycle, or begins one. */
static void snapshot_run_cycle(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    bool has_room = snapshot_has_room(runtime); /* now all future members are in place */
    if (snapshot->phase == SNAPSHOT_IDLE && has_room && snapshot_is_due(runtime, budget)) {
        snapshot_announce_cycle(runtime);
    } else if (snapshot->phase == SNAPSHOT_IDLE && snapshot_has_many_holes(runtime)) {
        snapshot->phase = SNAPSHOT_COMPACT;
        snapshot->cursor = snapshot->begin;
    } else if (snapshot->phase == SNAPSHOT_BIAS && has_room) {
        snapshot->members = registry->starts[0];
    }
    snapshot->units += snapshot->parameters->slice_units - *budget;
    *budget = snapshot->parameters->slice_units; /* examining does not reduce a cycle's budget */
    snapshot_advance(runtime, budget);
    if (snapshot->phase == SNAPSHOT_IDLE && snapshot->members > 0) {
        snapshot_end_cycle(runtime);
    }
}

/* Runs one slice. */
static void snapshot_run(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    int64_t budget = snapshot->parameters->slice_units;
    snapshot->units = 0;
    snapshot_seal(runtime);
    if (snapshot_is_disturbed(runtime)) {
        snapshot_begin_anew(runtime);
    }
    (void)snapshot_indices_fit(&snapshot->seen, snapshot->seen.length + SNAPSHOT_INDICES_SPARE);
    snapshot_examine(runtime, &budget);
    if (!snapshot_is_disturbed(runtime)) {
        snapshot_run_cycle(runtime, &budget);
    }
    snapshot->units += snapshot->parameters->slice_units - budget;
}

/* Decides when the next slice comes. */
static void snapshot_set_trigger(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct collector *collector = &runtime->collector;
    struct registry *registry = &collector->registry;
    uint32_t idle = snapshot->parameters->interval_idle;
    bool is_behind = snapshot->seen.length - snapshot->seen_taken > idle ||
                     snapshot->examined < registry->starts[0];
    bool is_busy = snapshot->phase != SNAPSHOT_IDLE || is_behind || snapshot_is_disturbed(runtime);
    snapshot->is_pending = is_busy || snapshot->suspects > 0 || snapshot_has_candidates(snapshot);
    snapshot->interval = is_busy ? snapshot->parameters->interval_busy : idle;
    collector_set_trigger(collector, snapshot->is_pending ? 0 : INT_MAX);
    registry_set_room(registry, collector->enabled ? registry->starts[0] + idle : UINT32_MAX);
    collector->trash_under_way =
        snapshot->phase >= SNAPSHOT_SWEEP && snapshot->phase <= SNAPSHOT_DROP;
}

static void snapshot_make_pending(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    if (!snapshot->is_pending) {
        snapshot->is_pending = true;
        collector_set_trigger(&runtime->collector, 0);
    }
}

static void snapshot_allocated(struct runtime *runtime)
{
    struct collector *collector = &runtime->collector;
    struct snapshot *snapshot = snapshot_of(runtime);
    if (++snapshot->calls < snapshot->interval && !registry_is_short(&collector->registry)) {
        return;
    }
    pauses_begin(&collector->pauses);
    collector_enter(collector);
    snapshot_run(runtime);
    snapshot_set_trigger(runtime);
    collector->stats.objects_visited += (uint64_t)snapshot->units;
    collector_leave(collector);
    pauses_end(&collector->pauses, (uint64_t)snapshot->units);
}

/* ---------------------------------------------------------------- when asked for */
static void snapshot_empty_seen(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    for (uint32_t k = snapshot->seen_taken; k < snapshot->seen.length; k++) {
        registry->marks[snapshot->seen.items[k]] &= (uint8_t)~SNAPSHOT_MARK_QUEUED;
    }
    snapshot->seen.length = 0;
    snapshot->seen_taken = 0;
}

static void snapshot_renew_one(struct runtime *runtime, struct object *object)
{
    object_unbias(object);
    if (object->index < snapshot_of(runtime)->begin) {
        snapshot_set_known(object, SNAPSHOT_FLAG_LOST); /* it was frozen meanwhile */
    } else if (snapshot_is_guarded(object)) {
        snapshot_dismiss(runtime, object, 0);
    } else {
        snapshot_set_known(object, SNAPSHOT_FLAG_LOST);
        if (object->type->layout == TYPE_LAYOUT_TUPLE) {
            snapshot_enqueue_seen(runtime, object->index);
        }
    }
}

/* After a whole collection every remaining container is alive, and is dismissed. */
static void snapshot_renew(struct runtime *runtime, const struct gc_outcome *outcome)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    /* Finalizers may have made garbage of containers that were already passed, or may have unfrozen
     * some. */
    bool was_disturbed = snapshot_is_disturbed(runtime);
    snapshot->suspects = outcome->unreachable > 0 || was_disturbed;
    snapshot->is_open = was_disturbed;
    snapshot_note_boundaries(runtime);
    registry->starts[1] = snapshot->begin;
    snapshot->sealed = registry->starts[0];
    snapshot_seal(runtime);
    snapshot_empty_seen(runtime);
    for (uint32_t i = outcome->begin; i < registry->starts[0]; i++) {
        struct object *object = registry_object(registry, i);
        registry->marks[i] = 0;
        if (object != NULL) {
            snapshot_renew_one(runtime, object);
        }
    }
    snapshot->examined = registry->starts[0];
    snapshot->fresh = registry->starts[0];
    snapshot_rest(runtime);
}

/* Collects everything in one pause, whatever the generation. */
static uint64_t snapshot_collect(struct runtime *runtime, int generation)
{
    struct collector *collector = &runtime->collector;
    struct snapshot *snapshot = snapshot_of(runtime);
    pauses_begin(&collector->pauses);
    uint64_t collected = collector->stats.collected;
    collector_enter(collector);
    snapshot_end_now(runtime);
    introspect_notify(runtime, &(struct gc_event){GC_PHASE_START, generation, 0, 0});
    snapshot_note_boundaries(runtime);
    snapshot->collecting_all = true;
    struct gc_outcome outcome = collector_collect(runtime, GC_GENERATIONS - 1, generation);
    snapshot->collecting_all = false;
    snapshot_renew(runtime, &outcome);
    snapshot_set_trigger(runtime);
    collector_end(runtime, generation, &outcome);
    pauses_end(&collector->pauses, 0);
    return collector->stats.collected - collected;
}

/* ---------------------------------------------------------------- the policy */
static bool snapshot_open(struct runtime *runtime)
{
    struct registry *registry = &runtime->collector.registry;
    struct snapshot *snapshot = os_map_scratch(sizeof(*snapshot));
    if (snapshot == NULL) {
        return false;
    }
    snapshot->parameters = runtime->collector.policy->parameters;
    if (!snapshot_indices_open(&snapshot->queue, registry->limit) ||
        !snapshot_indices_open(&snapshot->seen, registry->limit)) {
        snapshot_indices_close(&snapshot->queue, registry->limit);
        os_unmap(snapshot, sizeof(*snapshot));
        return false;
    }
    (void)snapshot_indices_fit(&snapshot->seen, SNAPSHOT_INDICES_SPARE); /* now, not in a pause */
    (void)snapshot_indices_fit(&snapshot->queue, registry->length);
    runtime->collector.state = snapshot;
    snapshot_note_boundaries(runtime);
    snapshot->sealed = registry->length;
    snapshot->examined = registry->length;
    snapshot->fresh = registry->length;
    snapshot->efforts[0].limit = snapshot->parameters->trial_max;
    snapshot->efforts[1].limit = snapshot->parameters->trial_max;

    registry->pins++; /* marks and candidates refer to containers by index */
    snapshot_set_trigger(runtime);
    return true;
}

static void snapshot_close(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    uint32_t limit = runtime->collector.registry.limit;
    snapshot_indices_close(&snapshot->queue, limit);
    snapshot_indices_close(&snapshot->seen, limit);
    os_unmap(snapshot, sizeof(*snapshot));
}

/* If each unit misses every cache, which takes 0.1 us, a slice takes 0.8 ms. */
static const struct snapshot_parameters snapshot_parameters = {
    .slice_units = 8192,
    .trial_max = SNAPSHOT_TRIAL_MAX,
    .youth_max = SNAPSHOT_YOUTH_MAX,
    .interval_busy = 32,
    .interval_idle = 512,
    .newest = 16,
    .patience = 6,
    .floor = 4096,
};

const struct gc_policy gc_policy_snapshot = {
    .name = "snapshot",
    .summary =
        "incremental and exact: short pauses, little floating garbage, no cost to increments",
    .parameters = &snapshot_parameters,
    .open = snapshot_open,
    .close = snapshot_close,
    .allocated = snapshot_allocated,
    .collect = snapshot_collect,
    .configured = snapshot_set_trigger,
    .decremented = snapshot_unbias,
    .written = snapshot_written,
    .gained = snapshot_gained,
    .check = snapshot_check,
};

/* ---------------------------------------------------------------- the checker */

/* Verifies the claims of snapshot.h. */

static int snapshot_check_container(struct object *referent, void *context)
{
    (void)context;
    return referent->index != 0;
}

struct snapshot_check_references {
    uint32_t begin;
    size_t broken;
};

/* Checks invariant 3. */
static int snapshot_check_referent(struct object *referent, void *context)
{
    struct snapshot_check_references *references = context;
    if (referent->index >= references->begin && !object_is_biased(referent) &&
        !snapshot_is_known(referent)) {
        references->broken +=
            object_report(referent, "not known, though a biased container refers to it");
    }
    return 0;
}

static size_t snapshot_check_one(const struct snapshot *snapshot, struct object *object,
                                 uint8_t mark)
{
    size_t broken = 0;
    bool biased = object_is_biased(object);
    if (biased != ((mark & SNAPSHOT_MARK_BIASED) != 0)) {
        broken += object_report(object, "biased in one place and not in the other");
    }
    if (biased && !snapshot_is_guarded(object)) {
        broken += object_report(object, "biased, though its writes are not seen");
    }
    if (mark & SNAPSHOT_MARK_LEAF &&
        (!biased || object->type->traverse(object, snapshot_check_container, NULL) != 0)) {
        broken += object_report(object, "called a leaf, and it refers to a container");
    }
    /* Nothing is claimed about frozen containers, or about references to them: when they are
     * unfrozen, a cycle over all of them begins. */
    if (biased && object->index >= snapshot->begin && snapshot->phase != SNAPSHOT_BIAS &&
        !snapshot->is_open) {
        struct snapshot_check_references references = {snapshot->begin, 0};
        object->type->traverse(object, snapshot_check_referent, &references);
        broken += references.broken;
    }
    bool is_member = object->index >= snapshot->begin && object->index < snapshot->members;
    if (is_member && snapshot->phase >= SNAPSHOT_ROOTS && snapshot->phase <= SNAPSHOT_MARK &&
        !biased && !(mark & SNAPSHOT_MARK_REACHED)) {
        broken += object_report(object, "neither biased nor reached in a cycle");
    }
    return broken;
}

static size_t snapshot_check(const struct runtime *runtime)
{
    const struct snapshot *snapshot = snapshot_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    size_t broken = 0;
    if (snapshot->examined > registry->starts[0] || snapshot->fresh > snapshot->examined ||
        snapshot->members > registry->starts[0] ||
        snapshot->seen.length > snapshot->seen.committed ||
        snapshot->seen_taken > snapshot->seen.length) {
        broken += object_report(NULL, "the collector's ranges are out of order");
    }
    for (uint32_t i = 1; i < registry->length; i++) {
        struct object *object = registry_object(registry, i);
        if (object != NULL && i < registry->starts[0]) {
            broken += snapshot_check_one(snapshot, object, registry->marks[i]);
        } else if (object != NULL && object_is_biased(object)) {
            broken += object_report(object, "new, and biased");
        }
    }
    return broken;
}
