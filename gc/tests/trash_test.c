/* What the collector does with garbage that has weak references or finalizers, in what order, and
 * what it leaves. */
#include <string.h>

#include "gc/tests/scenario.h"

static const struct class_hooks trash_noting = {.finalize = scenario_finalize};
static const struct class_hooks trash_saving = {.finalize = scenario_resurrect};
static const struct class_hooks trash_legacy = {.finalize_legacy = scenario_finalize_legacy};

/* Instances tagged first, first + 1, … in a ring that nothing else refers to. */
static void trash_make_ring(const struct class_hooks *hooks, int64_t first, size_t count)
{
    struct object *instances[8];
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        instances[i] = scenario_instance(hooks, first + (int64_t)i);
    }
    assert_true(scenario_drop_ring(instances, count));
}

static void test_finalizers_once_each(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = scenario_begin(state);
    uint64_t before = gc_test_live(fixture);
    trash_make_ring(&trash_noting, 1, 5);
    assert_int_equal(scenario.events_length, 0);
    assert_true(gc_collect(runtime, 2) >= 10); /* instances and their dicts */
    assert_int_equal(scenario_count(SCENARIO_FINALIZED), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(scenario.tags[i], (int64_t)i + 1);
    }
    assert_int_equal(gc_test_live(fixture), before);
    scenario_end();
}

/* Weak references from outside: cleared and called before any finalizer of the garbage. */
static void test_callbacks_before_finalizers(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct object *pair[] = {scenario_instance(&trash_noting, 1),
                             scenario_instance(&trash_noting, 2)};
    struct object *weakrefs[] = {weakref_new(runtime, pair[1], &scenario_calls),
                                 weakref_new(runtime, pair[1], NULL),
                                 weakref_new(runtime, pair[0], &scenario_calls)};
    assert_true(scenario_drop_ring(pair, 2));
    gc_collect(runtime, 2);
    assert_int_equal(scenario.events_length, 4);
    assert_int_equal(scenario.events[0], SCENARIO_CALLED);
    assert_int_equal(scenario.events[1], SCENARIO_CALLED);
    assert_int_equal(scenario.events[2], SCENARIO_FINALIZED);
    for (int i = 0; i < 3; i++) {
        assert_null(weakref_get(runtime, weakrefs[i]));
        object_decref(runtime, weakrefs[i]);
    }
    scenario_end();
}

/* A weak reference that is garbage itself is not called, whether its referent is garbage or not. */
static void test_weakrefs_in_trash_are_not_called(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct object *living = scenario_instance(NULL, 1);
    struct object *pair[] = {scenario_instance(NULL, 2), scenario_instance(NULL, 3)};
    struct object *holder = list_new(runtime);
    struct object *to_trash = weakref_new(runtime, pair[1], &scenario_calls);
    struct object *to_living = weakref_new(runtime, living, &scenario_calls);
    assert_true(list_append(runtime, holder, to_trash));
    assert_true(list_append(runtime, holder, to_living));
    assert_true(instance_set_attribute(runtime, pair[0], scenario.other, holder));
    object_decref(runtime, holder);
    object_decref(runtime, to_trash);
    object_decref(runtime, to_living);
    assert_true(scenario_drop_ring(pair, 2));
    gc_collect(runtime, 2);
    assert_int_equal(scenario.events_length, 0);
    assert_int_equal(weakref_count(living), 0);
    object_decref(runtime, living);
    assert_int_equal(scenario.events_length, 0);
    scenario_end();
}

/* An old living object dies of the garbage's end; a weak reference to it is garbage: CPython's
 * issue 38006. Its callback's context would be half freed. */
static void test_referent_that_dies_of_the_trash(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct object *old = scenario_instance(NULL, 1);
    gc_collect(runtime, 1); /* now in the oldest generation, which the next one does not examine */
    struct object *pair[] = {scenario_instance(NULL, 2), scenario_instance(NULL, 3)};
    struct object *weakref = weakref_new(
        runtime, old, &(struct weakref_hooks){.callback = scenario_called, .owned = pair[0]});
    assert_true(instance_set_attribute(runtime, pair[0], scenario.other, weakref));
    assert_true(instance_set_attribute(runtime, pair[1], scenario.other, old));
    object_decref(runtime, weakref);
    object_decref(runtime, old);
    assert_true(scenario_drop_ring(pair, 2));
    gc_collect(runtime, 0);
    gc_collect(runtime, 2);
    assert_int_equal(scenario.events_length, 0);
    scenario_end();
}

/* One member of a large ring saves itself: all that it reaches stays whole, its neighbours go. */
static void test_resurrection_is_transitive(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = scenario_begin(state);
    uint64_t before = gc_test_live(fixture);
    struct object *ring[] = {scenario_instance(&trash_saving, 1),
                             scenario_instance(&trash_noting, 2), scenario_instance(NULL, 3)};
    struct object *neighbour = scenario_instance(&trash_noting, 4); /* refers to the ring */
    assert_true(scenario_link(neighbour, ring[0]));
    assert_true(instance_set_attribute(runtime, neighbour, scenario.other, neighbour));
    object_decref(runtime, neighbour);
    assert_true(scenario_drop_ring(ring, 3));
    uint64_t freed = gc_collect(runtime, 2);
    assert_true(freed >= 2 && freed <= 4); /* the neighbour and its dict */
    assert_int_equal(scenario_count(SCENARIO_FINALIZED), 3);
    struct object *saved = list_item(scenario.saved, 0);
    for (int64_t tag = 1; tag <= 3; tag++) {
        assert_int_equal(scenario_tag(saved), tag);
        assert_true(gc_is_tracked(saved));
        saved = instance_attribute(saved, scenario.next);
    }
    assert_ptr_equal(saved, list_item(scenario.saved, 0));
    assert_int_equal(gc_check(runtime), 0);
    list_clear(runtime, scenario.saved);
    gc_collect(runtime, 2);
    assert_int_equal(scenario_count(SCENARIO_FINALIZED), 3); /* not again */
    list_clear(runtime, scenario.saved);
    assert_true(gc_test_live(fixture) <= before + 1); /* the list's vector is no object */
    scenario_end();
}

/* A resurrected object refers to many: more than sparing's stack has room for, each to the next. */
static void test_resurrection_of_very_many(void **state)
{
    enum { COUNT = 3000 };
    struct runtime *runtime = scenario_begin(state);
    struct object *items = list_new(runtime);
    struct object *tail = list_new(runtime);
    for (int i = 0; i < COUNT; i++) {
        struct object *item = list_new(runtime);
        assert_true(list_append(runtime, item, tail));
        object_decref(runtime, tail);
        tail = object_incref(item);
        assert_true(list_append(runtime, items, item));
        object_decref(runtime, item);
    }
    object_decref(runtime, tail);
    struct object *instance = scenario_instance(&trash_saving, 1);
    assert_true(scenario_link(instance, items));
    assert_true(list_append(runtime, items, instance));
    object_decref(runtime, items);
    object_decref(runtime, instance);
    assert_int_equal(gc_collect(runtime, 2), 0);
    assert_int_equal(gc_check(runtime), 0);
    items = instance_attribute(list_item(scenario.saved, 0), scenario.next);
    assert_int_equal(list_length(items), COUNT + 1);
    list_clear(runtime, scenario.saved);
    assert_true(gc_collect(runtime, 2) > COUNT);
    scenario_end();
}

/* ---------------------------------------------------------------- legacy finalizers */
static void test_legacy_cycle_is_set_aside(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = scenario_begin(state);
    assert_non_null(gc_garbage(runtime));
    uint64_t before = gc_test_live(fixture);
    struct object *ring[] = {scenario_instance(&trash_legacy, 1),
                             scenario_instance(&trash_noting, 2)};
    struct object *weakref = weakref_new(runtime, ring[1], &scenario_calls);
    struct object *reached = list_new(runtime); /* a cycle that the ring reaches: kept too */
    assert_true(list_append(runtime, reached, reached));
    assert_true(instance_set_attribute(runtime, ring[1], scenario.other, reached));
    object_decref(runtime, reached);
    struct object *neighbour = list_new(runtime); /* a cycle that reaches the ring: freed */
    assert_true(list_append(runtime, neighbour, neighbour));
    assert_true(list_append(runtime, neighbour, ring[0]));
    object_decref(runtime, neighbour);
    assert_true(scenario_drop_ring(ring, 2));
    assert_int_equal(gc_collect(runtime, 2), 1);
    assert_int_equal(scenario.events_length, 0);
    struct object *garbage = gc_garbage(runtime);
    assert_int_equal(list_length(garbage), 1);
    assert_int_equal(scenario_tag(list_item(garbage, 0)), 1);
    struct gc_stats stats;
    runtime_stats(runtime, &stats);
    assert_true(stats.uncollectable >= 4);
    assert_int_equal(stats.uncollectable_in[2], stats.uncollectable);
    struct object *got = weakref_get(runtime, weakref); /* leads there still */
    assert_int_equal(object_getrefcount(got), 2);
    object_decref(runtime, got);
    object_decref(runtime, weakref);
    /* The user breaks the cycle by hand; then it dies, legacy finalizer and all. */
    (void)instance_delete_attribute(runtime, list_item(garbage, 0), scenario.next);
    list_clear(runtime, garbage);
    assert_int_equal(scenario_count(SCENARIO_LEGACY), 1);
    gc_collect(runtime, 2);
    assert_int_equal(gc_test_live(fixture), before);
    scenario_end();
}

static void test_save_all_keeps_everything(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = scenario_begin(state);
    struct object *garbage = gc_garbage(runtime);
    uint64_t before = gc_test_live(fixture);
    gc_set_save_all(runtime, true);
    for (int i = 0; i < 10; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, list, list));
        object_decref(runtime, list);
    }
    gc_collect(runtime, 2);
    assert_int_equal(list_length(garbage), 10);
    assert_ptr_equal(list_item(list_item(garbage, 3), 0), list_item(garbage, 3));
    assert_int_equal(gc_collect(runtime, 2), 0); /* they are reachable now */
    assert_int_equal(list_length(garbage), 10);
    assert_int_equal(gc_check(runtime), 0);
    gc_set_save_all(runtime, false);
    list_clear(runtime, garbage);
    assert_int_equal(gc_collect(runtime, 2), 10);
    assert_int_equal(gc_test_live(fixture), before);
    scenario_end();
}

/* The only reference to a class is that of an instance in a cycle. */
static void test_class_dies_with_its_last_instance(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = scenario_begin(state);
    uint64_t before = gc_test_live(fixture);
    for (int generation = 2; generation >= 0; generation--) {
        trash_make_ring(NULL, 1, 4);
        gc_collect(runtime, generation);
        assert_int_equal(gc_test_live(fixture), before);
        trash_make_ring(&trash_noting, 1, 4);
        gc_collect(runtime, generation);
        assert_int_equal(gc_test_live(fixture), before);
    }
    scenario_end();
}

/* CPython's gc_list_merge appends generation 0 to 2, and then 1. Only policies with generations
 * have a middle one. */
static void test_finalizers_run_oldest_youngest_middle(void **state)
{
    static const struct class_hooks hooks = {.finalize = scenario_finalize};
    struct runtime *runtime = scenario_begin(state);
    struct object *instances[6];
    for (int i = 0; i < 6; i++) {
        instances[i] = scenario_instance(&hooks, i);
        if (i % 2 == 1 && i < 5) {
            gc_collect(runtime, i == 1 ? 1 : 0); /* 0 and 1 get into the oldest, 2 and 3 do not */
        }
    }
    for (int i = 0; i < 6; i++) {
        assert_true(scenario_drop_ring(&instances[i], 1));
    }
    gc_collect(runtime, 2);
    static const int64_t expected[] = {0, 1, 4, 5, 2, 3};
    assert_int_equal(scenario.events_length, 6);
    bool has_middle = strncmp(gc_policy_name(runtime_policy(runtime)), "generational", 12) == 0;
    for (int i = 0; i < 6 && has_middle; i++) {
        assert_int_equal(scenario.tags[i], expected[i]);
    }
    assert_int_equal(gc_check(runtime), 0);
    scenario_end();
}

static void trash_drop_watcher(struct runtime *runtime, struct object *weakref,
                               struct object *owned, void *context)
{
    struct object **watcher = context;
    (void)weakref;
    (void)owned;
    object_decref(runtime, *watcher);
    *watcher = NULL;
}

/* As in CPython, whose handle_weakrefs counts what it frees. */
static void test_a_weakref_that_dies_of_its_callback_is_collected(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct object *instance = scenario_instance(NULL, 1);
    struct object *watcher = NULL;
    struct weakref_hooks hooks = {.callback = trash_drop_watcher, .context = &watcher};
    watcher = weakref_new(runtime, instance, &hooks);
    uint64_t before = gc_collected(runtime);
    assert_true(scenario_drop_ring(&instance, 1));
    gc_collect(runtime, 2);
    assert_null(watcher);
    /* The instance, its dict, its class, and the weak reference. */
    assert_int_equal(gc_collected(runtime) - before, 4);
    scenario_end();
}

int trash_test(void)
{
    const struct CMUnitTest trash_tests[] = {
        GC_TEST(test_finalizers_run_oldest_youngest_middle),
        GC_TEST(test_a_weakref_that_dies_of_its_callback_is_collected),
        GC_TEST(test_finalizers_once_each),
        GC_TEST(test_callbacks_before_finalizers),
        GC_TEST(test_weakrefs_in_trash_are_not_called),
        GC_TEST(test_referent_that_dies_of_the_trash),
        GC_TEST(test_resurrection_is_transitive),
        GC_TEST(test_resurrection_of_very_many),
        GC_TEST(test_legacy_cycle_is_set_aside),
        GC_TEST(test_save_all_keeps_everything),
        GC_TEST(test_class_dies_with_its_last_instance),
    };
    return cmocka_run_group_tests(trash_tests, NULL, NULL);
}
