/* Freezing and unfreezing in the middle of an incremental collector's cycle, at each of its steps:
 * what is frozen is passed over, what is not is found, and nothing is lost on the way. */
#include "gc/class.h"
#include "gc/introspect.h"
#include "gc/policies/snapshot.h"
#include "gc/tests/scenario.h"
#include "gc/weakref.h"

extern const struct gc_policy gc_policy_snapshot;

enum {
    FREEZE_RINGS = 6,
    FREEZE_LIVE = 10,
    FREEZE_STEPS_MAX = 5000, /* a cycle over so few is at its end long before */
    FREEZE_SLICES = 400,
};

static struct runtime *freeze_open(struct gc_fixture *fixture,
                                   struct snapshot_parameters *parameters)
{
    static struct gc_policy policy;
    /* Everything is left to the cycles, which begin at once. */
    *parameters = (struct snapshot_parameters){.slice_units = 1};
    policy = gc_policy_snapshot;
    policy.parameters = parameters;
    struct runtime *runtime = runtime_open_with(&fixture->heap, &policy, NULL);
    assert_non_null(runtime);
    gc_enable(runtime, false); /* a step comes when the test says so */
    return runtime;
}

static void freeze_step(struct runtime *runtime, int steps)
{
    for (int i = 0; i < steps; i++) {
        runtime->collector.policy->allocated(runtime);
    }
}

/* Lists in pairs that refer to each other. */
static void freeze_make_garbage(struct runtime *runtime)
{
    for (int i = 0; i < FREEZE_RINGS; i++) {
        struct object *one = list_new(runtime), *other = list_new(runtime);
        assert_true(list_append(runtime, one, other) && list_append(runtime, other, one));
        object_decref(runtime, one);
        object_decref(runtime, other);
    }
}

/* Freezes after so many steps. Whether a cycle was under way then. */
static bool freeze_after(struct gc_fixture *fixture, int steps)
{
    struct snapshot_parameters parameters;
    struct runtime *runtime = freeze_open(fixture, &parameters);
    uint64_t objects = runtime_objects_live(runtime);
    struct object *live = list_new(runtime);
    for (int i = 0; i < FREEZE_LIVE; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, list, live) && list_append(runtime, live, list));
        object_decref(runtime, list);
    }
    freeze_make_garbage(runtime);
    freeze_step(runtime, steps);
    bool under_way = snapshot_of(runtime)->members > 0;
    uint64_t garbage = runtime_objects_live(runtime) - objects - 1 - FREEZE_LIVE;
    gc_freeze(runtime);
    assert_int_equal(gc_check(runtime), 0);
    freeze_make_garbage(runtime); /* in sight of the collector, unlike the rest */
    parameters.slice_units = 1000;
    freeze_step(runtime, FREEZE_SLICES);
    assert_int_equal(gc_check(runtime), 0);
    uint64_t frozen = runtime_objects_live(runtime) - objects - 1 - FREEZE_LIVE;
    assert_true(frozen <= garbage); /* what had been found may still have been freed */
    gc_unfreeze(runtime);
    freeze_step(runtime, FREEZE_SLICES);
    assert_int_equal(runtime_objects_live(runtime), objects + 1 + FREEZE_LIVE);
    assert_int_equal(gc_check(runtime), 0);
    list_clear(runtime, live);
    object_decref(runtime, live);
    assert_int_equal(runtime_close(runtime), 0);
    return under_way;
}

static void test_freezing_in_every_step_of_a_cycle(void **state)
{
    int under_way = 0;
    for (int steps = 0; steps < FREEZE_STEPS_MAX; steps++) {
        bool now = freeze_after(*state, steps);
        under_way += now;
        if (under_way > 0 && !now) {
            break; /* the cycle was over */
        }
    }
    assert_true(under_way > 10);
}

/* Containers that were new when they were frozen, where the marks of a collection had been. */
static void test_freezing_new_ones_after_a_collection(void **state)
{
    struct snapshot_parameters parameters;
    struct runtime *runtime = freeze_open(*state, &parameters);
    uint64_t objects = runtime_objects_live(runtime);
    for (int full = 0; full < 2; full++) { /* a collection of what is in sight, and none */
        freeze_make_garbage(runtime);
        (void)gc_collect(runtime, 0);
        freeze_make_garbage(runtime);
        gc_freeze(runtime);
        assert_int_equal(gc_check(runtime), 0);
        if (full) {
            (void)gc_collect(runtime, 0);
            assert_int_equal(gc_check(runtime), 0);
        }
        gc_unfreeze(runtime);
        parameters.slice_units = 1000;
        freeze_step(runtime, FREEZE_SLICES);
        assert_int_equal(gc_check(runtime), 0);
        assert_int_equal(runtime_objects_live(runtime), objects);
    }
    assert_int_equal(runtime_close(runtime), 0);
}

/* Visits go by the generations' ranges, which closing holes makes shorter. */
static void test_visits_after_unfreezing(void **state)
{
    struct snapshot_parameters parameters;
    struct runtime *runtime = freeze_open(*state, &parameters);
    struct object *live = list_new(runtime), *dead = list_new(runtime);
    for (int i = 0; i < FREEZE_LIVE; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, dead, list) && list_append(runtime, list, live));
        object_decref(runtime, list);
    }
    gc_freeze(runtime);
    gc_unfreeze(runtime);
    object_decref(runtime, dead);
    parameters.slice_units = 1000;
    freeze_step(runtime, FREEZE_SLICES);
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, live);
    assert_int_equal(runtime_close(runtime), 0);
}

/* A chain of lists that are new when they are frozen, each held by the one before alone. */
static void freeze_chain_with_marks(struct gc_fixture *fixture, const struct gc_policy *policy,
                                    int marks)
{
    enum { CHAIN = 100, LATER = 2000 };
    struct runtime *runtime = runtime_open_with(&fixture->heap, policy, NULL);
    assert_non_null(runtime);
    gc_set_threshold(runtime, (const int[GC_GENERATIONS]){50, 2, 2});
    gc_enable(runtime, false);
    struct object *head = list_new(runtime);
    struct object *last = head;
    for (int i = 0; i < CHAIN; i++) {
        struct object *next = list_new(runtime);
        assert_true(list_append(runtime, last, next));
        object_decref(runtime, next);
        last = next;
    }
    struct registry *registry = &runtime->collector.registry;
    memset(registry->marks + registry->starts[0], marks, registry->length - registry->starts[0]);
    gc_freeze(runtime);
    gc_unfreeze(runtime);
    gc_enable(runtime, true);
    for (int i = 0; i < LATER; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, list, head)); /* the head is looked at, too */
        object_decref(runtime, list);
        object_decref(runtime, gc_test_make_ring(runtime, 2));
    }
    assert_int_equal(gc_check(runtime), 0);
    int length = 0;
    for (struct object *list = head; length <= CHAIN && list_length(list) > 0;
         list = list_item(list, 0)) {
        length++;
    }
    assert_int_equal(length, CHAIN);
    object_decref(runtime, head);
    (void)runtime_close(runtime);
}

/* The marks of new containers mean nothing, whatever a collection has left there: not after a
 * freeze either, under any policy. */
static void test_marks_of_what_was_new(void **state)
{
    for (size_t p = 0; gc_policy_table[p] != NULL; p++) {
        for (int marks = 1; marks < 256; marks = 2 * marks + (marks & 1)) {
            freeze_chain_with_marks(*state, gc_policy_table[p], marks & 0xff);
            freeze_chain_with_marks(*state, gc_policy_table[p], (marks + 1) / 2);
        }
    }
}

/* What save_all keeps is appended to a list that has been frozen: no member of the cycle under way
 * has been touched by that. */
static void test_garbage_is_saved_in_a_frozen_list(void **state)
{
    struct snapshot_parameters parameters;
    struct runtime *runtime = freeze_open(*state, &parameters);
    gc_set_save_all(runtime, true);
    struct object *garbage = gc_garbage(runtime);
    (void)gc_collect(runtime, 0); /* it has been dismissed */
    gc_freeze(runtime);
    freeze_make_garbage(runtime);
    for (int i = 0; i < FREEZE_SLICES; i++) {
        freeze_step(runtime, 1);
        assert_int_equal(gc_check(runtime), 0);
    }
    assert_int_equal(list_length(garbage), 2 * FREEZE_RINGS);
    for (size_t i = 0; i < 2 * FREEZE_RINGS; i++) {
        assert_int_equal(list_length(list_item(garbage, i)), 1);
    }
    gc_unfreeze(runtime);
    gc_set_save_all(runtime, false);
    list_clear(runtime, garbage);
    assert_int_equal(runtime_close(runtime), 0);
}

/* ---------------------------------------------------------------- rescues */
/* Garbage in a pair of instances, one of which is got through its weak reference after so many
 * steps of a cycle, and what it leads to must be there still. Whether SNAPSHOT_SWEEP was under way.
 */
static bool freeze_rescue_after(struct gc_fixture *fixture, int steps)
{
    struct snapshot_parameters parameters;
    struct runtime *runtime = freeze_open(fixture, &parameters);
    uint64_t objects = runtime_objects_live(runtime);
    struct object *class = class_new(runtime, "rescued", NULL);
    struct object *name = str_intern(runtime, "other", 5);
    struct object *one = class_instance_new(runtime, class);
    struct object *other = class_instance_new(runtime, class);
    assert_true(instance_set_attribute(runtime, one, name, other) &&
                instance_set_attribute(runtime, other, name, one));
    struct object *weak = weakref_new(runtime, one, NULL);
    freeze_make_garbage(runtime);
    (void)gc_collect(runtime, 0); /* all that is left has been dismissed */
    object_decref(runtime, one);
    object_decref(runtime, other);
    freeze_make_garbage(runtime);
    freeze_step(runtime, steps);
    bool in_sweep = snapshot_of(runtime)->phase == SNAPSHOT_SWEEP;
    struct object *got = weakref_get(runtime, weak);
    parameters.slice_units = 1000;
    freeze_step(runtime, FREEZE_SLICES);
    assert_int_equal(gc_check(runtime), 0);
    if (got != NULL) {
        assert_ptr_equal(instance_attribute(instance_attribute(got, name), name), got);
        object_decref(runtime, got);
        freeze_step(runtime, FREEZE_SLICES);
    }
    assert_null(weakref_get(runtime, weak));
    object_decref(runtime, weak);
    object_decref(runtime, name);
    object_decref(runtime, class);
    freeze_step(runtime, FREEZE_SLICES);
    assert_int_equal(runtime_objects_live(runtime), objects);
    assert_int_equal(runtime_close(runtime), 0);
    return in_sweep && got != NULL;
}

static void test_rescues_in_every_step_of_a_sweep(void **state)
{
    int rescued = 0;
    for (int steps = 0; steps < FREEZE_STEPS_MAX; steps++) {
        bool now = freeze_rescue_after(*state, steps);
        rescued += now;
        if (rescued > 0 && !now) {
            break; /* the sweep was over */
        }
    }
    assert_true(rescued > 5);
}

/* A slice does not do more than it may, by more than one container with its references: so a cycle
 * over so many takes so many slices. */
static void test_slices_are_bounded(void **state)
{
    enum { UNITS = 10, LISTS = 2000 };
    struct snapshot_parameters parameters;
    struct runtime *runtime = freeze_open(*state, &parameters);
    struct object *live = list_new(runtime);
    for (int i = 0; i < LISTS; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, list, live) && list_append(runtime, live, list));
        object_decref(runtime, list);
    }
    freeze_make_garbage(runtime);
    uint64_t before = runtime_objects_live(runtime);
    parameters.slice_units = UNITS;
    int slices = 0;
    while (runtime_objects_live(runtime) > before - 2 * (uint64_t)FREEZE_RINGS) {
        freeze_step(runtime, 1);
        assert_true(++slices < 100 * LISTS);
    }
    assert_true(slices * UNITS > LISTS); /* each list was touched at least once */
    list_clear(runtime, live);
    object_decref(runtime, live);
    assert_int_equal(runtime_close(runtime), 0);
}

int freeze_test(void)
{
    const struct CMUnitTest tests[] = {
        GC_TEST(test_freezing_in_every_step_of_a_cycle),
        GC_TEST(test_freezing_new_ones_after_a_collection),
        GC_TEST(test_marks_of_what_was_new),
        GC_TEST(test_visits_after_unfreezing),
        GC_TEST(test_garbage_is_saved_in_a_frozen_list),
        GC_TEST(test_rescues_in_every_step_of_a_sweep),
        GC_TEST(test_slices_are_bounded),
    };
    return cmocka_run_group_tests_name("freeze", tests, NULL, NULL);
}
