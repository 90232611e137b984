/* The registry: holes are used again, compaction keeps every container, exhaustion is reported. */
#include "gc/runtime.h"
#include "gc/tests/gc_test.h"

enum { REGISTRY_LISTS = 1000 };

static struct registry *registry_test_of(void **state)
{
    return &((struct gc_fixture *)*state)->runtime->collector.registry;
}

static void registry_test_make(struct runtime *runtime, struct object **lists, int count)
{
    for (int i = 0; i < count; i++) {
        lists[i] = list_new(runtime);
        assert_non_null(lists[i]);
    }
}

static void registry_test_drop(struct runtime *runtime, struct object **lists, int count, int step)
{
    for (int i = 0; i < count; i += step) {
        object_xdecref(runtime, lists[i]);
        lists[i] = NULL;
    }
}

/* One million short lives, beside some that last, take no more entries than are alive at once. */
static void test_holes_are_used_again(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct registry *registry = registry_test_of(state);
    struct object *lists[REGISTRY_LISTS];
    gc_enable(runtime, false);
    registry_test_make(runtime, lists, REGISTRY_LISTS);
    uint32_t length = registry->length;
    for (int round = 0; round < 1000; round++) {
        int first = round % 2;
        registry_test_drop(runtime, lists + first, REGISTRY_LISTS - first, 2);
        for (int i = first; i < REGISTRY_LISTS; i += 2) {
            lists[i] = list_new(runtime);
        }
    }
    assert_int_equal(registry->length, length);
    assert_int_equal(registry->holes, 0);
    assert_int_equal(gc_check(runtime), 0);
    registry_test_drop(runtime, lists, REGISTRY_LISTS, 1);
}

/* Holes among the old ones stay until a collection of that range takes them out. */
static void test_collections_compact(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct registry *registry = registry_test_of(state);
    struct object *lists[REGISTRY_LISTS];
    struct object *young[REGISTRY_LISTS];
    gc_enable(runtime, false);
    registry_test_make(runtime, lists, REGISTRY_LISTS);
    gc_collect(runtime, GC_GENERATIONS - 1);
    registry_test_drop(runtime, lists, REGISTRY_LISTS, 3);
    registry_test_make(runtime, young, REGISTRY_LISTS);
    assert_int_equal(registry->holes, (REGISTRY_LISTS + 2) / 3);
    assert_int_equal(gc_check(runtime), 0);
    gc_collect(runtime, 0);
    assert_int_equal(registry->holes, (REGISTRY_LISTS + 2) / 3);
    gc_collect(runtime, GC_GENERATIONS - 1);
    assert_int_equal(registry->holes, 0);
    assert_int_equal(registry->length, 1 + registry_tracked(registry));
    assert_int_equal(gc_check(runtime), 0);
    registry_test_drop(runtime, lists, REGISTRY_LISTS, 1);
    registry_test_drop(runtime, young, REGISTRY_LISTS, 1);
}

/* Containers that were tracked while the trash was processed move up behind the survivors. */
static void test_compaction_keeps_the_youngest(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct registry *registry = registry_test_of(state);
    struct object *lists[REGISTRY_LISTS];
    struct object *young[REGISTRY_LISTS];
    for (int youngest = 1; youngest <= REGISTRY_LISTS; youngest *= 10) {
        gc_enable(runtime, false);
        gc_collect(runtime, GC_GENERATIONS - 1);
        uint32_t begin = registry->length;
        registry_test_make(runtime, lists, REGISTRY_LISTS);
        registry_seal(registry);
        registry_test_make(runtime, young, youngest);
        registry_test_drop(runtime, lists, REGISTRY_LISTS, 2);
        registry_test_drop(runtime, young, youngest, 7);
        uint32_t end = registry_compact(registry, begin);
        assert_int_equal(end, begin + REGISTRY_LISTS / 2);
        assert_int_equal(registry->length, end + (uint32_t)(youngest - (youngest + 6) / 7));
        for (int i = 1; i < youngest; i++) {
            assert_true(young[i] == NULL || young[i]->index >= end);
        }
        assert_int_equal(gc_check(runtime), 0);
        registry_test_drop(runtime, lists, REGISTRY_LISTS, 1);
        registry_test_drop(runtime, young, youngest, 1);
    }
}

/* A registry that may grow no more: the container is not made, and nothing else has changed. */
static void test_exhaustion_is_reported(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct registry *registry = registry_test_of(state);
    struct object *holder = list_new(runtime);
    uint32_t limit = registry->limit;
    gc_enable(runtime, false);
    registry->limit = registry->committed;
    for (;;) {
        uint64_t live = gc_test_live(fixture);
        struct object *list = list_new(runtime);
        if (list == NULL) {
            assert_int_equal(gc_test_live(fixture), live);
            break;
        }
        assert_true(list_append(runtime, holder, list));
        object_decref(runtime, list);
    }
    assert_int_equal(registry->length, registry->committed);
    assert_null(tuple_new(runtime, 3));
    assert_null(dict_new(runtime));
    assert_int_equal(gc_check(runtime), 0);
    /* Once most are holes, growing takes those out instead. */
    uint32_t before = registry->length;
    gc_collect(runtime, GC_GENERATIONS - 1);
    list_clear(runtime, holder);
    assert_true(registry->holes > before / 2);
    struct object *list = list_new(runtime);
    assert_non_null(list);
    assert_int_equal(registry->length, 1 + 2);
    assert_int_equal(gc_check(runtime), 0);
    registry->limit = limit;
    object_decref(runtime, list);
    object_decref(runtime, holder);
}

/* A full registry grows by a step while no more than half are holes, and every container keeps its
 * entry; with one more the holes are taken out instead. */
static void test_half_may_be_holes(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct registry *registry = registry_test_of(state);
    struct object *holder = list_new(runtime);
    gc_enable(runtime, false);
    while (registry->length < registry->committed) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, holder, list));
        object_decref(runtime, list);
    }
    registry_seal(registry); /* holes are not used again from here */
    uint32_t committed = registry->committed;
    while (registry->holes < registry->length / 2) {
        object_decref(runtime, list_pop(runtime, holder));
    }
    assert_true(registry_grow(registry));
    assert_int_equal(registry->committed, committed + REGISTRY_STEP);
    assert_int_equal(registry->length, committed);
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, list_pop(runtime, holder));
    assert_true(registry_grow(registry));
    assert_int_equal(registry->committed, committed + REGISTRY_STEP);
    assert_int_equal(registry->holes, 0);
    assert_int_equal(registry->length, 1 + registry_tracked(registry));
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, holder);
}

int registry_test(void)
{
    const struct CMUnitTest registry_tests[] = {
        GC_TEST(test_holes_are_used_again),
        GC_TEST(test_collections_compact),
        GC_TEST(test_compaction_keeps_the_youngest),
        GC_TEST(test_exhaustion_is_reported),
        GC_TEST(test_half_may_be_holes),
    };
    return cmocka_run_group_tests(registry_tests, NULL, NULL);
}
