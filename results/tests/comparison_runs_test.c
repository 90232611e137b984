/* Two runs whose truth was put in, and what a table withdraws. */
#include "results/tests/synthetic.h"

#include <math.h>

#include "common/rng.h"
#include "results/compare/comparison.h"

/* A cell of the made-up runs and its time in the old and in the new one. */
struct truth {
    const char *backend;
    const char *arm;
    int twin;
    double old_ns;
    double new_ns;
};

static const struct truth cells[] = {
    {"malloc", "preload", 0, 10, 10}, {"malloc", "preload", 1, 10, 10},
    {"malloc", "preload", 2, 10, 10}, {"worse", "inline", 0, 8, 8.8},
    {"better", "inline", 0, 8, 6},    {"same", "inline", 0, 8, 8},
};
enum { CELLS = sizeof(cells) / sizeof(cells[0]) };

static void id_of(char id[256], const struct truth *cell)
{
    (void)snprintf(id, 256, "churn/size=64/t1/%s:%s%s", cell->backend, cell->arm,
                   cell->twin == 0 ? "" : (cell->twin == 1 ? "~1" : "~2"));
}

/* speed: of the machine; each round has a drift of its own, of up to `drift`. */
static void write_run(char directory[SYNTHETIC_PATH_MAX], bool new, int rounds, double speed,
                      double drift, const char *cpu)
{
    json_t *plan = synthetic_plan();
    (void)json_object_set_new(plan, "host", json_pack("{s:s, s:s}", "cpu", cpu, "kernel", "6.1"));
    for (size_t i = 0; i < CELLS; i++) {
        synthetic_add_cell(plan, "churn", "steady", cells[i].backend, cells[i].arm, cells[i].twin);
    }
    synthetic_add_cell(plan, "churn", "steady", new ? "added" : "gone", "inline", 0);
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    struct rng rng;
    rng_seed(&rng, new ? 5 : 6);
    for (int round = 0; round < rounds; round++) {
        double common = speed * exp(drift * (rng_uniform(&rng) - 0.5));
        for (size_t i = 0; i < CELLS; i++) {
            char id[256];
            id_of(id, &cells[i]);
            double time_ns =
                (new ? cells[i].new_ns : cells[i].old_ns) * common * exp(0.005 * rng_normal(&rng));
            synthetic_append(store, synthetic_record(id, round, "ok", time_ns));
        }
        synthetic_append(store, synthetic_record(new ? "churn/size=64/t1/added:inline"
                                                     : "churn/size=64/t1/gone:inline",
                                                 round, "ok", 5));
    }
    store_close(store);
}

static struct record_set *load(const char *directory)
{
    struct record_set *set = NULL;
    struct error error = {0};
    if (store_load(directory, &set, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    return set;
}

/* Two runs and their comparison; fixture_close. */
struct fixture {
    char old_directory[SYNTHETIC_PATH_MAX];
    char new_directory[SYNTHETIC_PATH_MAX];
    struct record_set *old;
    struct record_set *new;
    struct comparison *comparison;
};

static void fixture_compare(struct fixture *fixture, struct comparison_run_options options)
{
    struct error error = {0};
    fixture->old = load(fixture->old_directory);
    fixture->new = load(fixture->new_directory);
    if (comparison_build_runs(fixture->old, fixture->new, &options, &fixture->comparison, &error) !=
        STATUS_OK) {
        fail_msg("%s", error.message);
    }
}

static void fixture_close(struct fixture *fixture)
{
    comparison_free(fixture->comparison);
    record_set_free(fixture->old);
    record_set_free(fixture->new);
    synthetic_remove(fixture->old_directory);
    synthetic_remove(fixture->new_directory);
}

static const struct comparison_cell *find(const struct comparison *comparison, const char *backend)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        if (strcmp(comparison->cells[i].cell->backend, backend) == 0) {
            return &comparison->cells[i];
        }
    }
    fail_msg("no row %s", backend);
    return NULL;
}

static void assert_row(const struct comparison *comparison, const char *backend, double truth,
                       enum comparison_verdict verdict)
{
    const struct comparison_cell *row = find(comparison, backend);
    if (!(fabs(row->ratio / truth - 1) < 0.01) || !(row->low <= row->ratio) ||
        !(row->ratio <= row->high) || row->verdict != verdict) {
        fail_msg("%s: %g [%g, %g], verdict %d; the truth is %g", backend, row->ratio, row->low,
                 row->high, (int)row->verdict, truth);
    }
}

static bool says(const struct comparison *comparison, const char *text)
{
    size_t index;
    json_t *sentence;
    json_array_foreach(comparison->differences, index, sentence)
    {
        if (strstr(json_string_value(sentence), text) != NULL) {
            return true;
        }
    }
    return false;
}

/* Different numbers of rounds, cells that one run lacks, and another CPU. */
static void test_changes_are_found(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    write_run(fixture.old_directory, false, 9, 1, 0, "one");
    write_run(fixture.new_directory, true, 12, 1, 0, "another");
    fixture_compare(&fixture, (struct comparison_run_options){0});
    const struct comparison *comparison = fixture.comparison;
    assert_int_equal(4, comparison->cell_count); /* malloc too, but no twin */
    assert_row(comparison, "worse", 1.1, COMPARISON_MORE);
    assert_row(comparison, "better", 0.75, COMPARISON_LESS);
    assert_row(comparison, "same", 1, COMPARISON_NO_DIFFERENCE);
    assert_row(comparison, "malloc", 1, COMPARISON_NO_DIFFERENCE);
    assert_int_equal(12, find(comparison, "worse")->rounds);
    assert_int_equal(9, find(comparison, "worse")->base_rounds);
    assert_int_equal(4, comparison->hypotheses);
    assert_int_equal(2, comparison->noise_floor_pairs); /* of both runs */
    assert_true(comparison->noise_floor >= 0 && comparison->noise_floor < 0.01);
    assert_true(says(comparison, "CPU: one, then another"));
    assert_true(says(comparison, "cells only in"));
    assert_false(says(comparison, "kernel"));
    assert_int_equal(4, comparison->geomean_count);
    assert_true(isnan(comparison->geomeans[0].low) && comparison->geomeans[0].complete);
    fixture_close(&fixture);
}

/* A machine 30% slower, with rounds that swing by a third: figures lie about everything, ratios to
 * each run's own base about nothing. */
static void test_relative_takes_the_machine_out(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    write_run(fixture.old_directory, false, 9, 1, 0.3, "one");
    write_run(fixture.new_directory, true, 9, 1.3, 0.3, "one");
    fixture_compare(&fixture, (struct comparison_run_options){.relative = true});
    assert_row(fixture.comparison, "worse", 1.1, COMPARISON_MORE);
    assert_row(fixture.comparison, "better", 0.75, COMPARISON_LESS);
    assert_row(fixture.comparison, "same", 1, COMPARISON_NO_DIFFERENCE);
    assert_int_equal(3, fixture.comparison->cell_count); /* the base is 1 by definition */
    assert_true(fabs(find(fixture.comparison, "worse")->base_value - 0.8) < 0.01);
    comparison_free(fixture.comparison);
    struct error error;
    struct comparison_run_options plain = {0};
    assert_int_equal(STATUS_OK, comparison_build_runs(fixture.old, fixture.new, &plain,
                                                      &fixture.comparison, &error));
    assert_true(find(fixture.comparison, "same")->ratio > 1.1);
    fixture_close(&fixture);
}

static void test_below_six_rounds_there_is_no_verdict(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    write_run(fixture.old_directory, false, 5, 1, 0, "one");
    write_run(fixture.new_directory, true, 9, 1, 0, "one");
    fixture_compare(&fixture, (struct comparison_run_options){0});
    const struct comparison_cell *row = find(fixture.comparison, "better");
    assert_int_equal(COMPARISON_TOO_FEW, row->verdict);
    assert_true(fabs(row->ratio - 0.75) < 0.01 && isnan(row->low) && isnan(row->p));
    fixture_close(&fixture);
}

static void test_filters_and_refusals(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct error error;
    write_run(fixture.old_directory, false, 9, 1, 0, "one");
    write_run(fixture.new_directory, true, 9, 1, 0, "one");
    struct comparison_run_options options = {.common = {.backends = "worse"}};
    fixture_compare(&fixture, options);
    assert_int_equal(1, fixture.comparison->cell_count);
    assert_int_equal(4, fixture.comparison->hypotheses); /* of the run, not of the filter */
    comparison_free(fixture.comparison);
    fixture.comparison = NULL;
    options.common.backends = "added";
    assert_int_equal(STATUS_NOT_FOUND, comparison_build_runs(fixture.old, fixture.new, &options,
                                                             &fixture.comparison, &error));
    options = (struct comparison_run_options){
        .common = {.base_backend = "added", .base_arm = "inline"}, .relative = true};
    assert_int_equal(STATUS_NOT_FOUND, comparison_build_runs(fixture.old, fixture.new, &options,
                                                             &fixture.comparison, &error));
    assert_non_null(strstr(error.message, "added:inline is not in"));
    fixture_close(&fixture);
}

/* ------------------------------------------------------- a metric without noise */
static void write_counted(char directory[SYNTHETIC_PATH_MAX], int rounds, double worse,
                          double unsteady)
{
    json_t *plan = synthetic_plan();
    synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", 0);
    synthetic_add_cell(plan, "churn", "steady", "worse", "inline", 0);
    synthetic_add_cell(plan, "churn", "steady", "unsteady", "inline", 0);
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    const char *const ids[] = {"churn/size=64/t1/malloc:preload", "churn/size=64/t1/worse:inline",
                               "churn/size=64/t1/unsteady:inline"};
    for (int round = 0; round < rounds; round++) {
        const double counts[] = {100, worse, round == 0 ? 50 : unsteady};
        for (size_t i = 0; i < 3; i++) {
            synthetic_append(store, json_pack("{s:s, s:s, s:s, s:i, s:s, s:f}", "format",
                                              "heapmill-record-1", "cell", ids[i], "pass",
                                              "instructions", "round", round, "status", "ok",
                                              "instructions_per_op", counts[i]));
        }
    }
    store_close(store);
}

/* One record is enough, and an interval is a point; where records differ it spans them. */
static void test_counted_instructions_need_no_rounds(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    write_counted(fixture.old_directory, 1, 40, 50);
    write_counted(fixture.new_directory, 2, 40.4, 45);
    fixture_compare(&fixture,
                    (struct comparison_run_options){.common = {.metric = "instructions"}});
    const struct comparison_cell *row = find(fixture.comparison, "worse");
    assert_int_equal(COMPARISON_MORE, row->verdict);
    assert_true(row->low == row->ratio && row->high == row->ratio);
    assert_true(fabs(row->ratio - 1.01) < 1e-12);
    assert_int_equal(COMPARISON_NO_DIFFERENCE, find(fixture.comparison, "malloc")->verdict);
    row = find(fixture.comparison, "unsteady");
    assert_true(fabs(row->low - 0.9) < 1e-12 && fabs(row->high - 1) < 1e-12);
    assert_int_equal(COMPARISON_NO_DIFFERENCE, row->verdict);
    assert_true(isnan(row->p) && fixture.comparison->hypotheses == 0);
    struct comparison *one = NULL;
    struct error error;
    const struct comparison_options options = {.metric = "instructions"};
    assert_int_equal(STATUS_OK, comparison_build(fixture.old, &options, &one, &error));
    assert_int_equal(COMPARISON_LESS, find(one, "worse")->verdict);
    assert_true(find(one, "worse")->low == find(one, "worse")->high);
    comparison_free(one);
    fixture_close(&fixture);
}

/* ------------------------------------------------------- what a large table withdraws */
enum { MANY = 120, MANY_ROUNDS = 7 };

/* Back ends that are all the same, and one that is half as fast again; A/A pairs that differ by
 * nothing, so that the floor is near 0 and the intervals alone would decide. */
static void write_many(char directory[SYNTHETIC_PATH_MAX])
{
    json_t *plan = synthetic_plan();
    synthetic_directory(directory);
    for (int twin = 0; twin <= 2; twin++) {
        synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", twin);
    }
    for (int i = 0; i < MANY; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "cell-%03d", i);
        synthetic_add_cell(plan, "churn", "steady", name, "inline", 0);
    }
    struct store *store = synthetic_create(directory, plan);
    struct rng rng;
    rng_seed(&rng, 3);
    for (int round = 0; round < MANY_ROUNDS; round++) {
        for (int i = -3; i < MANY; i++) {
            char id[256];
            const char *const bases[] = {"", "~1", "~2"};
            (void)(i < 0
                       ? snprintf(id, sizeof(id), "churn/size=64/t1/malloc:preload%s", bases[i + 3])
                       : snprintf(id, sizeof(id), "churn/size=64/t1/cell-%03d:inline", i));
            double noise = i < 0 ? 1 : exp(0.02 * rng_normal(&rng));
            synthetic_append(store, synthetic_record(id, round, "ok", (i == 7 ? 15 : 10) * noise));
        }
    }
    store_close(store);
}

static void test_a_large_table_withdraws_what_chance_explains(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    write_many(directory);
    struct record_set *set = load(directory);
    struct comparison *comparison = NULL;
    struct comparison_options options = {.seed = 1};
    struct error error;
    assert_int_equal(STATUS_OK, comparison_build(set, &options, &comparison, &error));
    size_t told = 0;
    size_t withdrawn = 0;
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        told += row->verdict == COMPARISON_LESS || row->verdict == COMPARISON_MORE;
        withdrawn += row->withdrawn;
        assert_true(!row->withdrawn || row->verdict == COMPARISON_NO_DIFFERENCE);
        assert_true(!row->withdrawn || row->low > 1 || row->high < 1);
    }
    assert_int_equal(MANY, comparison->hypotheses);
    assert_int_equal(withdrawn, comparison->withdrawn);
    assert_true(withdrawn >= 1); /* without control there would be verdicts by chance */
    assert_int_equal(1, told);
    assert_int_equal(COMPARISON_MORE, find(comparison, "cell-007")->verdict);
    comparison_free(comparison);
    /* A verdict does not change with what else is shown. */
    options.backends = "cell-00*";
    assert_int_equal(STATUS_OK, comparison_build(set, &options, &comparison, &error));
    assert_int_equal(10, comparison->cell_count);
    assert_int_equal(MANY, comparison->hypotheses);
    assert_int_equal(withdrawn, comparison->withdrawn);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_are_found),
        cmocka_unit_test(test_relative_takes_the_machine_out),
        cmocka_unit_test(test_below_six_rounds_there_is_no_verdict),
        cmocka_unit_test(test_filters_and_refusals),
        cmocka_unit_test(test_counted_instructions_need_no_rounds),
        cmocka_unit_test(test_a_large_table_withdraws_what_chance_explains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
