/* Which records count as disturbed, and which of them are left out. */
#include "results/tests/synthetic.h"

#include "results/stats/disturbance.h"

enum { CELLS = 4 };

/* Two groups of two cells. */
static const char *const ids[CELLS] = {
    "churn/size=64/t1/malloc:preload", "churn/size=64/t1/bump:inline",
    "pingpong/size=64/t1/malloc:preload", "pingpong/size=64/t1/bump:inline"};

/* CPU milliseconds of a process outside of its timed part, which takes 500. */
enum { QUIET_MS = 10, STOLEN_MS = 20 };

static json_t *disturbance_plan(void)
{
    json_t *plan = synthetic_plan();
    synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", 0);
    synthetic_add_cell(plan, "churn", "steady", "bump", "inline", 0);
    synthetic_add_cell(plan, "pingpong", "steady", "malloc", "preload", 0);
    synthetic_add_cell(plan, "pingpong", "steady", "bump", "inline", 0);
    return plan;
}

static void append(struct store *store, size_t cell, int round, double outside_ms)
{
    json_t *record = synthetic_record(ids[cell], round, "ok", 10);
    json_t *more = json_pack("{s:{s:f, s:f}, s:f}", "process", "wall_ns", 1e9, "cpu_ns",
                             5e8 + outside_ms * 1e6, "cpu_ns", 5e8);
    assert_non_null(more);
    assert_int_equal(0, json_object_update(record, more));
    json_decref(more);
    synthetic_append(store, record);
}

/* `rounds` rounds, in which the second cell of the first group takes so long in the rounds whose
 * bit is set. */
static struct record_set *run_with(int rounds, unsigned bits, double outside_ms)
{
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = NULL;
    struct error error = {.message = ""};
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, disturbance_plan());
    for (int round = 0; round < rounds; round++) {
        for (size_t cell = 0; cell < CELLS; cell++) {
            bool hit = cell == 1 && (bits >> round & 1) != 0;
            append(store, cell, round, hit ? outside_ms : QUIET_MS + 0.1 * (round % 5));
        }
    }
    store_close(store);
    if (store_load(directory, &set, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    synthetic_remove(directory);
    return set;
}

static size_t count_left_out(const struct record_set *set)
{
    size_t count = 0;
    for (size_t i = 0; i < set->record_count; i++) {
        count += set->records[i].left_out;
    }
    return count;
}

/* 20% above the median of the cell's own ten rounds, which is 10.2 ms. */
static void test_a_fifth_above_the_cells_median_is_disturbed(void **state)
{
    (void)state;
    static const double outside_ms[] = {5, 12.1, 12.5, 100};
    for (size_t i = 0; i < 4; i++) {
        struct record_set *set = run_with(10, 1u << 4, outside_ms[i]);
        disturbance_mark(set, UINT32_MAX);
        assert_int_equal(10, set->groups[0].rounds);
        assert_int_equal(20, set->groups[0].processes);
        assert_int_equal(i >= 2, set->groups[0].disturbed);
        assert_int_equal(i >= 2, count_left_out(set));
        assert_true(disturbance_share(set) == (i >= 2 ? 1.0 / 40 : 0));
        record_set_free(set);
    }
}

/* Its own pairs go with it, and no others. */
static void test_a_record_goes_alone(void **state)
{
    (void)state;
    struct record_set *set = run_with(9, 1u << 4, STOLEN_MS);
    disturbance_mark(set, UINT32_MAX);
    for (size_t i = 0; i < set->record_count; i++) {
        const struct record *record = &set->records[i];
        assert_int_equal(record->round == 4 && record->cell == 1, record->left_out);
    }
    record_set_free(set);
}

static void test_disturbance_that_is_not_rare_is_kept(void **state)
{
    (void)state;
    struct record_set *set = run_with(12, 0xfu, STOLEN_MS); /* one in three */
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(4, count_left_out(set));
    record_set_free(set);
    set = run_with(12, 0x1fu, STOLEN_MS);
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(5, set->groups[0].disturbed);
    assert_int_equal(0, count_left_out(set));
    record_set_free(set);
}

/* Six rounds are what a verdict takes: a seventh can be spared, the sixth cannot. */
static void test_a_verdict_is_not_left_out(void **state)
{
    (void)state;
    struct record_set *set = run_with(7, 1u << 2, STOLEN_MS);
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(1, count_left_out(set));
    record_set_free(set);
    set = run_with(7, 1u << 2 | 1u << 5, STOLEN_MS);
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(0, count_left_out(set));
    record_set_free(set);
    set = run_with(5, 1u << 2, STOLEN_MS); /* there is no verdict to lose */
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(1, count_left_out(set));
    record_set_free(set);
}

/* Marks are as if the pass had ended there. */
static void test_what_comes_later_does_not_count(void **state)
{
    (void)state;
    struct record_set *set = run_with(12, 1u << 1 | 1u << 10 | 1u << 11, STOLEN_MS);
    disturbance_mark(set, 9);
    assert_int_equal(9, set->groups[0].rounds);
    assert_int_equal(1, set->groups[0].disturbed);
    assert_int_equal(3 * CELLS + 1, count_left_out(set));
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(12, set->groups[0].rounds);
    assert_int_equal(3, count_left_out(set));
    record_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fifth_above_the_cells_median_is_disturbed),
        cmocka_unit_test(test_a_record_goes_alone),
        cmocka_unit_test(test_disturbance_that_is_not_rare_is_kept),
        cmocka_unit_test(test_a_verdict_is_not_left_out),
        cmocka_unit_test(test_what_comes_later_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
