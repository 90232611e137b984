/* The policy `ours`: when a slice is due, and what it does. See ours.h. */
#include "gc/policies/ours.h"

#include <limits.h>
#include <string.h>

#include "common/os_memory.h"
#include "gc/introspect.h"
#include "gc/objects.h"

enum {
    OURS_INDICES_STEP = 16384, /* indices that memory is added for at a time: 16 pages */
    OURS_INDICES_SPARE = 4096, /* candidates that there is room for, beside those queued */
    OURS_YIELD_RICH = 16,      /* a cycle that finds more than a 16th of its members found much, */
    OURS_YIELD_POOR = 64,      /* and the next ones do while it is more than a 64th */
    OURS_HOLES_SHARE = 4,      /* of the registry, and */
    OURS_HOLES_FLOOR = 4096,   /* at least so many: worth closing up */
};

/* ---------------------------------------------------------------- vectors of indices */
static bool ours_indices_open(struct ours_indices *indices, uint32_t limit)
{
    *indices = (struct ours_indices){0};
    indices->items = os_reserve_scratch((size_t)limit * sizeof(*indices->items));
    return indices->items != NULL;
}

static void ours_indices_close(struct ours_indices *indices, uint32_t limit)
{
    if (indices->items != NULL) {
        os_unmap(indices->items, (size_t)limit * sizeof(*indices->items));
    }
}

/* Makes room for so many indices. One step at most: called often enough. false: there is not so
 * much room. */
static bool ours_indices_fit(struct ours_indices *indices, uint32_t count)
{
    if (indices->committed < count &&
        os_commit_scratch(indices->items + indices->committed,
                          OURS_INDICES_STEP * sizeof(*indices->items))) {
        indices->committed += OURS_INDICES_STEP;
    }
    return indices->committed >= count;
}

/* ---------------------------------------------------------------- when */
void ours_seal(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    uint32_t fresh = registry->length - ours->sealed;
    memset(registry->marks + ours->sealed, 0, fresh);
    registry_seal(registry);
    ours->sealed = registry->length;
    ours->allocated += ours->calls > fresh ? ours->calls : fresh;
    ours->calls = 0;
    runtime->collector.count = 0;
}

static bool ours_has_many_holes(const struct runtime *runtime)
{
    const struct registry *registry = &runtime->collector.registry;
    return registry->holes > registry->length / OURS_HOLES_SHARE &&
           registry->holes > OURS_HOLES_FLOOR;
}

/* A cycle is announced as a collection of the oldest generation, however many slices it takes. */
static void ours_notify_begin(struct runtime *runtime)
{
    introspect_notify(runtime, &(struct gc_event){GC_PHASE_START, GC_GENERATIONS - 1, 0, 0});
}

static void ours_notify_end(struct runtime *runtime)
{
    const struct ours *ours = ours_of(runtime);
    introspect_notify(runtime, &(struct gc_event){GC_PHASE_STOP, GC_GENERATIONS - 1,
                                                  ours->collected, ours->uncollectable});
}

static void ours_end_cycle(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    ours->is_rich =
        ours->found > ours->members / (ours->is_rich ? OURS_YIELD_POOR : OURS_YIELD_RICH);
    ours->members = 0;
    ours_rest(runtime);
    runtime->collector.stats.collections[GC_GENERATIONS - 1]++;
    ours_notify_end(runtime);
}

/* Ends the cycle under way: the trash that has been begun on is freed, and a verdict that is still
 * to come is given up. */
static void ours_end_now(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    int64_t unbounded = INT64_MAX;
    if (ours->phase >= OURS_KEEP && ours->phase <= OURS_DROP) {
        ours_advance(runtime, &unbounded);
    }
    for (uint32_t k = 0; k < ours->trash.length; k++) {
        struct object *object = gc_trash_object(&runtime->collector.registry, &ours->trash, k);
        if (object != NULL) {
            gc_trash_keep(object);
        }
    }
    bool under_way = ours->members > 0;
    ours->trash.length = 0;
    ours->phase = OURS_IDLE;
    ours->members = 0;
    if (under_way) {
        ours_notify_end(runtime);
    }
}

static void ours_note_boundaries(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    ours->begin = runtime->collector.registry.starts[GC_GENERATIONS - 1];
    ours->boundary_moves = runtime->collector.boundary_moves;
}

/* Containers have been frozen or unfrozen: what is in sight now is looked at by a new cycle. */
static void ours_begin_anew(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    ours_end_now(runtime);
    ours_seal(runtime);
    ours_note_boundaries(runtime);
    ours->examined = registry->starts[0];
    ours->fresh = registry->starts[0];
    ours->suspects++;
    ours->is_open = true;
}

/* When there is a reason for a cycle: whether there is room for all containers. */
static bool ours_has_room(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    bool wants_cycle = ours->suspects > 0 || ours->phase != OURS_IDLE;
    return wants_cycle && ours_indices_fit(&ours->queue, runtime->collector.registry.length);
}

/* The callbacks that are told of it may freeze what there is. */
static void ours_announce_cycle(struct runtime *runtime)
{
    ours_notify_begin(runtime);
    if (ours_is_disturbed(runtime)) {
        ours_begin_anew(runtime);
        if (!ours_has_room(runtime)) {
            ours_notify_end(runtime);
            return;
        }
    }
    ours_begin_cycle(runtime);
}

/* Goes on with the cycle under way, or begins one. */
static void ours_run_cycle(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    bool has_room = ours_has_room(runtime); /* now that all is in place that is to be a member */
    if (ours->phase == OURS_IDLE && has_room && ours_is_due(runtime, budget)) {
        ours_announce_cycle(runtime);
    } else if (ours->phase == OURS_IDLE && ours_has_many_holes(runtime)) {
        ours->phase = OURS_COMPACT;
        ours->cursor = ours->begin;
    } else if (ours->phase == OURS_BIAS && has_room) {
        ours->members = registry->starts[0];
    }
    ours->units += ours->parameters->slice_units - *budget;
    *budget = ours->parameters->slice_units; /* examining does not hold up a cycle */
    ours_advance(runtime, budget);
    if (ours->phase == OURS_IDLE && ours->members > 0) {
        ours_end_cycle(runtime);
    }
}

/* One slice. */
static void ours_run(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    int64_t budget = ours->parameters->slice_units;
    ours->units = 0;
    ours_seal(runtime);
    if (ours_is_disturbed(runtime)) {
        ours_begin_anew(runtime);
    }
    (void)ours_indices_fit(&ours->seen, ours->seen.length + OURS_INDICES_SPARE);
    ours_examine(runtime, &budget);
    if (!ours_is_disturbed(runtime)) {
        ours_run_cycle(runtime, &budget);
    }
    ours->units += ours->parameters->slice_units - budget;
}

/* When the next slice comes. */
static void ours_set_trigger(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    struct collector *collector = &runtime->collector;
    struct registry *registry = &collector->registry;
    uint32_t idle = ours->parameters->interval_idle;
    bool is_behind =
        ours->seen.length - ours->seen_taken > idle || ours->examined < registry->starts[0];
    bool is_busy = ours->phase != OURS_IDLE || is_behind || ours_is_disturbed(runtime);
    ours->is_pending = is_busy || ours->suspects > 0 || ours_has_candidates(ours);
    ours->interval = is_busy ? ours->parameters->interval_busy : idle;
    collector_set_trigger(collector, ours->is_pending ? 0 : INT_MAX);
    registry_set_room(registry, collector->enabled ? registry->starts[0] + idle : UINT32_MAX);
    collector->trash_under_way = ours->phase >= OURS_SWEEP && ours->phase <= OURS_DROP;
}

void ours_hurry(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    if (!ours->is_pending) {
        ours->is_pending = true;
        collector_set_trigger(&runtime->collector, 0);
    }
}

static void ours_allocated(struct runtime *runtime)
{
    struct collector *collector = &runtime->collector;
    struct ours *ours = ours_of(runtime);
    if (++ours->calls < ours->interval && !registry_is_short(&collector->registry)) {
        return;
    }
    pauses_begin(&collector->pauses);
    collector_enter(collector);
    ours_run(runtime);
    ours_set_trigger(runtime);
    collector->stats.objects_visited += (uint64_t)ours->units;
    collector_leave(collector);
    pauses_end(&collector->pauses, (uint64_t)ours->units);
}

/* ---------------------------------------------------------------- when asked for */
static void ours_empty_seen(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    for (uint32_t k = ours->seen_taken; k < ours->seen.length; k++) {
        registry->marks[ours->seen.items[k]] &= (uint8_t)~OURS_MARK_QUEUED;
    }
    ours->seen.length = 0;
    ours->seen_taken = 0;
}

static void ours_renew_one(struct runtime *runtime, struct object *object)
{
    object_unbias(object);
    if (object->index < ours_of(runtime)->begin) {
        ours_set_known(object, OURS_FLAG_LOST); /* it has been frozen meanwhile */
    } else if (ours_is_guarded(object)) {
        ours_dismiss(runtime, object, 0);
    } else {
        ours_set_known(object, OURS_FLAG_LOST);
        if (object->type->layout == TYPE_LAYOUT_TUPLE) {
            ours_enqueue_seen(runtime, object->index);
        }
    }
}

/* After a whole collection every container is alive, and dismissed. */
static void ours_renew(struct runtime *runtime, const struct gc_outcome *outcome)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    /* Finalizers may have made garbage of what had been passed already, or have put back what had
     * been frozen. */
    bool was_disturbed = ours_is_disturbed(runtime);
    ours->suspects = outcome->unreachable > 0 || was_disturbed;
    ours->is_open = was_disturbed;
    ours_note_boundaries(runtime);
    registry->starts[1] = ours->begin;
    ours->sealed = registry->starts[0];
    ours_seal(runtime);
    ours_empty_seen(runtime);
    for (uint32_t i = outcome->begin; i < registry->starts[0]; i++) {
        struct object *object = registry_object(registry, i);
        registry->marks[i] = 0;
        if (object != NULL) {
            ours_renew_one(runtime, object);
        }
    }
    ours->examined = registry->starts[0];
    ours->fresh = registry->starts[0];
    ours_rest(runtime);
}

/* A whole collection in one pause, whatever the generation. */
static uint64_t ours_collect(struct runtime *runtime, int generation)
{
    struct collector *collector = &runtime->collector;
    struct ours *ours = ours_of(runtime);
    pauses_begin(&collector->pauses);
    uint64_t collected = collector->stats.collected;
    collector_enter(collector);
    ours_end_now(runtime);
    introspect_notify(runtime, &(struct gc_event){GC_PHASE_START, generation, 0, 0});
    ours_note_boundaries(runtime);
    ours->collecting_all = true;
    struct gc_outcome outcome = collector_collect(runtime, GC_GENERATIONS - 1, generation);
    ours->collecting_all = false;
    ours_renew(runtime, &outcome);
    ours_set_trigger(runtime);
    collector_end(runtime, generation, &outcome);
    pauses_end(&collector->pauses, 0);
    return collector->stats.collected - collected;
}

/* ---------------------------------------------------------------- the policy */
static bool ours_open(struct runtime *runtime)
{
    struct registry *registry = &runtime->collector.registry;
    struct ours *ours = os_map_scratch(sizeof(*ours));
    if (ours == NULL) {
        return false;
    }
    ours->parameters = runtime->collector.policy->parameters;
    if (!ours_indices_open(&ours->queue, registry->limit) ||
        !ours_indices_open(&ours->seen, registry->limit)) {
        ours_indices_close(&ours->queue, registry->limit);
        os_unmap(ours, sizeof(*ours));
        return false;
    }
    (void)ours_indices_fit(&ours->seen, OURS_INDICES_SPARE); /* now rather than in a pause */
    (void)ours_indices_fit(&ours->queue, registry->length);
    runtime->collector.state = ours;
    ours_note_boundaries(runtime);
    ours->sealed = registry->length;
    ours->examined = registry->length;
    ours->fresh = registry->length;
    ours->efforts[0].limit = ours->parameters->trial_max;
    ours->efforts[1].limit = ours->parameters->trial_max;

    registry->pins++; /* marks and candidates go by index */
    ours_set_trigger(runtime);
    return true;
}

static void ours_close(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    uint32_t limit = runtime->collector.registry.limit;
    ours_indices_close(&ours->queue, limit);
    ours_indices_close(&ours->seen, limit);
    os_unmap(ours, sizeof(*ours));
}

/* At 0.1 us for a unit that misses every cache a slice takes 0.8 ms. */
static const struct ours_parameters ours_parameters = {
    .slice_units = 8192,
    .trial_max = OURS_TRIAL_MAX,
    .youth_max = OURS_YOUTH_MAX,
    .interval_busy = 32,
    .interval_idle = 512,
    .newest = 16,
    .patience = 6,
    .floor = 4096,
};

const struct gc_policy gc_policy_ours = {
    .name = "ours",
    .summary =
        "incremental and exact: short pauses, little floating garbage, no cost to increments",
    .parameters = &ours_parameters,
    .open = ours_open,
    .close = ours_close,
    .allocated = ours_allocated,
    .collect = ours_collect,
    .configured = ours_set_trigger,
    .decremented = ours_unbias,
    .written = ours_written,
    .gained = ours_gained,
    .check = ours_check,
};
