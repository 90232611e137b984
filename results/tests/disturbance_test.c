/* What counts as a disturbed round, and which of them are left out. */
#include "results/tests/synthetic.h"

#include "results/stats/disturbance.h"

enum { CELLS = 4 };

/* Two groups of two cells. */
static const char *const ids[CELLS] = {
    "churn/size=64/t1/malloc:preload", "churn/size=64/t1/bump:inline",
    "pingpong/size=64/t1/malloc:preload", "pingpong/size=64/t1/bump:inline"};

/* What the machine did around one process, which took a second, half of it timed. */
struct surroundings {
    int steal_ticks;
    int throttled_us;
    int switches;
};

static const struct surroundings quiet = {0};
static const struct surroundings stolen = {.steal_ticks = 40};

static json_t *disturbance_plan(void)
{
    json_t *plan = synthetic_plan();
    synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", 0);
    synthetic_add_cell(plan, "churn", "steady", "bump", "inline", 0);
    synthetic_add_cell(plan, "pingpong", "steady", "malloc", "preload", 0);
    synthetic_add_cell(plan, "pingpong", "steady", "bump", "inline", 0);
    return plan;
}

static void append(struct store *store, size_t cell, int round, const struct surroundings *around)
{
    json_t *record = synthetic_record(ids[cell], round, "ok", 10);
    json_t *more = json_pack("{s:i, s:i, s:i, s:{s:f}, s:f}", "steal_ticks", around->steal_ticks,
                             "throttled_us", around->throttled_us, "switches_involuntary",
                             around->switches, "process", "wall_ns", 1e9, "wall_ns", 5e8);
    assert_non_null(more);
    assert_int_equal(0, json_object_update(record, more));
    json_decref(more);
    synthetic_append(store, record);
}

/* `rounds` rounds, in which the second cell of the first group has `around` in the rounds whose bit
 * is set. */
static struct record_set *run_with(int rounds, unsigned bits, const struct surroundings *around)
{
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = NULL;
    struct error error = {.message = ""};
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, disturbance_plan());
    for (int round = 0; round < rounds; round++) {
        for (size_t cell = 0; cell < CELLS; cell++) {
            bool hit = cell == 1 && (bits >> round & 1) != 0;
            append(store, cell, round, hit ? around : &quiet);
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

static void test_each_kind_of_evidence_has_its_threshold(void **state)
{
    (void)state;
    /* Summed over the two processes of a group: 2 s in all, 1 s of it timed. */
    static const struct {
        struct surroundings around;
        bool disturbed;
    } cases[] = {
        {{.steal_ticks = 10}, false},     /* 5% */
        {{.steal_ticks = 11}, true},      /* 5.5% */
        {{.throttled_us = 20000}, false}, /* 1% */
        {{.throttled_us = 21000}, true},  {{.switches = 100}, false}, {{.switches = 101}, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_set *set = run_with(9, 1u << 4, &cases[i].around);
        disturbance_mark(set, UINT32_MAX);
        assert_int_equal(9, set->groups[0].rounds);
        assert_int_equal(cases[i].disturbed, set->groups[0].rounds_disturbed);
        assert_int_equal(cases[i].disturbed ? 2 : 0, count_left_out(set));
        record_set_free(set);
    }
}

/* Whichever cell it hit: the base and every other cell of the group go with it, other groups stay.
 */
static void test_a_group_goes_as_a_whole(void **state)
{
    (void)state;
    struct record_set *set = run_with(9, 1u << 4, &stolen);
    disturbance_mark(set, UINT32_MAX);
    for (size_t i = 0; i < set->record_count; i++) {
        const struct record *record = &set->records[i];
        bool expected = record->round == 4 && set->cells[record->cell].group == 0;
        assert_int_equal(expected, record->left_out);
    }
    assert_int_equal(0, set->groups[1].rounds_disturbed);
    record_set_free(set);
}

static void test_disturbance_that_is_not_rare_is_kept(void **state)
{
    (void)state;
    struct record_set *set = run_with(12, 0xfu, &stolen); /* one in three */
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(2 * 4, count_left_out(set));
    record_set_free(set);
    set = run_with(12, 0x1fu, &stolen);
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(5, set->groups[0].rounds_disturbed);
    assert_int_equal(0, count_left_out(set));
    record_set_free(set);
}

/* Six rounds are what a verdict takes: a seventh can be spared, the sixth cannot. */
static void test_a_verdict_is_not_left_out(void **state)
{
    (void)state;
    struct record_set *set = run_with(7, 1u << 2, &stolen);
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(2, count_left_out(set));
    record_set_free(set);
    set = run_with(7, 1u << 2 | 1u << 5, &stolen);
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(0, count_left_out(set));
    record_set_free(set);
    set = run_with(5, 1u << 2, &stolen); /* there is no verdict to lose */
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(2, count_left_out(set));
    record_set_free(set);
}

/* Marks are as if the pass had ended there. */
static void test_what_comes_later_does_not_count(void **state)
{
    (void)state;
    struct record_set *set = run_with(12, 1u << 1 | 1u << 10 | 1u << 11, &stolen);
    disturbance_mark(set, 9);
    assert_int_equal(9, set->groups[0].rounds);
    assert_int_equal(1, set->groups[0].rounds_disturbed);
    assert_int_equal(3 * CELLS + 2, count_left_out(set));
    disturbance_mark(set, UINT32_MAX);
    assert_int_equal(12, set->groups[0].rounds);
    assert_int_equal(2 * 3, count_left_out(set));
    record_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_of_evidence_has_its_threshold),
        cmocka_unit_test(test_a_group_goes_as_a_whole),
        cmocka_unit_test(test_disturbance_that_is_not_rare_is_kept),
        cmocka_unit_test(test_a_verdict_is_not_left_out),
        cmocka_unit_test(test_what_comes_later_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
