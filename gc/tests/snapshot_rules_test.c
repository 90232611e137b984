/* What the policy `snapshot` does slice by slice: what goes without a cycle, and when a cycle
 * begins.
 */
#include "gc/policies/snapshot.h"
#include "gc/tests/gc_test.h"

extern const struct gc_policy gc_policy_snapshot;

enum {
    RULES_STEPS = 20, /* slices in which everything is found */
    RULES_MADE_MAX = 60000,
};

/* Slices come when the test says so. */
static struct runtime *rules_reopen_with(struct gc_fixture *fixture,
                                         const struct snapshot_parameters *parameters)
{
    static struct gc_policy policy;
    policy = gc_policy_snapshot;
    policy.parameters = parameters;
    return gc_test_reopen(fixture, &policy);
}

static void rules_step(struct runtime *runtime, int steps)
{
    for (int i = 0; i < steps; i++) {
        runtime_policy(runtime)->allocated(runtime);
    }
}

static uint64_t rules_cycles(const struct runtime *runtime)
{
    struct gc_stats stats;
    runtime_stats(runtime, &stats);
    return stats.collections[GC_GENERATIONS - 1];
}

/* ---------------------------------------------------------------- small garbage */
/* A container of the kind that refers to item. */
static struct object *rules_make(struct runtime *runtime, int kind, struct object *item)
{
    struct object *name = str_intern(runtime, "other", 5);
    struct object *made = kind == 0   ? list_new(runtime)
                          : kind == 1 ? dict_new(runtime)
                          : kind == 2 ? instance_new(runtime, name)
                                      : tuple_new(runtime, 1);
    assert_non_null(made);
    if (kind == 0) {
        assert_true(list_append(runtime, made, item));
    } else if (kind == 1) {
        assert_true(dict_set(runtime, made, name, item));
    } else if (kind == 2) {
        assert_true(instance_set_attribute(runtime, made, name, item));
    } else {
        tuple_give_item(made, 0, object_incref(item));
    }
    object_decref(runtime, name);
    return made;
}

/* A small ring goes without a cycle, whatever it consists of: one that has lived, soon after its
 * name has gone, and one that is new. */
static void test_small_garbage_needs_no_cycle(void **state)
{
    enum { KINDS = 4 };
    static const struct snapshot_parameters parameters = {.slice_units = 1000,
                                                          .trial_max = SNAPSHOT_TRIAL_MAX,
                                                          .youth_max = SNAPSHOT_YOUTH_MAX,
                                                          .newest = 1,
                                                          .floor = UINT32_MAX};
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = rules_reopen_with(fixture, &parameters);
    for (int kind = 0; kind < 2 * KINDS; kind++) {
        struct object *list = list_new(runtime);
        struct object *other = rules_make(runtime, kind / 2, list);
        assert_true(list_append(runtime, list, other));
        object_decref(runtime, other);
        if (kind % 2 == 0) {
            uint64_t live = gc_test_live(fixture);
            rules_step(runtime, RULES_STEPS);
            assert_true(object_is_biased(list));
            assert_int_equal(gc_test_live(fixture), live);
        }
        object_decref(runtime, list);
        rules_step(runtime, RULES_STEPS);
        assert_int_equal(gc_test_live(fixture), 0);
    }
    assert_int_equal(rules_cycles(runtime), 0);
}

/* What leads to leaves alone is on no cycle: it is dismissed by one look, and again after each
 * decrement, without a trial or a cycle. */
static void test_what_leads_to_leaves_is_dismissed(void **state)
{
    static const struct snapshot_parameters parameters = {.slice_units = 1000, .floor = UINT32_MAX};
    struct runtime *runtime = rules_reopen_with(*state, &parameters);
    struct object *atom = int_new(runtime, 0);
    struct object *leaf = rules_make(runtime, 0, atom);
    struct object *list = rules_make(runtime, 0, leaf);
    rules_step(runtime, RULES_STEPS);
    for (int i = 0; i < 3; i++) {
        assert_true(object_is_biased(list));
        object_decref(runtime, object_incref(list));
        assert_false(object_is_biased(list));
        rules_step(runtime, RULES_STEPS);
    }
    assert_int_equal(snapshot_of(runtime)->suspects, 0);
    object_decref(runtime, list);
    object_decref(runtime, leaf);
    object_decref(runtime, atom);
}

/* ---------------------------------------------------------------- when a cycle begins */
/* The slices, one for each new container, that there are from one cycle to the next. */
static int rules_pace(struct runtime *runtime, struct object *holder, size_t *oldest, bool grows)
{
    uint64_t cycles = rules_cycles(runtime);
    int made = 0;
    while (rules_cycles(runtime) == cycles) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, list, holder) && list_append(runtime, holder, list));
        object_decref(runtime, list);
        if (!grows) { /* another goes, so that the heap stays as large as it is */
            list_give_item(runtime, holder, (*oldest)++, int_new(runtime, 0));
        }
        rules_step(runtime, 1);
        assert_in_range(++made, 1, RULES_MADE_MAX);
    }
    return made;
}

/* A cycle comes when what may have become garbage is as much as the floor: what the heap has grown
 * by, or half of the new containers that have lived, and an eighth of all that have been made. */
static void test_when_a_cycle_begins(void **state)
{
    enum { FLOOR = 2000, SLICES = 12 /* of a cycle itself */ };
    static const struct snapshot_parameters parameters = {.slice_units = 1000000, .floor = FLOOR};
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = rules_reopen_with(fixture, &parameters);
    struct object *holder = list_new(runtime);
    size_t oldest = 0;
    for (int i = 0; i < 3; i++) {
        int made = rules_pace(runtime, holder, &oldest, true);
        assert_in_range(made, FLOOR * 8 / 9, FLOOR * 8 / 9 + SLICES);
    }
    for (int i = 0; i < 2; i++) {
        int made = rules_pace(runtime, holder, &oldest, false);
        assert_in_range(made, FLOOR * 8 / 5, FLOOR * 8 / 5 + SLICES);
    }
    list_clear(runtime, holder);
    object_decref(runtime, holder);
}

/* After a cycle that has found much, the next one comes when as many have been made as the floor
 * says; and when that finds nothing, the rules are as before. */
static void test_a_rich_cycle_is_followed_soon(void **state)
{
    enum { FLOOR = 2000, RING = 500, SLICES = 12 };
    static const struct snapshot_parameters parameters = {.slice_units = 1000000, .floor = FLOOR};
    struct runtime *runtime = rules_reopen_with(*state, &parameters);
    struct object *holder = list_new(runtime);
    size_t oldest = 0;
    (void)rules_pace(runtime, holder, &oldest, true);
    struct object *first = list_new(runtime), *last = object_incref(first);
    for (int i = 1; i < RING; i++) {
        struct object *next = rules_make(runtime, 0, last);
        object_decref(runtime, last);
        last = next;
    }
    assert_true(list_append(runtime, first, last));
    object_decref(runtime, first);
    object_decref(runtime, last);
    uint64_t before = runtime_objects_live(runtime);
    int made = rules_pace(runtime, holder, &oldest, true);
    assert_int_equal(runtime_objects_live(runtime), before + (uint64_t)made - RING);
    made = rules_pace(runtime, holder, &oldest, false);
    assert_in_range(made, FLOOR, FLOOR + SLICES);
    made = rules_pace(runtime, holder, &oldest, false);
    assert_in_range(made, FLOOR * 8 / 5, FLOOR * 8 / 5 + SLICES);
    list_clear(runtime, holder);
    object_decref(runtime, holder);
}

/* A list that is too long for a look is left to a cycle, which finds that it is garbage. */
static void test_a_long_list_is_a_suspect(void **state)
{
    static const struct snapshot_parameters parameters = {
        .slice_units = 10000, .trial_max = SNAPSHOT_TRIAL_MAX, .youth_max = SNAPSHOT_YOUTH_MAX};
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = rules_reopen_with(fixture, &parameters);
    struct object *list = list_new(runtime);
    for (int i = 0; i <= SNAPSHOT_LOOK_REFERENCES; i++) {
        assert_true(list_append(runtime, list, list));
    }
    object_decref(runtime, list);
    rules_step(runtime, RULES_STEPS);
    assert_int_equal(gc_test_live(fixture), 0);
}

/* A tuple that was not full at a whole collection is looked at when it is. */
static void test_a_whole_collection_forgets_no_tuple(void **state)
{
    static const struct snapshot_parameters parameters = {.slice_units = 10000};
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = rules_reopen_with(fixture, &parameters);
    struct object *tuple = tuple_new(runtime, 1);
    gc_collect(runtime, GC_GENERATIONS - 1);
    struct object *list = rules_make(runtime, 0, tuple);
    tuple_give_item(tuple, 0, list);
    object_decref(runtime, tuple);
    rules_step(runtime, 2 * RULES_STEPS);
    assert_int_equal(gc_test_live(fixture), 0);
}

int snapshot_rules_test(void)
{
    const struct CMUnitTest tests[] = {
        GC_TEST(test_small_garbage_needs_no_cycle),
        GC_TEST(test_what_leads_to_leaves_is_dismissed),
        GC_TEST(test_when_a_cycle_begins),
        GC_TEST(test_a_rich_cycle_is_followed_soon),
        GC_TEST(test_a_long_list_is_a_suspect),
        GC_TEST(test_a_whole_collection_forgets_no_tuple),
    };
    return cmocka_run_group_tests_name("snapshot_rules", tests, NULL, NULL);
}
