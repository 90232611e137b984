/* A score of which the truth is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "results/fuzz_score.h"

static json_t *make_plan(void)
{
    return json_pack("{s:[s,s,s], s:[s,s], s:f}", "engines", "random", "libfuzzer",
                     "libfuzzer-nomutator", "programs", "t.b+easy", "t.b+hard", "time_s", 60.0);
}

static void add(json_t *lines, const char *program, const char *engine, int trial, const char *end,
                double cpu_s, bool control)
{
    (void)json_array_append_new(
        lines, json_pack("{s:s, s:s, s:i, s:s, s:f, s:b, s:i, s:i, s:I}", "program", program,
                         "engine", engine, "trial", trial, "end", end, "cpu_s", cpu_s, "control",
                         (int)control, "bug_reached", strcmp(end, "finding") == 0, "bug_triggered",
                         strcmp(end, "finding") == 0, "executions", (json_int_t)(1000 * cpu_s)));
}

static json_t *make_lines(void)
{
    json_t *lines = json_array();
    for (int i = 0; i < 4; i++) {
        add(lines, "t.b+easy", "random", i, "finding", 10 + i, false);
        add(lines, "t.b+hard", "random", i, "limit", 60.05, false);
        add(lines, "t.b+easy", "libfuzzer", i, "finding", 1 + i, false);
        add(lines, "t.b+hard", "libfuzzer", i, i < 3 ? "finding" : "limit", i < 3 ? 20 : 60.02,
            false);
        add(lines, "t.b", "libfuzzer", i, "limit", 60, true);
    }
    return lines;
}

static void cells_hold_their_trials(void **state)
{
    struct fuzz_score score;
    json_t *plan = make_plan();
    json_t *lines = make_lines();
    (void)state;
    assert_int_equal(fuzz_score_evaluate(plan, lines, &score, NULL), STATUS_OK);
    const struct fuzz_score_cell *cell = fuzz_score_cell(&score, 0, 0);
    assert_int_equal(cell->count, 4);
    assert_int_equal(cell->found, 4);
    assert_true(fabs(cell->mean_s.point - 11.5) < 1e-9);
    assert_true(cell->median_s == 11);
    assert_true(cell->median_executions == 11000);
    cell = fuzz_score_cell(&score, 1, 0);
    assert_int_equal(cell->found, 0);
    assert_int_equal(cell->reached, 0);
    assert_true(fabs(cell->mean_s.point - 60) < 1e-9);
    assert_true(isnan(cell->median_s));
    assert_true(isnan(cell->median_executions));
    cell = fuzz_score_cell(&score, 1, 1);
    assert_true(fabs(cell->mean_s.point - (20 + 40 * 0.25)) < 1e-9);
    assert_int_equal(fuzz_score_cell(&score, 0, 2)->count, 0);
    assert_true(fabs(score.mean_s_of_engine[1] - (2.5 + 30) / 2) < 1e-9);
    assert_true(fabs(score.found_of_engine[1] - 7.0 / 8) < 1e-9);
    assert_int_equal(score.control_trials, 4);
    assert_int_equal(score.control_findings, 0);
    assert_true(fabs(score.control_cpu_s - 240) < 1e-9);
    fuzz_score_release(&score);
    json_decref(plan);
    json_decref(lines);
}

/* easy: libfuzzer is always sooner, 1; hard: three of four are, and one is a tie: 7/8. */
static void engines_are_compared_by_bug(void **state)
{
    struct fuzz_score score;
    json_t *plan = make_plan();
    json_t *lines = make_lines();
    bool compared = false;
    (void)state;
    assert_int_equal(fuzz_score_evaluate(plan, lines, &score, NULL), STATUS_OK);
    for (size_t i = 0; i < score.comparison_count; i++) {
        const struct fuzz_score_comparison *each = &score.comparisons[i];
        assert_true(each->left != each->right && strcmp(score.engines[each->left], "random") != 0);
        if (each->left == 1 && each->right == 0) {
            compared = true;
            assert_int_equal(each->bugs, 2);
            assert_true(fabs(each->a12.point - (1 + 7.0 / 8) / 2) < 1e-9);
            assert_true(each->a12.low > 0.5 && each->a12.low <= each->a12.point);
        } else {
            assert_int_equal(each->bugs, 0); /* the variant has no trials */
        }
    }
    assert_true(compared);
    fuzz_score_release(&score);
    json_decref(plan);
    json_decref(lines);
}

/* What was found is no sign of the bug unless the bug had a part in it. */
static void findings_of_something_else_do_not_count(void **state)
{
    struct fuzz_score score;
    json_t *plan = make_plan();
    json_t *lines = make_lines();
    (void)state;
    add(lines, "t.b+hard", "random", 4, "finding", 5, false);
    json_t *last = json_array_get(lines, json_array_size(lines) - 1);
    (void)json_object_set_new(last, "bug_triggered", json_integer(0));
    assert_int_equal(fuzz_score_evaluate(plan, lines, &score, NULL), STATUS_OK);
    assert_int_equal(score.unplanted, 1);
    /* But they say that the bug was not found until then: a trial that was cut at 5 s. */
    const struct fuzz_score_cell *cell = fuzz_score_cell(&score, 1, 0);
    assert_int_equal(cell->count, 5);
    assert_int_equal(cell->found, 0);
    assert_true(cell->trials[4].time_s == 5 && !cell->trials[4].found);
    assert_true(fabs(cell->mean_s.point - 60) < 1e-9);
    fuzz_score_release(&score);
    json_decref(plan);
    json_decref(lines);
}

static void failures_and_false_positives_are_counted(void **state)
{
    struct fuzz_score score;
    json_t *plan = make_plan();
    json_t *lines = make_lines();
    (void)state;
    add(lines, "t.b+easy", "libfuzzer", 4, "failed", 0.1, false); /* and done again */
    add(lines, "t.b+easy", "libfuzzer", 4, "finding", 2, false);
    add(lines, "t.b+easy", "random", 5, "failed", 0.1, false);
    add(lines, "t.b", "random", 0, "finding", 3, true);
    assert_int_equal(fuzz_score_evaluate(plan, lines, &score, NULL), STATUS_OK);
    assert_int_equal(score.failed, 1);
    assert_int_equal(fuzz_score_cell(&score, 0, 1)->count, 5);
    assert_int_equal(fuzz_score_cell(&score, 0, 0)->count, 4);
    assert_int_equal(score.control_findings, 1);
    json_t *all = fuzz_score_to_json(&score);
    assert_int_equal(json_array_size(json_object_get(all, "cells")), 6);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(all, "control"), "findings")), 1);
    json_decref(all);
    fuzz_score_release(&score);
    json_decref(plan);
    json_decref(lines);
}

static void a_plan_that_is_none_is_refused(void **state)
{
    struct fuzz_score score;
    struct error error;
    json_t *plan = json_pack("{s:[s]}", "engines", "random");
    (void)state;
    assert_int_equal(fuzz_score_evaluate(plan, NULL, &score, &error), STATUS_CORRUPT);
    json_decref(plan);
    plan =
        json_pack("{s:[s,i], s:[s], s:f}", "engines", "random", 3, "programs", "x", "time_s", 1.0);
    assert_int_equal(fuzz_score_evaluate(plan, NULL, &score, &error), STATUS_CORRUPT);
    json_decref(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_hold_their_trials),
        cmocka_unit_test(engines_are_compared_by_bug),
        cmocka_unit_test(findings_of_something_else_do_not_count),
        cmocka_unit_test(failures_and_false_positives_are_counted),
        cmocka_unit_test(a_plan_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
