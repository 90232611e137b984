/* The trigger oracle of the other generational policies: how often 10^6 live lists are collected,
 * and what one collection by itself examines. generation_test.c has the one of generational-700. */
#include "common/os_memory.h"
#include "gc/introspect.h"
#include "gc/tests/gc_test.h"

enum { TRIGGER_LISTS = 1000000 };

static struct runtime *trigger_open(struct gc_fixture *fixture, const char *name)
{
    struct error error;
    const struct gc_policy *policy = gc_policy_find(name, &error);
    assert_non_null(policy);
    struct runtime *runtime = runtime_open_with(&fixture->heap, policy, &error);
    assert_non_null(runtime);
    return runtime;
}

static uint64_t trigger_collections(const struct runtime *runtime)
{
    struct gc_stats stats;
    runtime_stats(runtime, &stats);
    return stats.collections[0] + stats.collections[1] + stats.collections[2];
}

/* Lists that live, until the next collection; how many. */
static uint64_t trigger_until_next(struct runtime *runtime, struct object *holder)
{
    uint64_t before = trigger_collections(runtime), made = 0;
    while (trigger_collections(runtime) == before) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, holder, list));
        object_decref(runtime, list);
        assert_in_range(++made, 1, TRIGGER_LISTS);
    }
    return made;
}

static void trigger_count(struct gc_fixture *fixture, const char *name,
                          uint64_t collections[GC_GENERATIONS])
{
    struct runtime *runtime = trigger_open(fixture, name);
    struct object **lists = os_map(TRIGGER_LISTS * sizeof(struct object *));
    assert_non_null(lists);
    for (size_t i = 0; i < TRIGGER_LISTS; i++) {
        lists[i] = list_new(runtime);
        assert_non_null(lists[i]);
    }
    struct gc_stats stats;
    runtime_stats(runtime, &stats);
    for (int i = 0; i < GC_GENERATIONS; i++) {
        collections[i] = stats.collections[i];
    }
    for (size_t i = 0; i < TRIGGER_LISTS; i++) {
        object_decref(runtime, lists[i]);
    }
    os_unmap(lists, TRIGGER_LISTS * sizeof(struct object *));
    assert_int_equal(runtime_close(runtime), 0);
}

/* 10^6 / 2001 = 499 collections: 41 of them of the middle generation (each twelfth), 3 full, the
 * rest young: 499 - 41 - 3 = 455. CPython 3.13 says 456 of a process whose start has collected once
 * more. */
static void test_generational_2000(void **state)
{
    uint64_t collections[GC_GENERATIONS];
    trigger_count(*state, "generational-2000", collections);
    assert_int_equal(collections[0] + collections[1] + collections[2], TRIGGER_LISTS / 2001);
    assert_int_equal(collections[1], 41);
    assert_int_equal(collections[2], 3);
    assert_int_equal(collections[0], 455);
}

/* Runs over 10^6 live lists, each a candidate, none garbage: the buffer is looked at once in 64
 * allocations, and examined when it holds as many as the threshold, which grows each time. */
static uint64_t trigger_runs(uint64_t threshold, uint64_t (*next)(uint64_t threshold))
{
    uint64_t runs = 0, buffered = 0;
    for (uint64_t made = 64; made <= TRIGGER_LISTS; made += 64) {
        buffered += 64;
        if (buffered >= threshold) {
            runs++;
            buffered = 0;
            threshold = next(threshold);
        }
    }
    return runs;
}

/* PHP 7.3: 10,001 at first, and 10,000 more after each run that frees fewer than a hundred. */
static uint64_t trigger_next_php(uint64_t threshold)
{
    return threshold + 10000;
}

/* Nim's ORC: what is above 128 half as large again after each run that frees less than half. */
static uint64_t trigger_next_orc(uint64_t threshold)
{
    return 128 + (threshold - 128) / 2 * 3;
}

static void test_trial_deletion(void **state)
{
    uint64_t collections[GC_GENERATIONS];
    trigger_count(*state, "trial-deletion-php", collections);
    assert_int_equal(collections[2], trigger_runs(10001, trigger_next_php));
    trigger_count(*state, "trial-deletion-orc", collections);
    assert_int_equal(collections[2], trigger_runs(256, trigger_next_orc));
}

/* PHP's threshold after a run that has freed so many, the one before having freed none. */
static uint64_t trigger_php_after(struct gc_fixture *fixture, int freed)
{
    struct runtime *runtime = trigger_open(fixture, "trial-deletion-php");
    struct object *holder = list_new(runtime);
    (void)trigger_until_next(runtime, holder);
    object_decref(runtime, gc_test_make_ring(runtime, freed));
    (void)trigger_until_next(runtime, holder);
    struct gc_stats stats;
    runtime_stats(runtime, &stats);
    assert_int_equal(stats.collected, freed);
    uint64_t made = trigger_until_next(runtime, holder);
    object_decref(runtime, holder);
    assert_int_equal(runtime_close(runtime), 0);
    return made;
}

/* Fewer than a hundred are few: one step more. A hundred are not: one step less. */
static void test_php_goes_by_a_hundred(void **state)
{
    assert_in_range(trigger_php_after(*state, 99), 30001 - 64, 30001 + 64);
    assert_in_range(trigger_php_after(*state, 100), 10001 - 64, 10001 + 64);
}

/* However much of the heap is yet to be examined in this round, the next increment examines what is
 * new. */
static void test_an_increment_examines_the_young(void **state)
{
    enum { OLD = 50000, RING = 100 };
    struct runtime *runtime = trigger_open(*state, "incremental");
    struct object *holder = list_new(runtime);
    for (int i = 0; i < OLD; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, holder, list));
        object_decref(runtime, list);
    }
    (void)gc_collect(runtime, GC_GENERATIONS - 1);
    for (int i = 0; i < 3; i++) {
        object_decref(runtime, gc_test_make_ring(runtime, RING));
        uint64_t before = runtime_objects_live(runtime);
        uint64_t made = trigger_until_next(runtime, holder);
        assert_int_equal(runtime_objects_live(runtime), before + made - RING);
    }
    object_decref(runtime, holder);
    assert_int_equal(runtime_close(runtime), 0);
}

static const char *const trigger_configurable[] = {"growth", "incremental", "trial-deletion-php",
                                                   "trial-deletion-orc"};

static void trigger_set(struct runtime *runtime, int first, int second)
{
    gc_set_threshold(runtime, (const int[GC_GENERATIONS]){first, second, 0});
}

/* Thresholds hold for policies without generations too: 0 is never, and a small one comes soon,
 * whatever automatic collection has been switched to meanwhile. Trial deletion looks at its roots
 * once in 64 allocations. */
static void test_thresholds_of_other_policies(void **state)
{
    enum { FIRST = 200, NEVER = 50000, INTERVAL = 64 };
    for (size_t i = 0; i < sizeof(trigger_configurable) / sizeof(*trigger_configurable); i++) {
        struct runtime *runtime = trigger_open(*state, trigger_configurable[i]);
        struct object *holder = list_new(runtime);
        trigger_set(runtime, 0, 0);
        for (int made = 0; made < NEVER; made++) {
            object_decref(runtime, gc_test_make_ring(runtime, 1));
        }
        assert_int_equal(trigger_collections(runtime), 0);
        assert_int_equal(gc_collect(runtime, GC_GENERATIONS - 1), NEVER);
        trigger_set(runtime, FIRST, 0);
        gc_enable(runtime, false);
        gc_enable(runtime, true);
        assert_in_range(trigger_until_next(runtime, holder), FIRST - INTERVAL, FIRST + INTERVAL);
        object_decref(runtime, holder);
        assert_int_equal(runtime_close(runtime), 0);
    }
}

/* PHP's step is one less than the first number of roots. ORC's threshold never falls below 144,
 * however small it was at first. */
static void test_small_thresholds_of_roots_grow(void **state)
{
    enum { FIRST = 321, SMALL = 10, INTERVAL = 64, ORC_LEAST = 144 };
    struct runtime *runtime = trigger_open(*state, "trial-deletion-php");
    struct object *holder = list_new(runtime);
    trigger_set(runtime, FIRST, 0);
    for (int steps = 0; steps < 4; steps++) {
        uint64_t wanted = FIRST + (uint64_t)steps * (FIRST - 1);
        assert_in_range(trigger_until_next(runtime, holder), wanted - INTERVAL, wanted + INTERVAL);
    }
    object_decref(runtime, holder);
    assert_int_equal(runtime_close(runtime), 0);

    runtime = trigger_open(*state, "trial-deletion-orc");
    trigger_set(runtime, SMALL, 0);
    for (int i = 0; i < 2 * INTERVAL; i++) { /* garbage, most of what is touched */
        object_decref(runtime, gc_test_make_ring(runtime, 1));
    }
    assert_int_equal(trigger_collections(runtime), 1);
    holder = list_new(runtime);
    assert_in_range(trigger_until_next(runtime, holder), ORC_LEAST - INTERVAL,
                    ORC_LEAST + INTERVAL);
    object_decref(runtime, holder);
    assert_int_equal(runtime_close(runtime), 0);
}

/* Containers that one increment examines, with so many old ones, none of which leads to another. */
static uint64_t trigger_increment(struct gc_fixture *fixture, int old, int young, int scale)
{
    struct runtime *runtime = trigger_open(fixture, "incremental");
    const size_t bytes = (size_t)(old + 2 * young) * sizeof(struct object *);
    struct object **lists = os_map(bytes);
    assert_non_null(lists);
    trigger_set(runtime, 0, 0);
    int made = 0;
    while (made < old) {
        lists[made++] = list_new(runtime);
    }
    (void)gc_collect(runtime, GC_GENERATIONS - 1);
    struct gc_stats before, after;
    runtime_stats(runtime, &before);
    uint64_t collections = trigger_collections(runtime);
    trigger_set(runtime, young, scale);
    while (trigger_collections(runtime) == collections) {
        assert_true(made < old + 2 * young);
        lists[made++] = list_new(runtime);
    }
    runtime_stats(runtime, &after);
    while (made > 0) {
        object_decref(runtime, lists[--made]);
    }
    os_unmap(lists, bytes);
    assert_int_equal(runtime_close(runtime), 0);
    return after.objects_visited - before.objects_visited;
}

/* CPython 3.14: the second threshold is a scale, 2 at least; an increment owes, beside as many as
 * are young, a tenth of the heap over that. */
static void test_the_scale_of_increments(void **state)
{
    enum { OLD = 20000, YOUNG = 2000, SOME = 10 };
    const uint64_t heap = OLD + YOUNG;
    assert_in_range(trigger_increment(*state, OLD, YOUNG, 2), YOUNG + heap / 20 - SOME,
                    YOUNG + heap / 20 + SOME);
    assert_in_range(trigger_increment(*state, OLD, YOUNG, 0), YOUNG + heap / 20 - SOME,
                    YOUNG + heap / 20 + SOME);
    assert_in_range(trigger_increment(*state, OLD, YOUNG, 20), YOUNG + heap / 200 - SOME,
                    YOUNG + heap / 200 + SOME);
}

int trigger_test(void)
{
    const struct CMUnitTest tests[] = {GC_TEST(test_generational_2000),
                                       GC_TEST(test_trial_deletion),
                                       GC_TEST(test_php_goes_by_a_hundred),
                                       GC_TEST(test_an_increment_examines_the_young),
                                       GC_TEST(test_thresholds_of_other_policies),
                                       GC_TEST(test_small_thresholds_of_roots_grow),
                                       GC_TEST(test_the_scale_of_increments)};
    return cmocka_run_group_tests_name("trigger", tests, NULL, NULL);
}
