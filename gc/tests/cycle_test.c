/* Cycles: those that are unreachable are freed, and nothing else is. */
#include "gc/objects.h"
#include "gc/tests/gc_test.h"

static struct object *cycle_list_of(struct runtime *runtime, struct object *item)
{
    struct object *list = list_new(runtime);
    assert_true(list_append(runtime, list, item));
    return list;
}

static void test_list_that_holds_itself(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *list = list_new(runtime);
    assert_true(list_append(runtime, list, list));
    assert_int_equal(object_getrefcount(list), 2);
    object_decref(runtime, list);
    assert_int_equal(gc_test_live(fixture), 1); /* reference counts alone cannot free it */
    assert_int_equal(gc_collect(runtime, 2), 1);
    assert_int_equal(gc_test_live(fixture), 0);
    assert_int_equal(gc_collect(runtime, 2), 0);
}

static void test_dict_and_its_value(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *dict = dict_new(runtime);
    struct object *key = str_intern(runtime, "self", 4);
    struct object *list = cycle_list_of(runtime, dict);
    assert_true(dict_set(runtime, dict, key, list));
    object_decref(runtime, list);
    object_decref(runtime, dict);
    object_decref(runtime, key); /* the key dies with the dict */
    assert_int_equal(gc_collect(runtime, 2), 2);
    assert_int_equal(gc_test_live(fixture), 0);
}

static void test_instances_parent_and_child(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *name = str_intern(runtime, "Node", 4);
    struct object *parent = instance_new(runtime, name);
    struct object *child = instance_new(runtime, name);
    assert_true(instance_set_attribute(runtime, parent, name, child));
    assert_true(instance_set_attribute(runtime, child, name, parent));
    object_decref(runtime, child);
    assert_int_equal(gc_collect(runtime, 2), 0); /* parent has a name still */
    object_decref(runtime, parent);
    object_decref(runtime, name);
    assert_int_equal(gc_collect(runtime, 2), 4); /* each with its dict */
    assert_int_equal(gc_test_live(fixture), 0);
}

/* Made by setting an item late, as C code can: tuples alone. */
static void test_tuples_alone(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *first = tuple_new(runtime, 2);
    struct object *second = tuple_new(runtime, 1);
    tuple_give_item(second, 0, object_incref(first));
    tuple_give_item(first, 0, second);
    object_decref(runtime, first);
    assert_int_equal(gc_collect(runtime, 2), 2);
    assert_int_equal(gc_test_live(fixture), 0);
}

static void test_reachable_cycle_is_kept(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *inner = list_new(runtime);
    struct object *outer = cycle_list_of(runtime, inner);
    assert_true(list_append(runtime, inner, outer));
    struct object *holder = cycle_list_of(runtime, inner);
    object_decref(runtime, inner);
    object_decref(runtime, outer);
    for (int generation = 0; generation < GC_GENERATIONS; generation++) {
        assert_int_equal(gc_collect(runtime, generation), 0);
        assert_int_equal(gc_check(runtime), 0);
    }
    assert_ptr_equal(list_item(list_item(list_item(holder, 0), 0), 0), inner);
    object_decref(runtime, holder);
    assert_int_equal(gc_collect(runtime, 2), 2);
}

/* garbage <-> garbage -> shared <- holder: the shared part stays, with one reference less. */
static void test_garbage_that_refers_to_the_living(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *shared = list_new(runtime);
    struct object *holder = cycle_list_of(runtime, shared);
    struct object *garbage = cycle_list_of(runtime, shared);
    struct object *other = cycle_list_of(runtime, garbage);
    assert_true(list_append(runtime, garbage, other));
    object_decref(runtime, garbage);
    object_decref(runtime, other);
    assert_int_equal(object_getrefcount(shared), 3);
    assert_int_equal(gc_collect(runtime, 2), 2);
    assert_int_equal(object_getrefcount(shared), 2);
    object_decref(runtime, shared);
    object_decref(runtime, holder);
    assert_int_equal(gc_test_live(fixture), 0);
}

/* A long tail that is reachable only through its last-made node: each of its nodes is first judged
 * unreachable, as it precedes what keeps it alive in the list, and must be moved back. */
/* Garbage that refers to one living thing each and to nothing else: to a list, and to a tuple that
 * the same collection untracks. */
static void test_garbage_whose_only_referent_lives(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *list = list_new(runtime);
    struct object *tuple = tuple_new(runtime, 1);
    tuple_give_item(tuple, 0, int_new(runtime, 7));
    struct object *ring = list_new(runtime);
    for (int i = 0; i < 10; i++) {
        struct object *of_list = cycle_list_of(runtime, list);
        struct object *of_tuple = cycle_list_of(runtime, tuple);
        assert_true(list_append(runtime, ring, of_list) && list_append(runtime, ring, of_tuple));
        object_decref(runtime, of_list);
        object_decref(runtime, of_tuple);
    }
    assert_true(list_append(runtime, ring, ring));
    object_decref(runtime, ring);
    assert_int_equal(object_getrefcount(list), 11);
    assert_int_equal(gc_collect(runtime, 2), 21);
    assert_int_equal(object_getrefcount(list), 1);
    assert_int_equal(object_getrefcount(tuple), 1);
    object_decref(runtime, list);
    object_decref(runtime, tuple);
    assert_int_equal(gc_test_live(fixture), 0);
}

enum { CYCLE_LONG = 60 };

/* A list that holds itself, and that nobody refers to. */
static void cycle_drop_garbage(struct runtime *runtime)
{
    struct object *garbage = list_new(runtime);
    assert_true(list_append(runtime, garbage, garbage));
    object_decref(runtime, garbage);
}

/* Long lists are looked at together with their items, and where these are neighbours in the
 * registry they are marked without another look: here they are not, and garbage is among them. */
static void test_long_list_in_another_order(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *holder = list_new(runtime);
    struct object *items[CYCLE_LONG];
    for (int i = 0; i < CYCLE_LONG; i++) {
        struct object *leaf = list_new(runtime);
        items[i] = cycle_list_of(runtime, leaf);
        object_decref(runtime, leaf);
        if (i % 3 == 0) {
            cycle_drop_garbage(runtime);
        }
    }
    for (int i = 0; i < CYCLE_LONG; i++) {
        struct object *item = items[i * 7 % CYCLE_LONG]; /* 7 and 60 have no common divisor */
        assert_true(list_append(runtime, holder, item));
        object_decref(runtime, item);
    }
    assert_int_equal(gc_collect(runtime, 2), CYCLE_LONG / 3);
    assert_int_equal(gc_test_live(fixture), 1 + 2 * CYCLE_LONG);
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, holder);
    assert_int_equal(gc_test_live(fixture), 0);
}

/* Items that are looked at with their long list, and have an atom before their one container. */
static void test_items_of_a_long_list(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *holder = list_new(runtime);
    struct object *number = int_new(runtime, 1);
    for (int i = 0; i < CYCLE_LONG; i++) {
        struct object *item = cycle_list_of(runtime, number);
        struct object *leaf = list_new(runtime);
        cycle_drop_garbage(runtime);
        assert_true(list_append(runtime, item, leaf) && list_append(runtime, holder, item));
        object_decref(runtime, leaf);
        object_decref(runtime, item);
    }
    object_decref(runtime, number);
    assert_int_equal(gc_collect(runtime, 2), CYCLE_LONG);
    assert_int_equal(gc_test_live(fixture), 1 + 2 * CYCLE_LONG);
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, holder);
    assert_int_equal(gc_test_live(fixture), 0);
}

static void test_judged_too_soon_and_moved_back(void **state)
{
    enum { COUNT = 1000 };
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *head = list_new(runtime);
    for (int i = 1; i < COUNT; i++) {
        struct object *node = cycle_list_of(runtime, head);
        object_decref(runtime, head);
        head = node;
    }
    assert_int_equal(gc_collect(runtime, 2), 0);
    assert_int_equal(gc_test_live(fixture), COUNT);
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, head);
}

static void test_many_small_rings_beside_living_lists(void **state)
{
    enum { COUNT = 2000 };
    static struct object *living[COUNT];
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    gc_enable(runtime, false);
    for (int i = 0; i < COUNT; i++) {
        struct object *a = list_new(runtime);
        struct object *b = cycle_list_of(runtime, a);
        living[i] = list_new(runtime);
        assert_true(list_append(runtime, a, b));
        object_decref(runtime, a);
        object_decref(runtime, b);
    }
    assert_int_equal(gc_collect(runtime, 2), 2 * COUNT);
    assert_int_equal(gc_test_live(fixture), COUNT);
    struct gc_stats stats;
    runtime_stats(runtime, &stats);
    assert_int_equal(stats.collected, 2 * COUNT);
    assert_int_equal(stats.objects_visited, 3 * COUNT);
    assert_int_equal(stats.tracked, COUNT);
    for (int i = 0; i < COUNT; i++) {
        object_decref(runtime, living[i]);
    }
}

/* Each node refers to each other one: none dies by its own clear. */
static void test_dense_garbage(void **state)
{
    enum { COUNT = 60 };
    struct object *nodes[COUNT];
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    for (int i = 0; i < COUNT; i++) {
        nodes[i] = list_new(runtime);
    }
    for (int i = 0; i < COUNT * COUNT; i++) {
        assert_true(list_append(runtime, nodes[i / COUNT], nodes[i % COUNT]));
    }
    for (int i = 0; i < COUNT; i++) {
        object_decref(runtime, nodes[i]);
    }
    assert_int_equal(gc_collect(runtime, 2), COUNT);
    assert_int_equal(gc_test_live(fixture), 0);
}

/* What a leak looks like: the object stays alive, and runtime_close says so. */
static void test_close_counts_what_is_still_owned(void **state)
{
    (void)state;
    static const struct heap_options options;
    struct gc_fixture fixture;
    assert_true(gc_test_open(&fixture, &options));
    struct object *number = int_new(fixture.runtime, 7); /* a shared one */
    struct object *list = cycle_list_of(fixture.runtime, number);
    assert_true(list_append(fixture.runtime, list, list));
    /* list has one reference too many; number as well, where immortal objects are counted */
    assert_int_equal(runtime_close(fixture.runtime), GC_IMMORTAL ? 1 : 2);
    struct object **items = ((struct list_object *)list)->items;
    heap_free(&fixture.heap, items, 4 * sizeof(*items), HEAP_BUFFER);
    heap_free(&fixture.heap, gc_head_of(list), HEAP_LIST_BYTES, HEAP_LIST);
    if (!GC_IMMORTAL) {
        heap_free(&fixture.heap, number, HEAP_INT_BYTES, HEAP_INT);
    }
    assert_int_equal(heap_probe.live_bytes, fixture.bytes_at_start);
    heap_close(&fixture.heap);
}

int cycle_test(void)
{
    const struct CMUnitTest cycle_tests[] = {
        GC_TEST(test_list_that_holds_itself),
        GC_TEST(test_dict_and_its_value),
        GC_TEST(test_instances_parent_and_child),
        GC_TEST(test_tuples_alone),
        GC_TEST(test_reachable_cycle_is_kept),
        GC_TEST(test_garbage_that_refers_to_the_living),
        GC_TEST(test_garbage_whose_only_referent_lives),
        GC_TEST(test_long_list_in_another_order),
        GC_TEST(test_items_of_a_long_list),
        GC_TEST(test_judged_too_soon_and_moved_back),
        GC_TEST(test_many_small_rings_beside_living_lists),
        GC_TEST(test_dense_garbage),
        cmocka_unit_test(test_close_counts_what_is_still_owned),
    };
    return cmocka_run_group_tests(cycle_tests, NULL, NULL);
}
