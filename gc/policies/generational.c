/* Three generations by survived collections, as CPython's from 2.0 to 3.13 (3.11,
 * Modules/gcmodule.c, gc_collect_generations and gc_collect_main).
 *
 * New containers are in generation 0. A collection examines a generation with all younger ones, and
 * moves the survivors to the next. The oldest is collected only when those that have newly got
 * there are at least a quarter of those that were there: full collections then cost amortised
 * linear time in a growing heap (the 25% rule, Antoine Pitrou, CPython issue 4074). */
#include "gc/policies/generational.h"

#include <string.h>

#include "common/os_memory.h"
#include "gc/objects.h"
#include "gc/runtime.h"

enum {
    GENERATIONAL_OLDEST = GC_GENERATIONS - 1,
    GENERATIONAL_RATIO = 4, /* gc_collect_generations: long_lived_total / 4 */
};

struct generational {
    /* Collections of the next younger generation since this one's last; that of generation 0 is
     * collector.count. */
    int counts[GC_GENERATIONS];
    /* Containers that survived the last full collection, and those that have survived a collection
     * of generation 1 since. */
    uint64_t long_lived_total;
    uint64_t long_lived_pending;
};

static struct generational *generational_of(const struct runtime *runtime)
{
    return runtime->collector.state;
}

bool generational_open(struct runtime *runtime)
{
    const struct generational_parameters *parameters = runtime->collector.policy->parameters;
    runtime->collector.state = os_map_scratch(sizeof(struct generational));
    memcpy(runtime->collector.thresholds, parameters->thresholds, sizeof(parameters->thresholds));
    collector_set_trigger_by_threshold(runtime);
    return runtime->collector.state != NULL;
}

void generational_close(struct runtime *runtime)
{
    os_unmap(runtime->collector.state, sizeof(struct generational));
}

static void generational_count_survivors(struct generational *state, int generation,
                                         const struct gc_outcome *outcome)
{
    uint64_t survivors = outcome->examined - outcome->unreachable;
    if (generation == GENERATIONAL_OLDEST) {
        state->long_lived_pending = 0;
        state->long_lived_total = survivors;
    } else if (generation == GENERATIONAL_OLDEST - 1) {
        state->long_lived_pending += survivors;
    }
}

uint64_t generational_collect(struct runtime *runtime, int generation)
{
    struct collector *collector = &runtime->collector;
    struct generational *state = generational_of(runtime);
    const struct generational_parameters *parameters = collector->policy->parameters;
    collector_begin(runtime, generation);
    collector->count = 0;
    for (int i = 0; i <= generation; i++) {
        state->counts[i] = 0;
    }
    if (generation < GENERATIONAL_OLDEST) {
        state->counts[generation + 1]++;
    }
    struct gc_outcome outcome = parameters->collect(runtime, generation, generation);
    generational_count_survivors(state, generation, &outcome);
    collector_end(runtime, generation, &outcome);
    return outcome.collected;
}

void generational_counted(const struct runtime *runtime, int counts[GC_GENERATIONS])
{
    memcpy(counts, generational_of(runtime)->counts, sizeof(generational_of(runtime)->counts));
}

static bool generational_is_due(const struct runtime *runtime, int generation)
{
    const struct generational_parameters *parameters = runtime->collector.policy->parameters;
    const struct generational *state = generational_of(runtime);
    int count = generation == 0 ? runtime->collector.count : state->counts[generation];
    if (count <= runtime->collector.thresholds[generation]) {
        return false;
    }
    return generation < GENERATIONAL_OLDEST || !parameters->quarter_rule ||
           state->long_lived_pending >= state->long_lived_total / GENERATIONAL_RATIO;
}

void generational_allocated(struct runtime *runtime)
{
    for (int i = GENERATIONAL_OLDEST; i >= 0; i--) {
        if (generational_is_due(runtime, i)) {
            generational_collect(runtime, i);
            return;
        }
    }
}

/* _PyGC_InitState, Modules/gcmodule.c, 3.11. */
static const struct generational_parameters generational_700 = {
    {700, 10, 10}, true, collector_collect};
static const struct generational_parameters generational_700_no25 = {
    {700, 10, 10}, false, collector_collect};
/* Python/gc.c, _PyGC_InitState, 3.13. */
static const struct generational_parameters generational_2000 = {
    {2000, 10, 10}, true, collector_collect};

const struct gc_policy gc_policy_generational_700 = {
    .name = "generational-700",
    .summary = "CPython's up to 3.12: three generations, thresholds 700, 10, 10, the 25% rule",
    .parameters = &generational_700,
    .open = generational_open,
    .close = generational_close,
    .allocated = generational_allocated,
    .collect = generational_collect,
    .configured = collector_set_trigger_by_threshold,
    .counted = generational_counted,
};

const struct gc_policy gc_policy_generational_700_no25 = {
    .name = "generational-700-no25",
    .summary = "CPython's up to 3.0: the same without the 25% rule, quadratic in a growing heap",
    .parameters = &generational_700_no25,
    .open = generational_open,
    .close = generational_close,
    .allocated = generational_allocated,
    .collect = generational_collect,
    .configured = collector_set_trigger_by_threshold,
    .counted = generational_counted,
};

const struct gc_policy gc_policy_generational_2000 = {
    .name = "generational-2000",
    .summary = "CPython 3.13's: three generations, thresholds 2000, 10, 10, the 25% rule",
    .parameters = &generational_2000,
    .open = generational_open,
    .close = generational_close,
    .allocated = generational_allocated,
    .collect = generational_collect,
    .configured = collector_set_trigger_by_threshold,
    .counted = generational_counted,
};
