/* Old garbage cycles whose halves lie far apart in the registry: every collector but none finds
 * them while the program does nothing but allocate, and keep a little of that. */
#include <string.h>

#include "gc/class.h"
#include "gc/introspect.h"
#include "gc/runtime.h"
#include "gc/tests/gc_test.h"

enum {
    DISTANCE_PAIRS = 500,
    DISTANCE_BETWEEN = 20000, /* lists that live on between the halves */
    DISTANCE_ALLOCATIONS = 3000000,
    DISTANCE_YOUNG = 400000,
    DISTANCE_FLOATING_MAX = 50000,
    DISTANCE_KEPT_ONE_IN = 16, /* or what waits for a full collection stays below a quarter */
};

static void distance_count(struct runtime *runtime, struct object *self, void *context)
{
    (void)runtime;
    (void)self;
    ++*(int *)context;
}

/* Pairs that refer to each other, all the first halves made before all the second ones. */
static struct object *distance_make(struct runtime *runtime, struct object *class)
{
    struct object *held = list_new(runtime), *name = str_intern(runtime, "other", 5);
    for (int i = 0; i < 2 * DISTANCE_PAIRS + DISTANCE_BETWEEN; i++) {
        bool is_between = i >= DISTANCE_PAIRS && i < DISTANCE_PAIRS + DISTANCE_BETWEEN;
        struct object *object = is_between ? list_new(runtime) : class_instance_new(runtime, class);
        assert_true(list_append(runtime, held, object));
        object_decref(runtime, object);
    }
    for (int i = 0; i < DISTANCE_PAIRS; i++) {
        struct object *first = list_item(held, (size_t)i);
        struct object *second = list_item(held, (size_t)(DISTANCE_PAIRS + DISTANCE_BETWEEN + i));
        assert_true(instance_set_attribute(runtime, first, name, second));
        assert_true(instance_set_attribute(runtime, second, name, first));
    }
    object_decref(runtime, name);
    return held;
}

/* Lets go of the halves; what lies between them is kept. */
static void distance_drop(struct runtime *runtime, struct object *held)
{
    for (int i = 0; i < DISTANCE_PAIRS; i++) {
        struct object *between = list_item(held, DISTANCE_PAIRS);
        list_give_item(runtime, held, (size_t)i, object_incref(between));
        list_give_item(runtime, held, (size_t)(DISTANCE_PAIRS + DISTANCE_BETWEEN + i),
                       object_incref(between));
    }
}

static void distance_round(struct runtime *runtime)
{
    int found = 0;
    const struct class_hooks hooks = {.finalize = distance_count, .context = &found};
    struct object *class = class_new(runtime, "Half", &hooks);
    struct object *held = distance_make(runtime, class);
    for (int i = 0; i < 2 * GC_GENERATIONS; i++) { /* as old as can be */
        gc_collect(runtime, i % GC_GENERATIONS);
    }
    assert_int_equal(found, 0);
    distance_drop(runtime, held);
    assert_int_equal(found, 0);
    for (int i = 0; i < DISTANCE_ALLOCATIONS && found < 2 * DISTANCE_PAIRS; i++) {
        struct object *list = list_new(runtime);
        bool is_kept = i % DISTANCE_KEPT_ONE_IN == 0;
        assert_true(list_append(runtime, is_kept ? held : list, list));
        object_decref(runtime, list);
    }
    assert_int_equal(found, 2 * DISTANCE_PAIRS);
    object_decref(runtime, held);
    object_decref(runtime, class);
}

static void test_old_cycles_far_apart_are_found(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    if (strcmp(gc_policy_name(runtime->collector.policy), "none") == 0) {
        skip();
    }
    for (int round = 0; round < 3; round++) { /* a collector's second round is like its first */
        distance_round(runtime);
    }
}

/* Young garbage alone: however much is made, no more than so much floats. */
static void test_garbage_is_bounded(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    if (strcmp(gc_policy_name(runtime->collector.policy), "none") == 0) {
        skip();
    }
    uint64_t before = runtime_objects_live(runtime);
    for (int i = 0; i < DISTANCE_YOUNG; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, list, list));
        object_decref(runtime, list);
        assert_true(runtime_objects_live(runtime) - before < DISTANCE_FLOATING_MAX);
    }
}

int distance_test(void)
{
    const struct CMUnitTest tests[] = {
        GC_TEST(test_old_cycles_far_apart_are_found),
        GC_TEST(test_garbage_is_bounded),
    };
    return cmocka_run_group_tests_name("distance", tests, NULL, NULL);
}
