/* What the policy `snapshot` promises of its costs and bounds (docs/collectors.md): what a growing
 * heap pays, how much one pause visits, in how many allocations garbage is found, and how much
 * floats.
 */
#include "gc/pauses.h"
#include "gc/policies/snapshot.h"
#include "gc/tests/gc_test.h"

enum {
    SNAPSHOT_GROWN = 300000,
    SNAPSHOT_LIVE = 60000,
    SNAPSHOT_RING = 40000,
    SNAPSHOT_DROPS = 7,         /* moments of a cycle at which the ring is dropped */
    SNAPSHOT_SMALL = 1000,      /* a ring that is too large for anything but a cycle */
    SNAPSHOT_SPARE = 12000,     /* containers: slices, the queue's memory, a cycle's floor */
    SNAPSHOT_TUPLE = 700,       /* more than from one slice to the next */
    SNAPSHOT_STEPS = 20,        /* slices in which everything is found */
    SNAPSHOT_UNITS_MAX = 30000, /* in one pause: two budgets, and what is not interrupted */
};

static struct runtime *snapshot_reopen(struct gc_fixture *fixture)
{
    assert_int_equal(runtime_close(fixture->runtime), 0);
    fixture->runtime = runtime_open_with(&fixture->heap, gc_policy_find("snapshot", NULL), NULL);
    assert_non_null(fixture->runtime);
    fixture->objects_at_start = runtime_objects_live(fixture->runtime);
    return fixture->runtime;
}

static uint64_t snapshot_cycles(const struct runtime *runtime)
{
    struct gc_stats stats;
    runtime_stats(runtime, &stats);
    return stats.collections[GC_GENERATIONS - 1];
}

static uint64_t snapshot_visited(const struct runtime *runtime)
{
    struct gc_stats stats;
    runtime_stats(runtime, &stats);
    return stats.objects_visited;
}

/* A new list that holds item, appended to the list. */
static void snapshot_append_new(struct runtime *runtime, struct object *list, struct object *item)
{
    struct object *node = list_new(runtime);
    assert_non_null(node);
    assert_true(item == NULL || list_append(runtime, node, item));
    assert_true(list_append(runtime, list, node));
    object_decref(runtime, node);
}

/* ---------------------------------------------------------------- growing */
/* One look for each object, and no cycle, however large the list that they are appended to. */
static void test_growth_costs_one_look(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = snapshot_reopen(fixture);
    struct object *item = int_new(runtime, 0);
    struct object *holder = list_new(runtime);
    for (int i = 0; i < SNAPSHOT_GROWN; i++) {
        snapshot_append_new(runtime, holder, item);
    }
    assert_int_equal(snapshot_cycles(runtime), 0);
    assert_in_range(snapshot_visited(runtime), SNAPSHOT_GROWN, 3 * SNAPSHOT_GROWN);
    object_decref(runtime, holder);
    object_decref(runtime, item);
}

/* The same with a tuple that is filled while its items are made: it is looked at while it lacks
 * some, and again when it does not. Were it forgotten, the ring through it would never be found. */
static void test_a_tuple_is_looked_at_when_it_is_full(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = snapshot_reopen(fixture);
    struct object *tuple = tuple_new(runtime, SNAPSHOT_TUPLE);
    struct object *others = list_new(runtime);
    tuple_give_item(tuple, 0, object_incref(others));
    for (size_t i = 1; i < SNAPSHOT_TUPLE; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, list, others));
        tuple_give_item(tuple, i, list);
    }
    assert_true(list_append(runtime, others, tuple));
    object_decref(runtime, others);
    object_decref(runtime, tuple);
    struct object *holder = list_new(runtime);
    for (int i = 0; i < SNAPSHOT_LIVE; i++) {
        snapshot_append_new(runtime, holder, NULL);
    }
    assert_int_equal(gc_test_live(fixture), SNAPSHOT_LIVE + 1);
    object_decref(runtime, holder);
}

/* ---------------------------------------------------------------- known containers */
/* Slices come when the test says so, each large enough for everything, and the newest container is
 * left for the next. */
static struct runtime *snapshot_reopen_stepped(struct gc_fixture *fixture)
{
    static const struct snapshot_parameters parameters = {
        .slice_units = 1000, .youth_max = SNAPSHOT_YOUTH_MAX, .newest = 1};
    static struct gc_policy policy;
    extern const struct gc_policy gc_policy_snapshot;
    policy = gc_policy_snapshot;
    policy.parameters = &parameters;
    return gc_test_reopen(fixture, &policy);
}

static void snapshot_step(struct runtime *runtime, int steps)
{
    for (int i = 0; i < steps; i++) {
        runtime_policy(runtime)->allocated(runtime);
    }
}

/* A biased container that has nothing to fear refers to a new one, whose name goes unheard, as new
 * containers' names do. Were the new one dismissed because all that it refers to is biased, nobody
 * would look for the ring of the two. stored: how the reference comes about. */
static void snapshot_ring_with_new(struct gc_fixture *fixture,
                                   void (*store)(struct runtime *, struct object *,
                                                 struct object *))
{
    struct runtime *runtime = snapshot_reopen_stepped(fixture);
    struct object *old = list_new(runtime);
    struct object *atom = int_new(runtime, 0);
    assert_true(list_append(runtime, old, atom));
    object_decref(runtime, atom);
    snapshot_step(runtime, 2);
    assert_true(object_is_biased(old));
    struct object *fresh = list_new(runtime);
    assert_true(list_append(runtime, fresh, old));
    object_decref(runtime, old);
    snapshot_step(runtime, 1); /* the old one lives by the new one, which is left for later */
    assert_true(object_is_biased(old));
    assert_false(object_is_biased(fresh));
    store(runtime, old, fresh);
    object_decref(runtime, fresh);
    snapshot_step(runtime, SNAPSHOT_STEPS);
    assert_int_equal(gc_test_live(fixture), 0);
}

static void snapshot_store_append(struct runtime *runtime, struct object *old, struct object *fresh)
{
    assert_true(list_append(runtime, old, fresh));
}

static void snapshot_store_set(struct runtime *runtime, struct object *old, struct object *fresh)
{
    list_give_item(runtime, old, 0, object_incref(fresh));
}

static void test_new_container_is_known_by_append(void **state)
{
    snapshot_ring_with_new(*state, snapshot_store_append);
}

static void test_new_container_is_known_by_set(void **state)
{
    snapshot_ring_with_new(*state, snapshot_store_set);
}

/* The same when the older one comes to be biased while it refers to the newer. */
static void test_new_container_is_known_by_dismissal(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = snapshot_reopen_stepped(fixture);
    struct object *older = list_new(runtime);
    struct object *newer = list_new(runtime);
    assert_true(list_append(runtime, older, newer));
    assert_true(list_append(runtime, newer, older));
    object_decref(runtime, older);
    snapshot_step(runtime, 1);
    assert_true(object_is_biased(older));
    assert_false(object_is_biased(newer));
    object_decref(runtime, newer);
    snapshot_step(runtime, SNAPSHOT_STEPS);
    assert_int_equal(gc_test_live(fixture), 0);
}

/* The last of so many tuples is filled long after it has been looked at, with a list that holds it;
 * their names go unheard. A cycle would find it, but there is no other reason for one. */
static void snapshot_fill_late(struct gc_fixture *fixture, size_t count)
{
    struct runtime *runtime = snapshot_reopen_stepped(fixture);
    struct object *tuples[SNAPSHOT_UNFILLED_MAX + 4];
    for (size_t i = 0; i < count; i++) {
        tuples[i] = tuple_new(runtime, 2);
        tuple_give_item(tuples[i], 0, int_new(runtime, 0));
    }
    snapshot_step(runtime, SNAPSHOT_STEPS);
    struct object *list = list_new(runtime);
    assert_true(list_append(runtime, list, tuples[count - 1]));
    tuple_give_item(tuples[count - 1], 1, list);
    object_decref(runtime, tuples[count - 1]);
    snapshot_step(runtime, SNAPSHOT_STEPS);
    assert_int_equal(gc_test_live(fixture), count - 1);
    for (size_t i = 0; i + 1 < count; i++) {
        object_decref(runtime, tuples[i]);
    }
}

static void test_unfilled_tuple_is_looked_at_again(void **state)
{
    snapshot_fill_late(*state, 1);
}

/* More than are looked at again in each slice: a cycle finds the others. */
static void test_unfilled_tuples_are_not_forgotten(void **state)
{
    snapshot_fill_late(*state, SNAPSHOT_UNFILLED_MAX + 4);
}

/* ---------------------------------------------------------------- reclaiming */
/* Drops a ring when `before` containers have been made beside it; the containers made until it is
 * gone. temporary: they die at once. */
static uint64_t snapshot_reclaim(struct gc_fixture *fixture, int before, bool temporary)
{
    struct runtime *runtime = snapshot_reopen(fixture);
    struct object *kept = list_new(runtime);
    struct object *ring = gc_test_make_ring(runtime, SNAPSHOT_RING);
    for (int i = 0; i < SNAPSHOT_LIVE + before; i++) {
        snapshot_append_new(runtime, kept, NULL);
    }
    object_decref(runtime, ring);
    uint64_t expected = gc_test_live(fixture) - SNAPSHOT_RING;
    uint64_t made = 0;
    while (gc_test_live(fixture) - (temporary ? 0 : made) > expected) {
        if (temporary) {
            object_decref(runtime, list_new(runtime));
        } else {
            snapshot_append_new(runtime, kept, NULL);
        }
        made++;
        assert_in_range(made, 1, 100 * SNAPSHOT_LIVE);
    }
    object_decref(runtime, kept);
    assert_in_range(runtime_pauses(runtime)->visited.max, 1, SNAPSHOT_UNITS_MAX);
    return made;
}

/* Within a quarter of the containers that there are, whatever a cycle is doing when they die. */
static void test_dead_ring_is_reclaimed_in_time(void **state)
{
    for (int i = 0; i < SNAPSHOT_DROPS; i++) {
        int before = i * SNAPSHOT_LIVE / 20;
        uint64_t containers = (uint64_t)(SNAPSHOT_LIVE + SNAPSHOT_RING + before);
        assert_in_range(snapshot_reclaim(*state, before, false), 1,
                        containers / 4 + SNAPSHOT_SPARE);
    }
}

/* Containers that die at once count an eighth. */
static void test_dead_ring_is_reclaimed_among_temporaries(void **state)
{
    uint64_t containers = SNAPSHOT_LIVE + SNAPSHOT_RING;
    assert_in_range(snapshot_reclaim(*state, 0, true), 1, 5 * containers / 4 + 8 * SNAPSHOT_SPARE);
}

/* ---------------------------------------------------------------- floating */
/* As many containers are freed by their counts as are dropped in rings: the heap does not grow, and
 * yet no more floats than a quarter of what lives, once cycles have found that there is garbage. */
static void test_churn_does_not_hide_garbage(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = snapshot_reopen(fixture);
    struct object *old = list_new(runtime);
    for (int i = 0; i < 10 * SNAPSHOT_LIVE; i++) {
        snapshot_append_new(runtime, old, NULL);
    }
    uint64_t peak = 0;
    while (list_length(old) > 5 * SNAPSHOT_LIVE) {
        object_decref(runtime, gc_test_make_ring(runtime, SNAPSHOT_SMALL));
        for (int i = 0; i < SNAPSHOT_SMALL; i++) {
            object_decref(runtime, list_pop(runtime, old));
        }
        uint64_t floating = gc_test_live(fixture) - list_length(old) - 1;
        peak = floating > peak ? floating : peak;
        assert_in_range(floating, 0, list_length(old) / 4 + SNAPSHOT_SPARE);
    }
    assert_in_range(peak, SNAPSHOT_SMALL, 10 * SNAPSHOT_LIVE);
    object_decref(runtime, old);
}

int snapshot_test(void)
{
    const struct CMUnitTest snapshot_tests[] = {
        GC_TEST(test_growth_costs_one_look),
        GC_TEST(test_a_tuple_is_looked_at_when_it_is_full),
        GC_TEST(test_new_container_is_known_by_append),
        GC_TEST(test_new_container_is_known_by_set),
        GC_TEST(test_new_container_is_known_by_dismissal),
        GC_TEST(test_unfilled_tuple_is_looked_at_again),
        GC_TEST(test_unfilled_tuples_are_not_forgotten),
        GC_TEST(test_dead_ring_is_reclaimed_in_time),
        GC_TEST(test_dead_ring_is_reclaimed_among_temporaries),
        GC_TEST(test_churn_does_not_hide_garbage),
    };
    return cmocka_run_group_tests(snapshot_tests, NULL, NULL);
}
