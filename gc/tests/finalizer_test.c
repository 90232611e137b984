/* Finalizers of what dies by its count: once, whole, and perhaps not for good. */
#include "gc/tests/scenario.h"

static const struct class_hooks finalizer_noting = {.finalize = scenario_finalize};
static const struct class_hooks finalizer_saving = {.finalize = scenario_resurrect};

static void test_once_and_with_its_attributes(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct object *instance = scenario_instance(&finalizer_noting, 1001);
    assert_false(gc_is_finalized(instance));
    object_decref(runtime, instance);
    assert_int_equal(scenario.events_length, 1);
    assert_int_equal(scenario.tags[0], 1001); /* its attributes were there */
    scenario_end();
}

static void test_resurrected_once(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct object *instance = scenario_instance(&finalizer_saving, 7);
    object_decref(runtime, instance);
    assert_int_equal(list_length(scenario.saved), 1);
    assert_int_equal(object_getrefcount(instance), 1);
    assert_true(gc_is_finalized(instance));
    assert_true(gc_is_tracked(instance));
    assert_int_equal(scenario_tag(instance), 7);
    assert_int_equal(gc_check(runtime), 0);
    list_clear(runtime, scenario.saved); /* dies for good, without a call */
    assert_int_equal(scenario.events_length, 1);
    assert_int_equal(list_length(scenario.saved), 0);
    scenario_end();
}

/* Its weak references lead to it while it is finalized, and stay when it lives on. */
static struct object *finalizer_weakref;
static void finalizer_take_by_weakref(struct runtime *runtime, struct object *self, void *context)
{
    (void)context;
    struct object *got = weakref_get(runtime, finalizer_weakref);
    assert_ptr_equal(got, self);
    (void)list_append(runtime, scenario.saved, got);
    object_decref(runtime, got);
}

static void test_weakrefs_outlive_a_resurrection(void **state)
{
    static const struct class_hooks hooks = {.finalize = finalizer_take_by_weakref};
    struct runtime *runtime = scenario_begin(state);
    struct object *instance = scenario_instance(&hooks, 1);
    finalizer_weakref = weakref_new(runtime, instance, &scenario_calls);
    object_decref(runtime, instance);
    assert_int_equal(scenario.events_length, 0);
    assert_int_equal(weakref_count(list_item(scenario.saved, 0)), 1);
    list_clear(runtime, scenario.saved);
    assert_int_equal(scenario_count(SCENARIO_CALLED), 1);
    object_decref(runtime, finalizer_weakref);
    scenario_end();
}

static void test_finalizer_before_callback_before_legacy(void **state)
{
    static const struct class_hooks both = {.finalize = scenario_finalize,
                                            .finalize_legacy = scenario_finalize_legacy};
    struct runtime *runtime = scenario_begin(state);
    struct object *instance = scenario_instance(&both, 1);
    struct object *weakref = weakref_new(runtime, instance, &scenario_calls);
    object_decref(runtime, instance);
    assert_int_equal(scenario.events_length, 3);
    assert_int_equal(scenario.events[0], SCENARIO_FINALIZED);
    assert_int_equal(scenario.events[1], SCENARIO_CALLED);
    assert_int_equal(scenario.events[2], SCENARIO_LEGACY);
    object_decref(runtime, weakref);
    scenario_end();
}

/* A legacy finalizer is called at each death; the second time it lets go. */
static void finalizer_legacy_saves_once(struct runtime *runtime, struct object *self, void *context)
{
    int *calls = context;
    if (++*calls == 1) {
        (void)list_append(runtime, scenario.saved, self);
    }
}

static void test_legacy_at_each_death(void **state)
{
    int calls = 0;
    const struct class_hooks hooks = {.finalize_legacy = finalizer_legacy_saves_once,
                                      .context = &calls};
    struct runtime *runtime = scenario_begin(state);
    object_decref(runtime, scenario_instance(&hooks, 1));
    assert_int_equal(calls, 1);
    list_clear(runtime, scenario.saved);
    assert_int_equal(calls, 2);
    scenario_end();
}

/* A legacy finalizer makes a weak reference to the dying: it is cut without a call. */
static void finalizer_legacy_makes_weakref(struct runtime *runtime, struct object *self,
                                           void *context)
{
    (void)context;
    finalizer_weakref = weakref_new(runtime, self, &scenario_calls);
}

static void test_late_weakref_is_cut_without_a_call(void **state)
{
    static const struct class_hooks hooks = {.finalize_legacy = finalizer_legacy_makes_weakref};
    struct runtime *runtime = scenario_begin(state);
    object_decref(runtime, scenario_instance(&hooks, 1));
    assert_null(weakref_get(runtime, finalizer_weakref));
    assert_int_equal(scenario.events_length, 0);
    object_decref(runtime, finalizer_weakref);
    scenario_end();
}

/* Collections of every generation, and thousands of containers, while an object is dying. */
static void finalizer_collect(struct runtime *runtime, struct object *self, void *context)
{
    for (int generation = 0; generation < GC_GENERATIONS; generation++) {
        for (int i = 0; i < 1000; i++) {
            struct object *list = list_new(runtime);
            (void)list_append(runtime, list, list);
            object_decref(runtime, list);
        }
        assert_int_equal(gc_collect(runtime, generation), 1000);
    }
    scenario_finalize(runtime, self, context);
}

static void test_finalizer_collects(void **state)
{
    static const struct class_hooks hooks = {.finalize = finalizer_collect};
    struct runtime *runtime = scenario_begin(state);
    struct object *instance = scenario_instance(&hooks, 3);
    struct object *weakref = weakref_new(runtime, instance, &scenario_calls);
    object_decref(runtime, instance);
    assert_int_equal(scenario_count(SCENARIO_FINALIZED), 1);
    assert_int_equal(scenario_count(SCENARIO_CALLED), 1);
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, weakref);
    scenario_end();
}

/* The finalizer lets the next one die: what must be put off is, and still each comes once. */
static void finalizer_drop_next(struct runtime *runtime, struct object *self, void *context)
{
    uint64_t *calls = context;
    ++*calls;
    (void)instance_delete_attribute(runtime, self, scenario.next);
}

/* The same by weak references: the context is a list that is the only owner of the next. */
static void finalizer_clear_context(struct runtime *runtime, struct object *weakref,
                                    struct object *owned, void *context)
{
    (void)context;
    (void)weakref;
    list_clear(runtime, owned);
}

/* A node before head, whose reference it takes over. */
static struct object *finalizer_chain_link(struct runtime *runtime, struct object *class,
                                           struct object *weakrefs, struct object *head)
{
    struct object *node = class_instance_new(runtime, class);
    if (weakrefs == NULL) {
        (void)instance_set_attribute(runtime, node, scenario.next, head);
    } else {
        struct object *owner = list_new(runtime);
        (void)list_append(runtime, owner, head);
        struct object *weakref = weakref_new(
            runtime, node,
            &(struct weakref_hooks){.callback = finalizer_clear_context, .owned = owner});
        (void)list_append(runtime, weakrefs, weakref);
        object_decref(runtime, owner);
        object_decref(runtime, weakref);
    }
    object_decref(runtime, head);
    return node;
}

/* What lets the next node of the chain die. */
enum finalizer_chain {
    FINALIZER_CHAIN_DROPS,     /* each finalizer */
    FINALIZER_CHAIN_CALLBACKS, /* the callback of each node's weak reference */
    FINALIZER_CHAIN_RING,      /* the collector, which calls all finalizers before */
    FINALIZER_CHAIN_SAVED,     /* the same, when the first finalizer has saved the ring once */
};

static void finalizer_count_and_save(struct runtime *runtime, struct object *self, void *context)
{
    uint64_t *calls = context;
    if (++*calls == 1 && scenario.saved != NULL) {
        (void)list_append(runtime, scenario.saved, self);
    }
}

static void finalizer_count(struct runtime *runtime, struct object *self, void *context)
{
    uint64_t *calls = context;
    (void)runtime;
    (void)self;
    ++*calls;
}

/* Drops the ring that the tail is to close, and collects it. Whether all nodes go when they may. */
static bool finalizer_collect_ring(struct runtime *runtime, struct object *head,
                                   struct object *tail, uint64_t length, bool saved)
{
    bool linked = list_append(runtime, tail, head);
    object_decref(runtime, head);
    object_decref(runtime, tail);
    uint64_t freed = gc_collect(runtime, 2);
    bool as_expected = linked && (saved ? freed == 0 : freed > length);
    if (saved) {
        list_clear(runtime, scenario.saved);
        as_expected = as_expected && gc_collect(runtime, 2) > length;
    }
    return as_expected;
}

static void *finalizer_run_chain(void *context)
{
    static class_finalizer *const finalizers[] = {finalizer_drop_next, NULL, finalizer_count,
                                                  finalizer_count_and_save};
    static struct gc_fixture fixture;
    static const struct heap_options options;
    enum finalizer_chain kind = *(const enum finalizer_chain *)context;
    uint64_t length = gc_test_long ? 2500000 : 100000;
    uint64_t calls = 0;
    const struct class_hooks hooks = {.finalize = finalizers[kind], .context = &calls};
    if (!gc_test_open(&fixture, &options) || !scenario_open(fixture.runtime)) {
        return "open";
    }
    struct runtime *runtime = fixture.runtime;
    gc_enable(runtime, false);
    struct object *class = class_new(runtime, "Chain", &hooks);
    struct object *weakrefs = kind == FINALIZER_CHAIN_CALLBACKS ? list_new(runtime) : NULL;
    struct object *tail = list_new(runtime);
    struct object *head = object_incref(tail);
    for (uint64_t i = 0; i < length; i++) {
        head = finalizer_chain_link(runtime, class, weakrefs, head);
    }
    object_decref(runtime, class);
    uint64_t live = gc_test_live(&fixture);
    bool right = true;
    if (kind < FINALIZER_CHAIN_RING) {
        object_decref(runtime, tail);
        object_decref(runtime, head);
    } else {
        right = finalizer_collect_ring(runtime, head, tail, length, kind == FINALIZER_CHAIN_SAVED);
    }
    right = right && gc_test_live(&fixture) < live - length;
    right = right && (kind == FINALIZER_CHAIN_CALLBACKS || calls == length);
    object_xdecref(runtime, weakrefs);
    scenario_end();
    return gc_test_close(&fixture) != 0 ? "something is left" : right ? NULL : "not as expected";
}

static void finalizer_assert_chain(enum finalizer_chain kind)
{
    const char *wrong = gc_test_on_small_stack(finalizer_run_chain, &kind);
    if (wrong != NULL) {
        fail_msg("%s", wrong);
    }
}

static void test_chain_of_finalizers_on_a_small_stack(void **state)
{
    (void)state;
    finalizer_assert_chain(FINALIZER_CHAIN_DROPS);
}

static void test_chain_of_callbacks_on_a_small_stack(void **state)
{
    (void)state;
    finalizer_assert_chain(FINALIZER_CHAIN_CALLBACKS);
}

static void test_ring_of_finalizers_on_a_small_stack(void **state)
{
    (void)state;
    finalizer_assert_chain(FINALIZER_CHAIN_RING);
}

static void test_saved_ring_on_a_small_stack(void **state)
{
    (void)state;
    finalizer_assert_chain(FINALIZER_CHAIN_SAVED);
}

int finalizer_test(void)
{
    const struct CMUnitTest finalizer_tests[] = {
        GC_TEST(test_once_and_with_its_attributes),
        GC_TEST(test_resurrected_once),
        GC_TEST(test_weakrefs_outlive_a_resurrection),
        GC_TEST(test_finalizer_before_callback_before_legacy),
        GC_TEST(test_legacy_at_each_death),
        GC_TEST(test_late_weakref_is_cut_without_a_call),
        GC_TEST(test_finalizer_collects),
        cmocka_unit_test(test_chain_of_finalizers_on_a_small_stack),
        cmocka_unit_test(test_chain_of_callbacks_on_a_small_stack),
        cmocka_unit_test(test_ring_of_finalizers_on_a_small_stack),
        cmocka_unit_test(test_saved_ring_on_a_small_stack),
    };
    return cmocka_run_group_tests(finalizer_tests, NULL, NULL);
}
