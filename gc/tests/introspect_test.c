/* What the gc module lets a program see and switch: objects, referrers, freezing, immortality,
 * callbacks, statistics. */
#include <stdio.h>
#include <string.h>

#include "gc/objects.h"
#include "gc/runtime.h"
#include "gc/tests/scenario.h"

struct introspect_found {
    struct object *objects[16];
    size_t length;
};

static int introspect_find(struct object *object, void *context)
{
    struct introspect_found *found = context;
    if (found->length < 16) {
        found->objects[found->length] = object;
    }
    found->length++;
    return 0;
}

static bool introspect_holds(const struct introspect_found *found, const struct object *object)
{
    for (size_t i = 0; i < found->length && i < 16; i++) {
        if (found->objects[i] == object) {
            return true;
        }
    }
    return false;
}

static void test_referents_and_referrers(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct object *atom = float_new(runtime, 1);
    struct object *outer = list_new(runtime);
    struct object *inner = list_new(runtime);
    assert_true(list_append(runtime, outer, inner));
    assert_true(list_append(runtime, outer, inner));
    assert_true(list_append(runtime, outer, atom));
    struct introspect_found found = {.length = 0};
    assert_int_equal(gc_visit_referents(outer, introspect_find, &found), 0);
    assert_int_equal(found.length, 3);
    assert_ptr_equal(found.objects[0], atom); /* the last item first, as in CPython */
    found.length = 0;
    assert_int_equal(gc_visit_referents(atom, introspect_find, &found), 0);
    assert_int_equal(gc_visit_referents(inner, introspect_find, &found), 0);
    assert_int_equal(found.length, 0);
    gc_visit_referrers(runtime, inner, introspect_find, &found);
    assert_int_equal(found.length, 1); /* once, though it refers to it twice */
    assert_ptr_equal(found.objects[0], outer);
    object_decref(runtime, outer);
    found.length = 0;
    gc_visit_referrers(runtime, inner, introspect_find, &found);
    assert_int_equal(found.length, 0);
    object_decref(runtime, inner);
    object_decref(runtime, atom);
    scenario_end();
}

/* What is tracked: containers as soon as they are made; tuples of atoms until a collection. */
static void test_tuples_of_atoms_are_untracked(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct object *atom = float_new(runtime, 1);
    struct object *list = list_new(runtime);
    struct object *tuples[4]; /* of an atom; of the first; of a list; of nothing yet */
    struct object *items[] = {atom, NULL, list, NULL};
    for (int i = 0; i < 4; i++) {
        tuples[i] = tuple_new(runtime, 1);
        items[1] = tuples[0];
        if (items[i] != NULL) {
            tuple_give_item(tuples[i], 0, object_incref(items[i]));
        }
        assert_true(gc_is_tracked(tuples[i]));
    }
    assert_true(list_append(runtime, list, atom));
    gc_collect(runtime, 2);
    gc_collect(runtime, 2); /* a tuple of tuples goes after its items, at the latest */
    assert_false(gc_is_tracked(tuples[0]));
    assert_false(gc_is_tracked(tuples[1]));
    assert_true(gc_is_tracked(tuples[2]));
    assert_true(gc_is_tracked(tuples[3]));
    assert_true(gc_is_tracked(list)); /* lists stay */
    assert_false(gc_is_tracked(atom));
    assert_int_equal(gc_check(runtime), 0);
    for (int i = 0; i < 4; i++) {
        object_decref(runtime, tuples[i]);
    }
    object_decref(runtime, list);
    object_decref(runtime, atom);
    scenario_end();
}

/* Frozen garbage stays, and dies when its count says so. */
static void test_freeze_and_unfreeze(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = scenario_begin(state);
    uint64_t before = gc_test_live(fixture);
    gc_collect(runtime, 2);
    assert_int_equal(gc_freeze_count(runtime), 0);
    struct object *list = list_new(runtime);
    struct object *other = list_new(runtime);
    assert_true(list_append(runtime, list, list));
    gc_freeze(runtime);
    uint64_t frozen = gc_freeze_count(runtime);
    assert_true(frozen >= 2);
    object_decref(runtime, list);
    struct object *young = list_new(runtime);
    assert_true(list_append(runtime, young, young));
    object_decref(runtime, young);
    assert_int_equal(gc_collect(runtime, 2), 1); /* the young one only */
    object_decref(runtime, other);
    assert_int_equal(gc_freeze_count(runtime), frozen - 1);
    assert_int_equal(gc_check(runtime), 0);
    gc_unfreeze(runtime);
    assert_int_equal(gc_freeze_count(runtime), 0);
    assert_int_equal(gc_collect(runtime, 2), 1);
    assert_int_equal(gc_test_live(fixture), before);
    scenario_end();
}

/* The close of a runtime finds frozen garbage too: the fixture's tear-down counts what is left. */
static void test_frozen_garbage_is_released_at_the_close(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *list = list_new(runtime);
    assert_true(list_append(runtime, list, list));
    gc_freeze(runtime);
    object_decref(runtime, list);
    assert_int_equal(gc_collect(runtime, 2), 0);
}

/* What a collector tells of itself: its names, its pauses and what it has freed. */
static void test_what_a_runtime_tells(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    assert_ptr_equal(runtime_heap(runtime), &((struct gc_fixture *)*state)->heap);
    assert_true(strlen(gc_policy_summary(runtime->collector.policy)) > 20);
    uint64_t collected = gc_collected(runtime), pauses = runtime_pauses(runtime)->count;
    struct object *list = list_new(runtime);
    assert_true(list_append(runtime, list, list));
    object_decref(runtime, list);
    gc_collect(runtime, 2);
    assert_int_equal(gc_collected(runtime), collected + 1);
    assert_true(runtime_pauses(runtime)->count > pauses);
    struct object *class = class_new(runtime, "Named", NULL);
    assert_int_equal(str_length(class_name(class)), 5);
    assert_memory_equal(str_bytes(class_name(class)), "Named", 5);
    object_decref(runtime, class);
    scenario_end();
}

/* The table of interned strings grows with them: chains stay short. */
static void test_interned_strings_have_buckets(void **state)
{
    enum { STRINGS = 20000 };
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *kept = list_new(runtime);
    for (int i = 0; i < STRINGS; i++) {
        char text[16];
        int length = snprintf(text, sizeof(text), "%d", i);
        struct object *atom = str_intern(runtime, text, (size_t)length);
        struct object *again = str_intern(runtime, text, (size_t)length);
        assert_true(atom != NULL && atom == again);
        assert_true(list_append(runtime, kept, atom));
        object_decref(runtime, atom);
        object_decref(runtime, again);
    }
    assert_true(runtime->interned.length >= STRINGS);
    assert_true(runtime->interned.bucket_count * 2 >= STRINGS);
    assert_true(runtime->interned.bucket_count <= 8 * STRINGS);
    object_decref(runtime, kept);
    assert_true(runtime->interned.length < STRINGS);
}

static void test_immortal_objects(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = scenario_begin(state);
    uint64_t before = gc_test_live(fixture);
    struct object *list = list_new(runtime);
    struct object *atom = float_new(runtime, 1);
    assert_true(list_append(runtime, list, list));
    assert_false(object_is_immortal(list));
    assert_true(object_immortalize(runtime, list));
    assert_true(object_immortalize(runtime, atom));
    assert_false(object_immortalize(runtime, atom));
    object_decref(runtime, list);
    object_decref(runtime, atom);
    for (int generation = 0; generation < GC_GENERATIONS; generation++) {
        assert_int_equal(gc_collect(runtime, generation), 0);
    }
    assert_true(object_is_immortal(list) && object_is_immortal(atom));
    assert_int_equal(gc_test_live(fixture), before + 2);
    assert_int_equal(gc_check(runtime), 0);
    scenario_end(); /* the tear-down finds nothing left at the close */
}

/* ---------------------------------------------------------------- callbacks and statistics */
struct introspect_events {
    struct gc_event events[8];
    size_t length;
};

static void introspect_note(struct runtime *runtime, const struct gc_event *event, void *context)
{
    struct introspect_events *noted = context;
    assert_int_equal(gc_collect(runtime, 2), 0); /* inside a collection: does nothing */
    if (noted->length < 8) {
        noted->events[noted->length++] = *event;
    }
}

static void test_callbacks_and_statistics(void **state)
{
    static const struct class_hooks legacy = {.finalize_legacy = scenario_finalize_legacy};
    static const enum gc_phase phases[] = {GC_PHASE_START, GC_PHASE_START, GC_PHASE_STOP,
                                           GC_PHASE_STOP,  GC_PHASE_START, GC_PHASE_STOP};
    struct runtime *runtime = scenario_begin(state);
    struct introspect_events noted = {.length = 0};
    struct gc_callback callbacks[] = {{introspect_note, &noted, NULL},
                                      {introspect_note, &noted, NULL}};
    gc_collect(runtime, 2);
    struct object *list = list_new(runtime);
    assert_true(list_append(runtime, list, list));
    object_decref(runtime, list);
    struct object *ring[] = {scenario_instance(&legacy, 1)};
    assert_true(scenario_drop_ring(ring, 1));
    struct gc_stats before;
    struct gc_stats after;
    runtime_stats(runtime, &before);
    gc_add_callback(runtime, &callbacks[0]);
    gc_add_callback(runtime, &callbacks[1]);
    gc_collect(runtime, 1);
    gc_remove_callback(runtime, &callbacks[0]);
    gc_remove_callback(runtime, &callbacks[0]); /* not there: nothing happens */
    runtime_stats(runtime, &after);
    gc_collect(runtime, 0);
    gc_remove_callback(runtime, &callbacks[1]);
    gc_collect(runtime, 0);
    assert_int_equal(noted.length, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(noted.events[i].phase, phases[i]);
    }
    assert_int_equal(noted.events[0].collected, 0);
    assert_int_equal(noted.events[2].collected, 1);
    assert_int_equal(noted.events[2].uncollectable, 3); /* instance, dict, class */
    int generation = noted.events[2].generation;
    assert_int_equal(after.collections[generation], before.collections[generation] + 1);
    assert_int_equal(after.collected_in[generation], before.collected_in[generation] + 1);
    assert_int_equal(after.uncollectable_in[generation], before.uncollectable_in[generation] + 3);
    scenario_end();
}

static void test_objects_by_generation(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    gc_freeze(runtime); /* out of the way */
    struct object *list = list_new(runtime);
    struct introspect_found all = {.length = 0};
    assert_int_equal(gc_visit_objects(runtime, -1, introspect_find, &all), 0);
    struct introspect_found young = {.length = 0};
    gc_visit_objects(runtime, 0, introspect_find, &young);
    assert_true(introspect_holds(&young, list));
    assert_int_equal(young.length, 1);
    assert_true(all.length > young.length); /* the frozen too */
    uint64_t seen = 0;
    for (int generation = 0; generation < GC_GENERATIONS; generation++) {
        gc_collect(runtime, generation);
        for (int g = 0; g < GC_GENERATIONS; g++) {
            struct introspect_found found = {.length = 0};
            gc_visit_objects(runtime, g, introspect_find, &found);
            seen += introspect_holds(&found, list);
        }
    }
    assert_int_equal(seen, 3); /* at any time in one generation */
    object_decref(runtime, list);
    gc_unfreeze(runtime);
    scenario_end();
}

static int introspect_count_lists(struct object *object, void *context)
{
    *(int *)context += object->type == &list_type;
    return 0;
}

static void introspect_look_around(struct runtime *runtime, struct object *self, void *context)
{
    (void)self;
    *(int *)context = 0;
    for (int g = 0; g < GC_GENERATIONS; g++) {
        gc_visit_objects(runtime, g, introspect_count_lists, context);
    }
}

/* An old instance dies with young garbage that alone refers to it: its finalizer does not get to
 * see any of that. */
static void test_finalizers_do_not_see_garbage(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    int lists = -1, before = 0;
    const struct class_hooks hooks = {.finalize = introspect_look_around, .context = &lists};
    struct object *class = class_new(runtime, "Looks", &hooks);
    struct object *old = class_instance_new(runtime, class);
    gc_collect(runtime, GC_GENERATIONS - 1);
    introspect_look_around(runtime, old, &before);
    struct object *one = list_new(runtime), *other = list_new(runtime);
    assert_true(list_append(runtime, one, other) && list_append(runtime, other, one));
    assert_true(list_append(runtime, one, old));
    object_decref(runtime, old);
    object_decref(runtime, other);
    object_decref(runtime, one);
    assert_int_equal(lists, -1);
    gc_collect(runtime, 0);
    assert_int_equal(lists, before);
    object_decref(runtime, class);
    scenario_end();
}

int introspect_test(void)
{
    const struct CMUnitTest introspect_tests[] = {
        GC_TEST(test_referents_and_referrers),
        GC_TEST(test_tuples_of_atoms_are_untracked),
        GC_TEST(test_frozen_garbage_is_released_at_the_close),
        GC_TEST(test_what_a_runtime_tells),
        GC_TEST(test_interned_strings_have_buckets),
        GC_TEST(test_freeze_and_unfreeze),
        GC_TEST(test_immortal_objects),
        GC_TEST(test_callbacks_and_statistics),
        GC_TEST(test_objects_by_generation),
        GC_TEST(test_finalizers_do_not_see_garbage),
    };
    return cmocka_run_group_tests(introspect_tests, NULL, NULL);
}
