/* A scenario of everything that finalizers, weak references and garbage can do, with every
 * allocation refused in turn: nothing leaks, nothing is finalized twice, no invariant breaks. */
#include <string.h>

#include "gc/tests/scenario.h"

/* Finalizers allocate too, and may be refused. */
static void semantics_finalize(struct runtime *runtime, struct object *self, void *context)
{
    scenario_finalize(runtime, self, context);
    struct object *list = list_new(runtime);
    if (list != NULL) {
        (void)list_append(runtime, list, list);
        (void)instance_set_attribute(runtime, self, scenario.other, list);
        object_decref(runtime, list);
    }
}

static bool semantics_drop_pair(const struct class_hooks *first, const struct class_hooks *second,
                                int64_t tag, struct object **weakref)
{
    struct object *pair[] = {scenario_instance(first, tag), scenario_instance(second, tag + 1)};
    bool done = pair[0] != NULL && pair[1] != NULL;
    if (done && weakref != NULL) {
        struct object *context = int_new(scenario.runtime, tag);
        *weakref = context == NULL
                       ? NULL
                       : weakref_new(scenario.runtime, pair[1],
                                     &(struct weakref_hooks){.callback = scenario_called,
                                                             .owned = context});
        object_xdecref(scenario.runtime, context);
        done = *weakref != NULL;
    }
    return scenario_drop_ring(pair, 2) && done;
}

static bool semantics_scenario(struct runtime *runtime)
{
    static const struct class_hooks noting = {.finalize = semantics_finalize};
    static const struct class_hooks saving = {.finalize = scenario_resurrect};
    static const struct class_hooks legacy = {.finalize_legacy = scenario_finalize_legacy};
    struct object *weakrefs[2] = {NULL, NULL};
    bool done = scenario_open(runtime);
    done = done && semantics_drop_pair(&noting, NULL, 10, &weakrefs[0]);
    done = done && semantics_drop_pair(&saving, &noting, 20, &weakrefs[1]);
    done = done && semantics_drop_pair(&legacy, &noting, 30, NULL);
    for (int generation = 0; generation < GC_GENERATIONS; generation++) {
        gc_collect(runtime, generation);
    }
    if (done) {
        object_xdecref(runtime, scenario_instance(&noting, 40)); /* dies by its count */
        assert_int_equal(scenario_count(SCENARIO_CALLED), 2);
    }
    for (size_t i = 0; i < scenario.events_length; i++) { /* no finalizer ran twice */
        for (size_t j = 0; j < i; j++) {
            assert_false(scenario.events[i] == scenario.events[j] &&
                         scenario.tags[i] == scenario.tags[j] && scenario.tags[i] >= 0);
        }
    }
    object_xdecref(runtime, weakrefs[0]);
    object_xdecref(runtime, weakrefs[1]);
    return done;
}

/* Runs it with the calls from first to last refused. Returns the number of calls. */
static uint64_t semantics_run(uint64_t first, uint64_t last)
{
    static const struct heap_options options;
    static struct gc_fixture fixture;
    memset(&fixture, 0, sizeof(fixture));
    assert_true(gc_test_open(&fixture, &options));
    heap_faults = (struct heap_faults){.calls = 0, .first = first, .last = last};
    bool done = semantics_scenario(fixture.runtime);
    uint64_t calls = heap_faults.calls;
    assert_int_equal(gc_check(fixture.runtime), 0);
    scenario_end();
    heap_faults = (struct heap_faults){0};
    assert_int_equal(gc_test_close(&fixture), 0);
    assert_true(done || calls >= first);
    return calls;
}

static void test_semantics_with_one_call_refused(void **state)
{
    (void)state;
    uint64_t call = 1;
    while (semantics_run(call, call) >= call) {
        call++;
    }
    assert_true(call > 30);
}

static void test_semantics_with_all_from_one_on_refused(void **state)
{
    (void)state;
    uint64_t calls = semantics_run(0, 0);
    for (uint64_t call = 1; call <= calls; call++) {
        (void)semantics_run(call, UINT64_MAX);
    }
}

int semantics_fault_test(void)
{
    const struct CMUnitTest semantics_fault_tests[] = {
        cmocka_unit_test(test_semantics_with_one_call_refused),
        cmocka_unit_test(test_semantics_with_all_from_one_on_refused),
    };
    return cmocka_run_group_tests(semantics_fault_tests, NULL, NULL);
}
