/* Trial deletion: Bacon and Rajan's synchronous algorithm ("Concurrent Cycle Collection in
 * Reference Counted Systems", ECOOP 2001, section 3). Garbage in a cycle begins with a decrement to
 * a count above zero; the containers that have seen one are candidate roots, kept in a buffer. When
 * there are enough, what they lead to is examined: references from within are taken off the counts,
 * and what then has none left is garbage. Here the counts are taken off in a copy (region.h), so
 * that nothing has to be put back, and the paper's colours come to two flags.
 *
 * A container is biased while it is no candidate: the bias is the paper's "buffered", the other way
 * round. New containers are candidates at first, as if each had been decremented: nearly all are,
 * when the name that they are made under goes.
 *
 * Two ways to choose the number of roots that is enough:
 *  - PHP's (Zend/zend_gc.c, 8.3: GC_THRESHOLD_DEFAULT 10001, _STEP 10000, _TRIGGER 100, _MAX 10^9):
 *    a step more when fewer than 100 were freed, a step less otherwise; a step is one less than the
 *    first number.
 *  - Nim ORC's (lib/system/orc.nim, 2.0, collectCycles): two thirds, 16 at least, when half of what
 *    was touched was freed; half as much again otherwise. Beyond a base of 128. */
#include <limits.h>
#include <string.h>

#include "common/os_memory.h"
#include "gc/objects.h"
#include "gc/policies/region.h"

enum {
    TRIAL_BUFFERED = REGION_POLICY,        /* in the buffer of roots */
    TRIAL_GENERATION = GC_GENERATIONS - 1, /* as which runs are counted and announced */
    TRIAL_INTERVAL = 64, /* containers allocated, less those freed, between looks at the buffer */
    TRIAL_PHP_FIRST = 10001,
    TRIAL_PHP_FEW = 100,
    TRIAL_PHP_MOST = 1000000000,
    TRIAL_ORC_BASE = 128,
    TRIAL_ORC_LEAST = 16,
};

struct trial;

struct trial_rule {
    int first;
    uint64_t (*next)(const struct trial *trial, uint64_t freed, uint64_t touched);
};

struct trial {
    const struct trial_rule *rule;
    uint64_t first;     /* thresholds[0], and */
    uint64_t threshold; /* what has become of it */
    struct region region;
    uint32_t *roots;
    uint32_t length;
    uint32_t committed;
    bool collecting_all;     /* somebody else has the marks */
    uint32_t boundary_moves; /* when the new ones were last looked at */
    bool has_missed; /* a candidate has found no room: all that is not biased is looked at again */
};

static struct trial *trial_of(const struct runtime *runtime)
{
    return runtime->collector.state;
}

/* ---------------------------------------------------------------- the thresholds */
static uint64_t trial_next_php(const struct trial *trial, uint64_t freed, uint64_t touched)
{
    (void)touched;
    const uint64_t step = trial->first - 1;
    if (freed < TRIAL_PHP_FEW) {
        return trial->threshold + (trial->threshold < TRIAL_PHP_MOST ? step : 0);
    }
    return trial->threshold - (trial->threshold > trial->first ? step : 0);
}

static uint64_t trial_next_orc(const struct trial *trial, uint64_t freed, uint64_t touched)
{
    uint64_t above = trial->threshold > TRIAL_ORC_BASE ? trial->threshold - TRIAL_ORC_BASE : 0;
    if (freed * 2 >= touched) {
        above = above / 3 * 2;
        above = above < TRIAL_ORC_LEAST ? TRIAL_ORC_LEAST : above;
    } else {
        above += above / 2;
    }
    return above + TRIAL_ORC_BASE;
}

static const struct trial_rule trial_php = {TRIAL_PHP_FIRST, trial_next_php};
static const struct trial_rule trial_orc = {2 * TRIAL_ORC_BASE, trial_next_orc};

/* ---------------------------------------------------------------- the buffer */
/* Room for a root for each container. */
static bool trial_fit(struct trial *trial, const struct registry *registry)
{
    while (trial->committed < registry->length) {
        if (!os_commit_scratch(trial->roots + trial->committed,
                               REGISTRY_STEP * sizeof(*trial->roots))) {
            return false;
        }
        trial->committed += REGISTRY_STEP;
    }
    return true;
}

/* A container that finds no room is not biased, so that it is found when there is some. */
static void trial_buffer(struct runtime *runtime, struct object *container)
{
    struct trial *trial = trial_of(runtime);
    if (trial->collecting_all) {
        object_unbias(container);
        return;
    }
    uint8_t *mark = &runtime->collector.registry.marks[container->index];
    if (container->index == 0 || *mark & TRIAL_BUFFERED) {
        return;
    }
    object_unbias(container);
    if (trial->length == trial->committed) {
        trial->has_missed = true;
        return;
    }
    *mark |= TRIAL_BUFFERED;
    trial->roots[trial->length++] = container->index;
}

/* New containers are candidates, and those that were new when they were frozen. */
static void trial_buffer_new(struct runtime *runtime)
{
    struct collector *collector = &runtime->collector;
    struct registry *registry = &collector->registry;
    struct trial *trial = trial_of(runtime);
    uint32_t new = registry->starts[0];
    collector->count = 0;
    if (!trial_fit(trial, registry)) {
        return; /* another time */
    }
    registry_seal(registry);
    memset(registry->marks + new, 0, registry->length - new);
    bool is_new_enough = trial->boundary_moves == collector->boundary_moves && !trial->has_missed;
    uint32_t begin = is_new_enough ? new : registry->starts[GC_GENERATIONS - 1];
    trial->boundary_moves = collector->boundary_moves;
    trial->has_missed = false;
    for (uint32_t i = begin; i < registry->starts[0]; i++) {
        struct object *object = registry_object(registry, i);
        if (object != NULL && !object_is_biased(object)) {
            trial_buffer(runtime, object);
        }
    }
}

/* ---------------------------------------------------------------- collecting */
/* Empties the buffer: the roots that are left are candidates no more. */
static void trial_empty(struct runtime *runtime)
{
    struct trial *trial = trial_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    for (uint32_t k = 0; k < trial->length; k++) {
        uint32_t index = trial->roots[k];
        struct object *object = registry_object(registry, index);
        registry->marks[index] &= (uint8_t)~TRIAL_BUFFERED;
        if (object != NULL) {
            object_bias(object);
        }
    }
    trial->length = 0;
}

/* Closes the holes when they are many, while no root's index is in the buffer. */
static void trial_compact(struct registry *registry)
{
    if (registry->holes > registry->length / 4) {
        registry->starts[1] = registry->starts[GC_GENERATIONS - 1];
        (void)registry_compact(registry, registry->starts[1]);
    }
}

static struct gc_outcome trial_run(struct runtime *runtime)
{
    struct trial *trial = trial_of(runtime);
    struct collector *collector = &runtime->collector;
    trial_buffer_new(runtime); /* what the callbacks have made may be led to */
    if (!region_begin(&trial->region, &collector->registry)) {
        return (struct gc_outcome){0};
    }
    for (uint32_t k = 0; k < trial->length; k++) {
        if (registry_object(&collector->registry, trial->roots[k]) != NULL) {
            region_add(runtime, &trial->region, trial->roots[k]);
        }
    }
    region_expand(runtime, &trial->region);
    uint64_t touched = trial->region.length;
    trial_empty(runtime); /* first: finalizers may make roots */
    struct gc_outcome outcome = region_collect(runtime, &trial->region, TRIAL_GENERATION);
    /* What finalizers have brought back, or save_all has kept, is not biased, and is no root. */
    trial->has_missed |= runtime->save_all || outcome.collected < outcome.unreachable;
    trial->threshold = trial->rule->next(trial, outcome.collected, touched);
    collector->stats.collections[TRIAL_GENERATION]++;
    collector->stats.objects_visited += touched;
    if (trial->length == 0 && collector->registry.length == collector->registry.starts[0]) {
        trial_compact(&collector->registry);
    }
    return outcome;
}

static void trial_allocated(struct runtime *runtime)
{
    struct collector *collector = &runtime->collector;
    const struct trial *trial = trial_of(runtime);
    struct gc_outcome outcome = {0};
    pauses_begin(&collector->pauses);
    trial_buffer_new(runtime);
    if (trial->length >= trial->threshold) {
        collector_begin(runtime, TRIAL_GENERATION);
        outcome = trial_run(runtime);
        collector_end(runtime, TRIAL_GENERATION, &outcome);
    }
    pauses_end(&collector->pauses, outcome.examined);
}

/* Everything, in the manner of the other policies; then nothing is a candidate. */
static uint64_t trial_collect(struct runtime *runtime, int generation)
{
    struct registry *registry = &runtime->collector.registry;
    collector_begin(runtime, generation);
    trial_empty(runtime);
    trial_of(runtime)->collecting_all = true;
    struct gc_outcome outcome = collector_collect(runtime, GC_GENERATIONS - 1, generation);
    trial_of(runtime)->collecting_all = false;
    registry->starts[1] = registry->starts[GC_GENERATIONS - 1];
    registry_seal(registry);
    for (uint32_t i = 1; i < registry->length; i++) {
        struct object *object = registry_object(registry, i);
        registry->marks[i] = 0;
        if (object != NULL) {
            object_bias(object);
        }
    }
    trial_of(runtime)->length = 0;
    trial_of(runtime)->boundary_moves = runtime->collector.boundary_moves;
    collector_end(runtime, generation, &outcome);
    return outcome.collected;
}

/* ---------------------------------------------------------------- the policies */
/* Another first number of roots is also the next. */
static void trial_configured(struct runtime *runtime)
{
    struct trial *trial = trial_of(runtime);
    const int first = runtime->collector.thresholds[0];
    if (first > 0 && (uint64_t)first != trial->first) {
        trial->first = (uint64_t)first;
        trial->threshold = trial->first;
    }
    collector_set_trigger(&runtime->collector, first > 0 ? TRIAL_INTERVAL : INT_MAX);
}

static bool trial_open(struct runtime *runtime)
{
    struct registry *registry = &runtime->collector.registry;
    struct trial *trial = os_map_scratch(sizeof(*trial));
    if (trial == NULL) {
        return false;
    }
    trial->rule = runtime->collector.policy->parameters;
    trial->roots = os_reserve_scratch((size_t)registry->limit * sizeof(*trial->roots));
    if (trial->roots == NULL || !region_open(&trial->region, registry->limit)) {
        if (trial->roots != NULL) {
            os_unmap(trial->roots, (size_t)registry->limit * sizeof(*trial->roots));
        }
        os_unmap(trial, sizeof(*trial));
        return false;
    }
    registry->pins++; /* roots and marks go by index */
    runtime->collector.state = trial;
    runtime->collector.thresholds[0] = trial->rule->first;
    trial_configured(runtime);
    return true;
}

static void trial_close(struct runtime *runtime)
{
    struct trial *trial = trial_of(runtime);
    os_unmap(trial->roots, (size_t)runtime->collector.registry.limit * sizeof(*trial->roots));
    region_close(&trial->region);
    os_unmap(trial, sizeof(*trial));
}

/* A write does not make garbage by itself; what loses a reference by it is told of. */
static void trial_written(struct runtime *runtime, struct object *container, struct object *item)
{
    (void)container;
    if (item != NULL) {
        trial_buffer(runtime, item);
    }
}

static void trial_gained(struct runtime *runtime, struct object *container, struct object *item)
{
    (void)runtime;
    (void)container;
    (void)item;
}

const struct gc_policy gc_policy_trial_deletion_php = {
    .name = "trial-deletion-php",
    .summary = "Bacon and Rajan's trial deletion, with PHP's threshold of roots",
    .parameters = &trial_php,
    .open = trial_open,
    .close = trial_close,
    .allocated = trial_allocated,
    .collect = trial_collect,
    .configured = trial_configured,
    .decremented = trial_buffer,
    .written = trial_written,
    .gained = trial_gained,
};

const struct gc_policy gc_policy_trial_deletion_orc = {
    .name = "trial-deletion-orc",
    .summary = "Bacon and Rajan's trial deletion, with Nim ORC's threshold of roots",
    .parameters = &trial_orc,
    .open = trial_open,
    .close = trial_close,
    .allocated = trial_allocated,
    .collect = trial_collect,
    .configured = trial_configured,
    .decremented = trial_buffer,
    .written = trial_written,
    .gained = trial_gained,
};
