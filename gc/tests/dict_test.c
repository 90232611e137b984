/* Dicts against a model, and the sizes of their tables against CPython's. */
#include <stdio.h>
#include <string.h>

#include "common/rng.h"
#include "gc/tests/gc_test.h"

/* The sizes of the buffer and the insertions at which it is replaced are those of CPython 3.11.2
 * with int keys: differences of sys.getsizeof(dict). */
static void test_dict_table_sizes(void **state)
{
    static const uint64_t growth[][2] = {{1, 160},     {6, 288},     {11, 568},   {22, 1104},
                                         {43, 2200},   {86, 4624},   {171, 9240}, {342, 18448},
                                         {683, 36888}, {1366, 73744}};
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *dict = dict_new(runtime);
    uint64_t start = heap_probe.live_bytes;
    uint64_t buffer = 0;
    size_t steps = 0;
    for (uint64_t count = 1; count <= 2000; count++) {
        struct object *number = int_new(runtime, (int64_t)(count % 250)); /* shared: not measured */
        struct object *key = int_new(runtime, (int64_t)count + 1000);
        assert_true(dict_set(runtime, dict, key, number));
        uint64_t bytes = heap_probe.live_bytes - start - count * HEAP_INT_BYTES;
        if (bytes != buffer) {
            buffer = bytes;
            assert_int_equal(count, growth[steps][0]);
            assert_int_equal(buffer, growth[steps++][1]);
        }
        object_decref(runtime, key);
        object_decref(runtime, number);
    }
    assert_int_equal(steps, sizeof(growth) / sizeof(growth[0]));
    object_decref(runtime, dict);
}

enum { DICT_KEYS = 700 };

/* Keys are 0 to DICT_KEYS − 1: the even ones ints, the odd ones strs. */
static struct object *dict_test_key(struct runtime *runtime, size_t key)
{
    if (key % 2 == 0) {
        /* Far apart, with equal low bits: collisions, which the perturbed probing must resolve. */
        return int_new(runtime, (int64_t)(key + 1) << 20);
    }
    char text[32];
    int length = snprintf(text, sizeof(text), "key-%zu", key);
    return str_new(runtime, text, (size_t)length);
}

struct dict_model {
    struct object *keys[DICT_KEYS];
    int64_t values[DICT_KEYS]; /* 0: absent */
    uint64_t order[DICT_KEYS]; /* when the key was inserted */
    size_t length;
    uint64_t insertions;
};

static void dict_model_compare(const struct dict_model *model, struct runtime *runtime,
                               struct object *dict)
{
    size_t position = 0;
    size_t seen = 0;
    uint64_t last = 0;
    struct object *key;
    struct object *value;
    while (dict_next(dict, &position, &key, &value)) {
        size_t k = 0;
        while (model->keys[k] != key) {
            k++;
            assert_true(k < DICT_KEYS);
        }
        assert_int_equal(int_value(value), model->values[k]);
        assert_true(seen == 0 || model->order[k] > last);
        last = model->order[k];
        seen++;
    }
    assert_int_equal(seen, model->length);
    for (size_t k = 0; k < DICT_KEYS; k++) {
        struct object *equal = dict_test_key(runtime, k); /* found by value, not by identity */
        struct object *found = dict_get(dict, equal);
        assert_int_equal(found == NULL ? 0 : int_value(found), model->values[k]);
        object_decref(runtime, equal);
    }
    assert_int_equal(gc_check(runtime), 0);
}

static void dict_model_set(struct dict_model *model, struct runtime *runtime, struct object *dict,
                           size_t k, int64_t number)
{
    struct object *value = int_new(runtime, number);
    assert_true(dict_set(runtime, dict, model->keys[k], value));
    object_decref(runtime, value);
    if (model->values[k] == 0) {
        model->length++;
        model->order[k] = ++model->insertions;
    }
    model->values[k] = number;
}

static void dict_model_delete(struct dict_model *model, struct runtime *runtime,
                              struct object *dict, size_t k)
{
    assert_int_equal(dict_delete(runtime, dict, model->keys[k]), model->values[k] != 0);
    if (model->values[k] != 0) {
        model->length--;
        model->values[k] = 0;
    }
}

/* Growing, shrinking and steady phases by turns, so that tables are left by growth and by
 * deletions. */
static void test_dict_random_operations(void **state)
{
    static const uint64_t set_percent[] = {80, 50, 15};
    static struct dict_model model;
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *dict = dict_new(runtime);
    struct rng rng;
    rng_seed(&rng, 2);
    memset(&model, 0, sizeof(model));
    for (size_t k = 0; k < DICT_KEYS; k++) {
        model.keys[k] = dict_test_key(runtime, k);
    }
    for (int phase = 0; phase < 30; phase++) {
        for (int i = 0; i < 1500; i++) {
            size_t k = rng_below(&rng, DICT_KEYS);
            if (rng_below(&rng, 100) < set_percent[phase % 3]) {
                dict_model_set(&model, runtime, dict, k, 1 + (int64_t)rng_below(&rng, 1000000));
            } else {
                dict_model_delete(&model, runtime, dict, k);
            }
            assert_int_equal(dict_length(dict), model.length);
        }
        dict_model_compare(&model, runtime, dict);
    }
    object_decref(runtime, dict);
    for (size_t k = 0; k < DICT_KEYS; k++) {
        assert_int_equal(object_getrefcount(model.keys[k]), 1);
        object_decref(runtime, model.keys[k]);
    }
    assert_int_equal(gc_test_live(fixture), 0);
}

/* One key in and out for ever: the table is rebuilt, not grown without end. */
static void test_dict_churn_of_one_key(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *dict = dict_new(runtime);
    struct object *key = str_intern(runtime, "key", 3);
    assert_true(dict_set(runtime, dict, key, key));
    uint64_t bytes = heap_probe.live_bytes;
    for (int i = 0; i < 1000; i++) {
        assert_true(dict_delete(runtime, dict, key));
        assert_false(dict_delete(runtime, dict, key));
        assert_true(dict_set(runtime, dict, key, key));
    }
    assert_int_equal(heap_probe.live_bytes, bytes);
    assert_int_equal(dict_length(dict), 1);
    object_decref(runtime, dict);
    object_decref(runtime, key);
}

/* An index of 2-byte and of 4-byte slots. */
static void test_dict_of_many_keys(void **state)
{
    enum { COUNT = 100000 };
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *dict = dict_new(runtime);
    for (int64_t i = 0; i < COUNT; i++) {
        struct object *number = int_new(runtime, i * i);
        assert_true(dict_set(runtime, dict, number, number));
        object_decref(runtime, number);
    }
    assert_int_equal(gc_check(runtime), 0);
    for (int64_t i = 0; i < COUNT; i++) {
        struct object *number = int_new(runtime, i * i);
        if (i % 3 == 0) {
            assert_true(dict_delete(runtime, dict, number));
        } else {
            assert_int_equal(int_value(dict_get(dict, number)), i * i);
        }
        object_decref(runtime, number);
    }
    assert_int_equal(dict_length(dict), COUNT - (COUNT + 2) / 3);
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, dict);
}

static void test_int_and_str_keys_differ(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *dict = dict_new(runtime);
    struct object *str = str_new(runtime, "x", 1);
    struct object *number = int_new(runtime, (int64_t)str_hash(str)); /* the same hash */
    assert_true(dict_set(runtime, dict, str, str));
    assert_null(dict_get(dict, number));
    assert_true(dict_set(runtime, dict, number, number));
    assert_int_equal(dict_length(dict), 2);
    assert_ptr_equal(dict_get(dict, str), str);
    assert_ptr_equal(dict_get(dict, number), number);
    object_decref(runtime, dict);
    object_decref(runtime, str);
    object_decref(runtime, number);
}

int dict_test(void)
{
    const struct CMUnitTest dict_tests[] = {
        GC_TEST(test_dict_table_sizes),        GC_TEST(test_dict_random_operations),
        GC_TEST(test_dict_churn_of_one_key),   GC_TEST(test_dict_of_many_keys),
        GC_TEST(test_int_and_str_keys_differ),
    };
    return cmocka_run_group_tests(dict_tests, NULL, NULL);
}
