/* A base that holds nothing: no ratio, and its group is in nobody's mean. */
#include "results/tests/synthetic.h"

#include <math.h>

#include "results/compare/comparison.h"

/* Held bytes of malloc and of pools, each counted from outside, in two workloads. */
static struct record_set *load_run(char directory[SYNTHETIC_PATH_MAX], double base_of_first)
{
    static const char *const workloads[] = {"pingpong", "churn"};
    json_t *plan = synthetic_plan();
    for (int i = 0; i < 2; i++) {
        synthetic_add_cell(plan, workloads[i], workloads[i], "malloc", "preload", 0);
        synthetic_add_cell(plan, workloads[i], workloads[i], "pools", "inline", 0);
        synthetic_add_cell(plan, workloads[i], workloads[i], "other", "inline", 0);
    }
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    const double held[2][3] = {{base_of_first, 4096, 8192}, {1000, 2000, 500}};
    static const char *const labels[] = {"malloc:preload", "pools:inline", "other:inline"};
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 3; j++) {
            char id[128];
            (void)snprintf(id, sizeof(id), "%s/size=64/t1/%s", workloads[i], labels[j]);
            synthetic_append(store,
                             synthetic_memory_record(id, 0, "smaps", held[i][j], held[i][j]));
        }
    }
    store_close(store);
    struct record_set *set = NULL;
    struct error error;
    assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
    return set;
}

static const struct comparison_cell *row_of(const struct comparison *comparison,
                                            const char *workload, const char *backend)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        if (strcmp(row->cell->workload, workload) == 0 &&
            strcmp(row->cell->backend, backend) == 0) {
            return row;
        }
    }
    fail_msg("there is no row of %s under %s", workload, backend);
    return NULL;
}

static void check_means(const struct comparison *comparison, uint32_t cells, double other)
{
    assert_int_equal(2, comparison->geomean_count);
    for (size_t i = 0; i < 2; i++) {
        assert_true(comparison->geomeans[i].complete);
        assert_int_equal(cells, comparison->geomeans[i].cells);
        assert_int_equal(cells, comparison->geomeans[i].cells_expected);
    }
    assert_true(fabs(comparison->geomeans[0].ratio - other) < 1e-9);
}

static void test_a_group_whose_base_is_zero_is_in_no_mean(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct error error;
    struct comparison *comparison = NULL;
    struct record_set *set = load_run(directory, 0);
    struct comparison_options options = {.metric = "held_peak", .seed = 1};
    assert_int_equal(STATUS_OK, comparison_build(set, &options, &comparison, &error));
    const struct comparison_cell *row = row_of(comparison, "pingpong", "pools");
    assert_true(row->base_is_zero && isnan(row->ratio));
    assert_true(row->value == 4096 && row->base_value == 0);
    assert_int_equal(COMPARISON_NOT_APPLICABLE, row->verdict);
    assert_false(row_of(comparison, "churn", "pools")->base_is_zero);
    assert_int_equal(1, comparison->groups_left_out);
    check_means(comparison, 1, 0.5); /* churn alone */
    comparison_free(comparison);
    /* Looked at alone, the other workload has nothing left out. */
    options.workloads = "churn";
    assert_int_equal(STATUS_OK, comparison_build(set, &options, &comparison, &error));
    assert_int_equal(0, comparison->groups_left_out);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

static void test_any_other_base_is_in_the_mean(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct error error;
    struct comparison *comparison = NULL;
    struct record_set *set = load_run(directory, 4096);
    const struct comparison_options options = {.metric = "held_peak", .seed = 1};
    assert_int_equal(STATUS_OK, comparison_build(set, &options, &comparison, &error));
    assert_int_equal(0, comparison->groups_left_out);
    check_means(comparison, 2, 1); /* 2 and 0.5 */
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

static void test_between_two_runs_too(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char old_directory[SYNTHETIC_PATH_MAX];
    struct error error;
    struct comparison *comparison = NULL;
    struct record_set *set = load_run(directory, 4096);
    struct record_set *old = load_run(old_directory, 0);
    const struct comparison_run_options options = {.common = {.metric = "held_peak", .seed = 1}};
    assert_int_equal(STATUS_OK, comparison_build_runs(old, set, &options, &comparison, &error));
    assert_true(row_of(comparison, "pingpong", "malloc")->base_is_zero);
    assert_int_equal(1, comparison->groups_left_out);
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        assert_int_equal(1, comparison->geomeans[i].cells_expected);
    }
    comparison_free(comparison);
    record_set_free(set);
    record_set_free(old);
    synthetic_remove(directory);
    synthetic_remove(old_directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_group_whose_base_is_zero_is_in_no_mean),
        cmocka_unit_test(test_any_other_base_is_in_the_mean),
        cmocka_unit_test(test_between_two_runs_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
