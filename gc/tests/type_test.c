/* Each type's behaviour, and the sizes in which it asks for memory. */
#include <string.h>

#include "common/rng.h"
#include "gc/class.h"
#include "gc/frame.h"
#include "gc/introspect.h"
#include "gc/objects.h"
#include "gc/tests/gc_test.h"
#include "gc/weakref.h"

static void test_atoms_hold_their_values(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *number = int_new(runtime, INT64_MIN);
    struct object *real = float_new(runtime, -0.5);
    assert_true(int_value(number) == INT64_MIN);
    assert_true(float_value(real) == -0.5);
    assert_false(gc_is_tracked(number));
    object_decref(runtime, number);
    object_decref(runtime, real);
}

static void test_strings(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *str = str_new(runtime, "a\0b", 3);
    struct object *filled = str_new(runtime, NULL, 3);
    struct object *empty = str_new(runtime, "", 0);
    memcpy(str_bytes(filled), "a\0b", 3);
    assert_int_equal(str_length(str), 3);
    assert_int_equal(str_bytes(str)[3], '\0');
    assert_true(str_equal(str, filled));
    assert_false(str_equal(str, empty));
    assert_true(str_hash(str) == str_hash(filled));
    /* FNV-1a's offset basis, and its published value for "a". */
    assert_true(str_hash(empty) == 0xcbf29ce484222325u);
    struct object *letter = str_new(runtime, "a", 1);
    assert_true(str_hash(letter) == 0xaf63dc4c8601ec8cu);
    object_decref(runtime, letter);
    object_decref(runtime, str);
    object_decref(runtime, filled);
    object_decref(runtime, empty);
}

/* More strings than the table of interned ones has buckets at first. */
static void test_intern_table_grows(void **state)
{
    enum { COUNT = 3000 };
    static struct object *strings[COUNT];
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    for (uint32_t i = 0; i < COUNT; i++) {
        strings[i] = str_intern(runtime, (const char *)&i, sizeof(i));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        struct object *again = str_intern(runtime, (const char *)&i, sizeof(i));
        assert_ptr_equal(again, strings[i]);
        object_decref(runtime, again);
    }
    assert_int_equal(gc_check(runtime), 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        object_decref(runtime, strings[i]);
        assert_int_equal(gc_test_live(fixture), COUNT - 1 - i);
    }
}

static void test_tuples(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *tuple = tuple_new(runtime, 20);
    assert_int_equal(tuple_length(tuple), 20);
    assert_true(gc_is_tracked(tuple));
    for (size_t i = 0; i < 20; i++) {
        assert_null(tuple_item(tuple, i));
    }
    for (size_t i = 0; i < 10; i++) { /* the other half stays empty */
        tuple_give_item(tuple, i, int_new(runtime, (int64_t)i + 1000));
    }
    assert_int_equal(int_value(tuple_item(tuple, 9)), 1009);
    object_decref(runtime, tuple);
}

/* Both sequences are those of CPython 3.11.2: (sys.getsizeof(list) - 56) / 8 after each append, and
 * after each pop the length with it. */
static void test_list_capacities(void **state)
{
    static const size_t growth[] = {4, 8, 16, 24, 32, 40, 52, 64, 76, 92, 108, 128, 148, 172, 200};
    static const size_t shrinkage[][2] = {{99, 116}, {57, 68}, {33, 40}, {19, 24}, {11, 16},
                                          {7, 12},   {5, 8},   {1, 4},   {0, 0}};
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *object = list_new(runtime);
    struct object *item = int_new(runtime, 7);
    const struct list_object *list = (const struct list_object *)object;
    size_t steps = 0;
    size_t capacity = 0;
    assert_null(list->items);
    for (size_t length = 1; length <= 200; length++) {
        assert_true(list_append(runtime, object, item));
        if (list->capacity != capacity) {
            capacity = list->capacity;
            assert_int_equal(capacity, growth[steps++]);
        }
    }
    assert_int_equal(steps, sizeof(growth) / sizeof(growth[0]));
    steps = 0;
    while (list_length(object) > 0) {
        object_decref(runtime, list_pop(runtime, object));
        if (list->capacity != capacity) {
            capacity = list->capacity;
            assert_int_equal(list->length, shrinkage[steps][0]);
            assert_int_equal(capacity, shrinkage[steps++][1]);
        }
    }
    assert_int_equal(steps, sizeof(shrinkage) / sizeof(shrinkage[0]));
    assert_true(list_append(runtime, object, item)); /* an emptied list grows again */
    assert_int_equal(list->capacity, 4);
    object_decref(runtime, item);
    object_decref(runtime, object);
}

/* What is asked of the heap for one object of each type, in bytes. CPython 3.11.2's sys.getsizeof
 * says the same of [], {}, (1, 2), 2.5 and "abc"; ints are 2.7's, instances 3.10's. */
static void test_block_sizes(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *name = str_intern(runtime, "", 0);
    uint64_t start = heap_probe.live_bytes;
    struct object *objects[] = {
        list_new(runtime),           dict_new(runtime),          tuple_new(runtime, 2),
        float_new(runtime, 2.5),     str_new(runtime, "abc", 3), int_new(runtime, 1000),
        instance_new(runtime, name),
    };
    static const uint64_t bytes[] = {56, 64, 56, 24, 52, 24, 48};
    for (size_t i = sizeof(bytes) / sizeof(bytes[0]); i-- > 0;) {
        uint64_t before = heap_probe.live_bytes;
        object_decref(runtime, objects[i]);
        assert_int_equal(before - heap_probe.live_bytes, bytes[i] + HEAP_OBJECT_EXTRA_BYTES);
    }
    assert_int_equal(heap_probe.live_bytes, start);
    object_decref(runtime, name);
}

static void test_list_random_operations(void **state)
{
    enum { LENGTH_MAX = 500, OPERATIONS = 20000 };
    static int64_t model[LENGTH_MAX];
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *list = list_new(runtime);
    struct rng rng;
    rng_seed(&rng, 1);
    size_t length = 0;
    for (int i = 0; i < OPERATIONS; i++) {
        int64_t value = (int64_t)rng_below(&rng, 2000) - 1000;
        uint64_t choice = rng_below(&rng, 100);
        if (choice < 45 && length < LENGTH_MAX) {
            struct object *item = int_new(runtime, value);
            assert_true(list_append(runtime, list, item));
            object_decref(runtime, item);
            model[length++] = value;
        } else if (choice < 80 && length > 0) {
            struct object *item = list_pop(runtime, list);
            assert_int_equal(int_value(item), model[--length]);
            object_decref(runtime, item);
        } else if (choice < 85 && length > 0) {
            size_t index = rng_below(&rng, length);
            list_delete(runtime, list, index);
            length--;
            memmove(model + index, model + index + 1, (length - index) * sizeof(*model));
        } else if (choice < 91 && length < LENGTH_MAX) {
            size_t index = rng_below(&rng, length + 1);
            struct object *item = int_new(runtime, value);
            assert_true(list_insert(runtime, list, index, item));
            object_decref(runtime, item);
            memmove(model + index + 1, model + index, (length - index) * sizeof(*model));
            model[index] = value;
            length++;
        } else if (choice < 99 && length > 0) {
            size_t index = rng_below(&rng, length);
            assert_int_equal(int_value(list_item(list, index)), model[index]);
            struct object *item = int_new(runtime, value);
            if (choice % 2 == 0) {
                list_give_item(runtime, list, index, item);
            } else {
                list_set_item(runtime, list, index, item);
                object_decref(runtime, item);
            }
            model[index] = value;
        } else if (choice == 99 && length > 400) {
            list_clear(runtime, list);
            length = 0;
        }
        assert_int_equal(list_length(list), length);
    }
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, list);
    assert_int_equal(gc_test_live(fixture), 0);
}

/* No setter steals: what a container is given, it counts for itself. */
static void test_setters_take_references_of_their_own(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *item = list_new(runtime);
    struct object *key = int_new(runtime, 1000);
    struct object *tuple = tuple_new(runtime, 1);
    struct object *list = list_new(runtime);
    struct object *dict = dict_new(runtime);
    tuple_set_item(tuple, 0, item);
    assert_true(list_append(runtime, list, key));
    list_set_item(runtime, list, 0, item);
    assert_true(list_insert(runtime, list, 0, item));
    assert_true(dict_set(runtime, dict, key, item));
    assert_int_equal(object_getrefcount(item), 5);
    assert_int_equal(object_getrefcount(key), 2);
    dict_clear(runtime, dict);
    list_delete(runtime, list, 0);
    assert_int_equal(object_getrefcount(item), 3);
    assert_int_equal(object_getrefcount(key), 1);
    assert_int_equal(dict_length(dict), 0);
    assert_null(dict_get(dict, key));
    assert_true(dict_set(runtime, dict, key, item)); /* it is as good as new */
    assert_true(object_is(tuple, &tuple_type) && object_is(list, &list_type));
    assert_true(object_is(dict, &dict_type) && object_is(key, &int_type));
    assert_int_equal(gc_check(runtime), 0);
    struct object *all[] = {tuple, list, dict, item, key};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        object_decref(runtime, all[i]);
    }
}

static void test_instances(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *class_name = str_intern(runtime, "Point", 5);
    struct object *x = str_intern(runtime, "x", 1);
    struct object *y = str_intern(runtime, "y", 1);
    struct object *point = instance_new(runtime, class_name);
    assert_int_equal(gc_test_live(fixture), 4); /* no dict yet */
    assert_ptr_equal(instance_class_name(point), class_name);
    assert_null(instance_attribute(point, x));
    assert_true(instance_set_attribute(runtime, point, x, y));
    assert_int_equal(gc_test_live(fixture), 5);
    assert_ptr_equal(instance_attribute(point, x), y);
    assert_null(instance_attribute(point, y));
    assert_true(instance_set_attribute(runtime, point, x, x));
    assert_ptr_equal(instance_attribute(point, x), x);
    object_decref(runtime, point);
    object_decref(runtime, class_name);
    object_decref(runtime, x);
    object_decref(runtime, y);
}

/* Visits so many, and stops at the last of them. */
struct type_stop {
    int left;
    int visited;
};

static int type_visit_and_stop(struct object *referent, void *context)
{
    struct type_stop *stop = context;
    assert_non_null(referent);
    stop->visited++;
    return --stop->left == 0 ? 7 : 0;
}

/* A visitor that does not return zero ends the traverse, and it is returned, at whichever of the
 * references. */
static void test_a_visitor_stops_the_traverse(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *name = str_intern(runtime, "x", 1);
    struct object *containers[] = {tuple_new(runtime, 2), list_new(runtime), dict_new(runtime),
                                   instance_new(runtime, name)};
    tuple_give_item(containers[0], 0, object_incref(name));
    tuple_give_item(containers[0], 1, object_incref(name));
    assert_true(list_append(runtime, containers[1], name));
    assert_true(list_append(runtime, containers[1], name));
    assert_true(dict_set(runtime, containers[2], name, name));
    assert_true(instance_set_attribute(runtime, containers[3], name, name));
    for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
        struct object *container = containers[i];
        for (int stop_at = 1; stop_at <= 2; stop_at++) {
            struct type_stop stop = {.left = stop_at};
            assert_int_equal(container->type->traverse(container, type_visit_and_stop, &stop), 7);
            assert_int_equal(stop.visited, stop_at);
        }
        struct type_stop never = {.left = 0};
        assert_int_equal(container->type->traverse(container, type_visit_and_stop, &never), 0);
        assert_int_equal(never.visited, 2);
        object_decref(runtime, container);
    }
    object_decref(runtime, name);
}

static void type_ignore_death(struct runtime *runtime, struct object *weakref, struct object *owned,
                              void *context)
{
    (void)runtime;
    (void)weakref;
    (void)owned;
    (void)context;
}

/* One that returns zero each time is told nothing, whatever the container holds or lacks. */
static void test_a_traverse_that_was_not_stopped_returns_zero(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *class = class_new(runtime, "Base", NULL);
    struct object *instance = class_instance_new(runtime, class);
    struct object *watched = class_instance_new(runtime, class);
    struct object *objects[] = {
        int_new(runtime, 1000),
        float_new(runtime, 1),
        str_new(runtime, "s", 1),
        tuple_new(runtime, 0),
        tuple_new(runtime, 2), /* not filled */
        list_new(runtime),
        dict_new(runtime),
        &frame_new(runtime, 2)->base, /* nothing in its slots */
        weakref_new(runtime, watched, NULL),
        weakref_new(runtime, watched,
                    &(struct weakref_hooks){.callback = type_ignore_death, .owned = class}),
        object_incref(class),
        object_incref(instance),
    };
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        struct type_stop never = {.left = 0};
        assert_non_null(objects[i]);
        assert_int_equal(gc_visit_referents(objects[i], type_visit_and_stop, &never), 0);
        object_decref(runtime, objects[i]);
    }
    object_decref(runtime, watched);
    object_decref(runtime, instance);
    object_decref(runtime, class);
}

int type_test(void)
{
    const struct CMUnitTest type_tests[] = {
        GC_TEST(test_atoms_hold_their_values),
        GC_TEST(test_strings),
        GC_TEST(test_intern_table_grows),
        GC_TEST(test_tuples),
        GC_TEST(test_list_capacities),
        GC_TEST(test_block_sizes),
        GC_TEST(test_list_random_operations),
        GC_TEST(test_setters_take_references_of_their_own),
        GC_TEST(test_instances),
        GC_TEST(test_a_visitor_stops_the_traverse),
        GC_TEST(test_a_traverse_that_was_not_stopped_returns_zero),
    };
    return cmocka_run_group_tests(type_tests, NULL, NULL);
}
