/* The policy `ours`: when a slice is due, and what it does. See ours.h. */
#include "gc/policies/ours.h"

#include <string.h>

#include "common/os_memory.h"
#include "gc/introspect.h"
#include "gc/objects.h"

enum {
    OURS_INDICES_STEP = 16384, /* indices that memory is added for at a time: 16 pages */
    OURS_SIXTEENTHS = 16,
    OURS_YIELD_POOR = 64,    /* a cycle that frees less than a 64th of its members found little, */
    OURS_YIELD_RICH = 16,    /* and one that frees more than a 16th found much */
    OURS_HOLES_SHARE = 4,    /* of the registry, and */
    OURS_HOLES_FLOOR = 4096, /* at least so many: worth closing up */
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

/* Makes room for one index for each entry of the registry. One step at most: called often enough.
 * false: there is not so much room. */
static bool ours_indices_fit(struct ours_indices *indices, const struct registry *registry)
{
    if (indices->committed < registry->length &&
        os_commit_scratch(indices->items + indices->committed,
                          OURS_INDICES_STEP * sizeof(*indices->items))) {
        indices->committed += OURS_INDICES_STEP;
    }
    return indices->committed >= registry->length;
}

/* ---------------------------------------------------------------- the bias */
bool ours_is_guarded(const struct object *object)
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

void ours_dismiss(struct runtime *runtime, struct object *object, unsigned mark)
{
    if (!object_is_biased(object)) {
        object_bias(object);
        runtime->collector.registry.marks[object->index] |= (uint8_t)(OURS_MARK_BIASED | mark);
    }
}

void ours_enqueue_seen(struct runtime *runtime, uint32_t index)
{
    struct ours *ours = ours_of(runtime);
    uint8_t *mark = &runtime->collector.registry.marks[index];
    if (ours->seen.length < ours->seen.committed) {
        ours->seen.items[ours->seen.length++] = index;
        *mark |= OURS_MARK_QUEUED;
    } else {
        *mark &= (uint8_t)~OURS_MARK_QUEUED;
        ours->suspects++;
    }
}

void ours_unbias(struct runtime *runtime, struct object *object)
{
    struct ours *ours = ours_of(runtime);
    uint32_t index = object->index;
    object_unbias(object);
    if (index == 0 || ours->collecting_all) {
        return; /* no longer tracked, or to be looked at anyway */
    }
    uint8_t *mark = &runtime->collector.registry.marks[index];
    if (index < ours->members) {
        if ((ours->phase == OURS_BIAS && index < ours->cursor) ||
            (ours->phase >= OURS_ROOTS && ours->phase <= OURS_MARK)) {
            ours_reach(runtime, index);
        } else if (ours->phase == OURS_SWEEP && !(*mark & OURS_MARK_REACHED)) {
            ours_rescue(runtime, index);
        }
    }
    *mark &= (uint8_t) ~(OURS_MARK_BIASED | OURS_MARK_LEAF);
    if (!(*mark & OURS_MARK_QUEUED)) {
        ours_enqueue_seen(runtime, index);
    }
}

static void ours_written(struct runtime *runtime, struct object *container, struct object *item)
{
    if (container != NULL && object_is_biased(container)) {
        ours_unbias(runtime, container);
    }
    if (item != NULL && object_is_biased(item)) {
        ours_unbias(runtime, item);
    }
}

/* ---------------------------------------------------------------- when */
/* New containers become old ones, which are to be examined. */
static void ours_seal(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    memset(registry->marks + ours->sealed, 0, registry->length - ours->sealed);
    registry_seal(registry);
    ours->sealed = registry->length;
    ours->allocated += (uint64_t)runtime->collector.count;
    runtime->collector.count = 0;
}

static bool ours_is_due(const struct runtime *runtime)
{
    const struct ours *ours = ours_of(runtime);
    uint64_t tracked = registry_tracked(&runtime->collector.registry);
    uint64_t patience = tracked * ours->patience / OURS_SIXTEENTHS;
    return ours->suspects > 0 && ours->allocated >= patience &&
           ours->allocated >= ours->parameters->floor;
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
    const struct ours_parameters *parameters = ours->parameters;
    if (ours->found < ours->members / OURS_YIELD_POOR) {
        uint32_t patience = ours->patience * 2;
        ours->patience = patience < parameters->patience_max ? patience : parameters->patience_max;
    } else if (ours->found > ours->members / OURS_YIELD_RICH) {
        ours->patience = parameters->patience_min;
    }
    ours->members = 0;
    ours->allocated = 0;
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

/* Containers have been frozen or unfrozen: what is in sight now is looked at by a new cycle. */
static void ours_begin_anew(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    ours_end_now(runtime);
    ours->begin = registry->starts[GC_GENERATIONS - 1];
    ours->examined = registry->starts[0];
    ours->fresh = registry->starts[0];
    ours->suspects++;
}

/* The callbacks that are told of it may freeze what there is. */
static void ours_announce_cycle(struct runtime *runtime)
{
    ours_notify_begin(runtime);
    if (ours_of(runtime)->begin != runtime->collector.registry.starts[GC_GENERATIONS - 1]) {
        ours_begin_anew(runtime);
    }
    ours_begin_cycle(runtime);
}

/* One slice. */
static void ours_run(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    int64_t budget = ours->parameters->slice_units;
    ours_seal(runtime);
    if (ours->begin != registry->starts[GC_GENERATIONS - 1]) {
        ours_begin_anew(runtime);
    }
    bool has_room = ours_indices_fit(&ours->seen, registry);
    has_room &= ours_indices_fit(&ours->queue, registry);
    ours_examine(runtime, &budget);
    ours->units = ours->parameters->slice_units - budget;
    if (ours->phase == OURS_IDLE && has_room && ours_is_due(runtime)) {
        ours_announce_cycle(runtime);
    } else if (ours->phase == OURS_IDLE && ours_has_many_holes(runtime)) {
        ours->phase = OURS_COMPACT;
        ours->cursor = ours->begin;
    }
    int64_t half = ours->parameters->slice_units / 2 + 1; /* examining does not hold up a cycle */
    budget = half;
    ours_advance(runtime, &budget);
    if (ours->phase == OURS_IDLE && ours->members > 0) {
        ours_end_cycle(runtime);
    }
    ours->units += half - budget;
}

static void ours_set_trigger(struct runtime *runtime)
{
    const struct ours *ours = ours_of(runtime);
    collector_set_trigger(&runtime->collector, ours->phase == OURS_IDLE
                                                   ? ours->parameters->interval_idle
                                                   : ours->parameters->interval_busy);
    runtime->collector.trash_under_way = ours->phase >= OURS_SWEEP && ours->phase <= OURS_DROP;
}

static void ours_allocated(struct runtime *runtime)
{
    struct collector *collector = &runtime->collector;
    struct ours *ours = ours_of(runtime);
    pauses_begin(&collector->pauses);
    collector->collecting = true;
    ours->units = 0;
    ours_run(runtime);
    ours_set_trigger(runtime);
    collector->stats.objects_visited += (uint64_t)ours->units;
    collector->collecting = false;
    pauses_end(&collector->pauses, (uint64_t)ours->units);
}

/* ---------------------------------------------------------------- when asked for */
/* After a whole collection every container is alive, and dismissed. */
static void ours_renew(struct runtime *runtime, const struct gc_outcome *outcome)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    ours->sealed = registry->starts[0];
    ours_seal(runtime);
    for (uint32_t i = ours->begin; i < registry->starts[0]; i++) {
        struct object *object = registry_object(registry, i);
        registry->marks[i] = 0;
        if (object != NULL) {
            object_unbias(object);
            if (ours_is_guarded(object)) {
                ours_dismiss(runtime, object, 0);
            }
        }
    }
    ours->examined = registry->starts[0];
    ours->fresh = registry->starts[0];
    ours->seen.length = 0;
    ours->allocated = 0;
    /* Finalizers may have made garbage of what had been passed already. */
    ours->suspects = outcome->unreachable > 0;
}

/* A whole collection in one pause, whatever the generation. */
static uint64_t ours_collect(struct runtime *runtime, int generation)
{
    struct collector *collector = &runtime->collector;
    struct ours *ours = ours_of(runtime);
    pauses_begin(&collector->pauses);
    collector->collecting = true;
    uint64_t collected = collector->stats.collected;
    ours_end_now(runtime);
    ours->collecting_all = true;
    ours->begin = collector->registry.starts[GC_GENERATIONS - 1];
    struct gc_outcome outcome = collector_collect(runtime, ours->begin, generation);
    collector->registry.starts[1] = ours->begin;
    ours->collecting_all = false;
    ours_renew(runtime, &outcome);
    ours_set_trigger(runtime);
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
    ours->begin = registry->starts[GC_GENERATIONS - 1];
    ours->sealed = registry->length;
    ours->examined = registry->length;
    ours->fresh = registry->length;
    ours->trial_limit = ours->parameters->trial_max;
    ours->patience = ours->parameters->patience_min;
    registry->pinned = true; /* marks and candidates go by index */
    runtime->collector.state = ours;
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

/* At 0.1 us for a unit that misses every cache a slice takes 0.2 ms. */
static const struct ours_parameters ours_parameters = {
    .slice_units = 2048,
    .trial_max = OURS_TRIAL_MAX,
    .interval_busy = 32,
    .interval_idle = 512,
    .patience_min = 1,
    .patience_max = 2,
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
    .decremented = ours_unbias,
    .written = ours_written,
    .check = ours_check,
};
