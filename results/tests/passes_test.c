/* Records of the passes that count instructions and time single calls: what they need, which cells
 * they have, and what compare reads from them. */
#include "results/tests/synthetic.h"

#include <math.h>

#include "results/compare/comparison.h"
#include "results/instruction_counts.h"

#define BASE_ID "churn/size=64/t1/malloc:preload"
#define OTHER_ID "churn/size=64/t1/bump:inline"

static json_t *passes_plan(void)
{
    json_t *plan = synthetic_plan();
    for (int twin = 0; twin <= 2; twin++) {
        synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", twin);
    }
    synthetic_add_cell(plan, "churn", "steady", "bump", "inline", 0);
    return plan;
}

static json_t *pass_record(const char *pass, const char *cell, int round)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:s}", "format", "heapmill-record-1", "cell", cell,
                     "pass", pass, "round", round, "status", "ok");
}

static json_t *counted_record(const char *cell, int round, double instructions_per_op)
{
    json_t *record = pass_record("instructions", cell, round);
    (void)json_object_set_new(record, "instructions_per_op", json_real(instructions_per_op));
    return record;
}

/* Quantiles of allocations at 10 to 60 times unit ns; frees have too few calls for p99.99. */
static json_t *latency_record(const char *cell, int round, double unit)
{
    json_t *record = pass_record("latency", cell, round);
    json_t *latency = json_pack(
        "{s:{s:f, s:f, s:f, s:f, s:f, s:f}, s:{s:f, s:f}, s:{s:i}}", "alloc", "p50_ns", 10 * unit,
        "p90_ns", 20 * unit, "p99_ns", 30 * unit, "p99_9_ns", 40 * unit, "p99_99_ns", 50 * unit,
        "max_ns", 60 * unit, "free", "p50_ns", 5 * unit, "max_ns", 7 * unit, "resize", "count", 0);
    assert_non_null(latency);
    (void)json_object_set_new(record, "latency", latency);
    return record;
}

static void refuse(struct store *store, json_t *record, const char *says)
{
    struct error error;
    assert_int_equal(STATUS_INVALID, store_append(store, record, &error));
    if (strstr(error.message, says) == NULL) {
        fail_msg("'%s' does not say '%s'", error.message, says);
    }
    json_decref(record);
}

static void test_records_need_the_figures_of_their_pass(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, passes_plan());
    refuse(store, pass_record("instructions", BASE_ID, 0), "instructions_per_op");
    refuse(store, counted_record(BASE_ID, 0, 0), "instructions_per_op");
    refuse(store, counted_record(BASE_ID "~1", 0, 5), "pass is not");
    refuse(store, pass_record("latency", BASE_ID, 0), "there is no latency");
    refuse(store, pass_record("speed", BASE_ID, 0), "pass is not");
    assert_int_equal(0, store_record_count(store));
    store_close(store);
    synthetic_remove(directory);
}

/* Both passes, so that a group's end and its next round are found in each. */
static void write_passes(const char *directory, int rounds)
{
    struct store *store = synthetic_create(directory, passes_plan());
    synthetic_append(store, counted_record(BASE_ID, 0, 50));
    synthetic_append(store, counted_record(OTHER_ID, 0, 20));
    for (int round = 0; round < rounds; round++) {
        double unit = 1 + 0.001 * (round % 3);
        synthetic_append(store, latency_record(BASE_ID, round, unit));
        synthetic_append(store, latency_record(BASE_ID "~1", round, unit * 1.0001));
        synthetic_append(store, latency_record(BASE_ID "~2", round, unit));
        synthetic_append(store, latency_record(OTHER_ID, round, unit * 2));
    }
    store_close(store);
}

static double ratio_of(const struct record_set *set, const char *metric,
                       enum comparison_verdict verdict)
{
    struct comparison *comparison = NULL;
    struct error error;
    const struct comparison_options options = {.metric = metric, .seed = 1};
    assert_int_equal(STATUS_OK, comparison_build(set, &options, &comparison, &error));
    assert_int_equal(1, comparison->cell_count);
    assert_int_equal(verdict, comparison->cells[0].verdict);
    double ratio = comparison->cells[0].ratio;
    comparison_free(comparison);
    return ratio;
}

static void test_compare_reads_them(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = NULL;
    struct error error;
    synthetic_directory(directory);
    write_passes(directory, 7);
    assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
    assert_int_equal(2 + 7 * 4, set->record_count);
    assert_true(fabs(ratio_of(set, "instructions", COMPARISON_LESS) - 0.4) < 1e-12);
    static const char *const metrics[] = {"latency_p50", "latency_p99", "latency_p99.9",
                                          "latency_p99.99", "latency_free_p50"};
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        assert_true(fabs(ratio_of(set, metrics[i], COMPARISON_MORE) - 2) < 1e-9);
    }
    assert_true(isnan(ratio_of(set, "latency_free_p99", COMPARISON_NOT_APPLICABLE)));
    assert_true(isnan(ratio_of(set, "latency_resize_p99", COMPARISON_NOT_APPLICABLE)));
    const struct record *of_latency = &set->records[2];
    assert_true(metric_of_record(metric_find("latency_p99.9"), set, of_latency, false) == 40);
    assert_true(isnan(metric_of_record(metric_find("latency_resize_p99"), set, of_latency, false)));
    assert_true(isnan(metric_of_record(metric_find("time"), set, of_latency, false)));
    record_set_free(set);
    synthetic_remove(directory);
}

/* The plan's cells counted in three rounds; the other one's last count is another. */
static void write_counts(const char *directory, double last)
{
    struct store *store = synthetic_create(directory, passes_plan());
    for (int round = 0; round < 3; round++) {
        synthetic_append(store, counted_record(BASE_ID, round, 50));
        synthetic_append(store, counted_record(OTHER_ID, round, round == 2 ? last : 20));
    }
    store_close(store);
}

static void counts_of_run(double last, struct instruction_counts *counts, bool *names_the_other)
{
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = NULL;
    struct error error;
    synthetic_directory(directory);
    write_counts(directory, last);
    assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
    assert_int_equal(STATUS_OK, instruction_counts_read(set, counts, &error));
    *names_the_other = counts->differing != NULL && strcmp(counts->differing, OTHER_ID) == 0;
    record_set_free(set);
    synthetic_remove(directory);
}

static void test_a_count_that_differs_is_found(void **state)
{
    (void)state;
    struct instruction_counts counts;
    bool names_the_other;
    counts_of_run(20, &counts, &names_the_other);
    assert_int_equal(2, counts.cells);
    assert_int_equal(2, counts.identical);
    assert_int_equal(3, counts.least);
    assert_null(counts.differing);
    counts_of_run(20.00001, &counts, &names_the_other);
    assert_int_equal(2, counts.cells);
    assert_int_equal(1, counts.identical);
    assert_true(names_the_other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_need_the_figures_of_their_pass),
        cmocka_unit_test(test_compare_reads_them),
        cmocka_unit_test(test_a_count_that_differs_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
