/* The policies: all of them free the same garbage when asked, and each is triggered when it says.
 */
#include <string.h>

#include "common/os_memory.h"
#include "gc/tests/gc_test.h"

enum { POLICY_LIVE = 1000000 };

static uint64_t policy_collections(const struct runtime *runtime, int generation)
{
    struct gc_stats stats;
    runtime_stats(runtime, &stats);
    return stats.collections[generation];
}

static void policy_make_garbage(struct runtime *runtime, int count)
{
    for (int i = 0; i < count; i++) {
        struct object *one = list_new(runtime);
        struct object *other = list_new(runtime);
        assert_true(list_append(runtime, one, other));
        assert_true(list_append(runtime, other, one));
        object_decref(runtime, other);
        object_decref(runtime, one);
    }
}

/* A runtime of the policy in place of the fixture's, which is closed. */
static struct runtime *policy_reopen(struct gc_fixture *fixture, const char *name)
{
    struct error error;
    const struct gc_policy *policy = gc_policy_find(name, &error);
    assert_non_null(policy);
    assert_int_equal(runtime_close(fixture->runtime), 0);
    fixture->runtime = runtime_open_with(&fixture->heap, policy, &error);
    assert_non_null(fixture->runtime);
    assert_ptr_equal(runtime_policy(fixture->runtime), policy);
    assert_string_equal(gc_policy_name(policy), name);
    fixture->objects_at_start = runtime_objects_live(fixture->runtime);
    return fixture->runtime;
}

/* Whatever a policy does on its own, a collection that is asked for leaves no garbage, and keeps
 * everything else. */
static void test_every_policy_frees_the_same(void **state)
{
    struct gc_fixture *fixture = *state;
    for (size_t i = 0; gc_policy_table[i] != NULL; i++) {
        struct runtime *runtime = policy_reopen(fixture, gc_policy_name(gc_policy_table[i]));
        struct object *kept = list_new(runtime);
        for (int round = 0; round < 20; round++) {
            struct object *item = tuple_new(runtime, 1);
            tuple_set_item(item, 0, object_incref(kept));
            assert_true(list_append(runtime, kept, item));
            object_decref(runtime, item);
            policy_make_garbage(runtime, 500);
        }
        gc_collect(runtime, GC_GENERATIONS - 1);
        assert_int_equal(gc_test_live(fixture), 21);
        assert_int_equal(gc_check(runtime), 0);
        object_decref(runtime, kept);
        gc_collect(runtime, GC_GENERATIONS - 1);
        assert_int_equal(gc_test_live(fixture), 0);
    }
}

/* Builds POLICY_LIVE lists that live, under the policy, and lets them go. */
static void policy_build(struct gc_fixture *fixture, const char *name,
                         uint64_t collections[GC_GENERATIONS])
{
    struct runtime *runtime = policy_reopen(fixture, name);
    struct object **lists = os_map(POLICY_LIVE * sizeof(struct object *));
    assert_non_null(lists);
    for (size_t i = 0; i < POLICY_LIVE; i++) {
        lists[i] = list_new(runtime);
        assert_non_null(lists[i]);
    }
    for (int i = 0; i < GC_GENERATIONS; i++) {
        collections[i] = policy_collections(runtime, i);
    }
    for (size_t i = 0; i < POLICY_LIVE; i++) {
        object_decref(runtime, lists[i]);
    }
    os_unmap(lists, POLICY_LIVE * sizeof(struct object *));
}

/* CPython 3.13 counts 456, 41 and 3. By number: every 2001st allocation collects, 499 times, of
 * which every twelfth is of generation 1 (41) or, after eleven of those, of the oldest once the
 * newcomers are a quarter of it (3). 499 - 41 - 3 = 455; the interpreter's own start makes the
 * 456th. */
static void test_oracle_of_generational_2000(void **state)
{
    uint64_t collections[GC_GENERATIONS];
    policy_build(*state, "generational-2000", collections);
    assert_int_equal(collections[0], 455);
    assert_int_equal(collections[1], 41);
    assert_int_equal(collections[2], 3);
}

/* Without the 25% rule the oldest is collected whenever generation 1 has been collected eleven
 * times: 1426 collections, one in 12 of generation 1 or older, and one in 12 of those the oldest.
 */
static void test_without_the_quarter_rule(void **state)
{
    uint64_t collections[GC_GENERATIONS];
    policy_build(*state, "generational-700-no25", collections);
    assert_int_equal(collections[0] + collections[1] + collections[2], 1426);
    assert_int_equal(collections[2], 1426 / (11 * 12 + 1));
}

/* Collections at 10000 and its doublings. */
static void test_growth_is_geometric(void **state)
{
    uint64_t collections[GC_GENERATIONS];
    policy_build(*state, "growth", collections);
    assert_int_equal(collections[2], 7); /* 10000 × 2^6 = 640000 is the last below 10^6 */
    assert_int_equal(collections[0] + collections[1], 0);
}

static void test_none_collects_only_when_asked(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = policy_reopen(fixture, "none");
    policy_make_garbage(runtime, 20000);
    assert_int_equal(gc_test_live(fixture), 40000);
    assert_int_equal(policy_collections(runtime, 2), 0);
    assert_int_equal(gc_collect(runtime, 0), 40000);
}

static void test_an_unknown_name_tells_the_known(void **state)
{
    struct error error;
    (void)state;
    assert_null(gc_policy_find("generational", &error));
    assert_non_null(strstr(error.message, "generational-700"));
    assert_non_null(strstr(error.message, "none"));
    assert_string_equal(gc_policy_name(gc_policy_default()), "generational-700");
}

int policy_test(void)
{
    const struct CMUnitTest policy_tests[] = {
        GC_TEST(test_every_policy_frees_the_same),   GC_TEST(test_oracle_of_generational_2000),
        GC_TEST(test_without_the_quarter_rule),      GC_TEST(test_growth_is_geometric),
        GC_TEST(test_none_collects_only_when_asked), GC_TEST(test_an_unknown_name_tells_the_known),
    };
    return cmocka_run_group_tests(policy_tests, NULL, NULL);
}
