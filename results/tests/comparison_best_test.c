/* The best of the rest, in runs whose truth was put in: who it is, that it is picked by the one
 * half of the rounds and judged by the other, and that luck in the one half does not come along. */
#include "results/tests/synthetic.h"

#include <math.h>

#include "results/compare/comparison.h"

enum { ROUNDS = 16, BACKENDS = 5, GROUPS = 2 };

static const char *const workloads[GROUPS] = {"churn", "trees"};
static const char *const families[GROUPS] = {"steady", "pointers"};
static const char *const backends[BACKENDS] = {"malloc", "quick", "slow", "lucky", "mine"};
enum { LUCKY = 3 };

/* In churn quick is best, in trees slow is. mine takes 0.8 of the best in either. */
static const double times_ns[GROUPS][BACKENDS] = {{20, 10, 30, 11, 8}, {20, 15, 10, 21, 8}};

/* Lucky takes half of its time in rounds of one kind, even or odd, and of churn alone. */
static double time_of(int group, int backend, int round, int lucky_parity)
{
    double noise = 1 + 0.001 * ((round * 7 + backend * 3) % 5);
    bool is_lucky = backend == LUCKY && group == 0 && round % 2 == lucky_parity;
    return times_ns[group][backend] * noise * (1 + 0.1 * round) * (is_lucky ? 0.5 : 1);
}

static void append(struct store *store, int group, int backend, int round, int twin, double ns)
{
    char id[128];
    (void)snprintf(id, sizeof(id), "%s/size=64/t1/%s:preload%s", workloads[group],
                   backends[backend],
                   twin == 0   ? ""
                   : twin == 1 ? "~1"
                               : "~2");
    bool fails = backend == 2 && group == 0 && round == 3;
    synthetic_append(store, synthetic_record(id, round, fails ? "crashed" : "ok", ns));
}

static struct record_set *load_run(char directory[SYNTHETIC_PATH_MAX], int lucky_parity)
{
    json_t *plan = synthetic_plan();
    for (int group = 0; group < GROUPS; group++) {
        for (int backend = 0; backend < BACKENDS; backend++) {
            for (int twin = 0; twin <= (backend == 0 ? 2 : 0); twin++) {
                synthetic_add_cell(plan, workloads[group], families[group], backends[backend],
                                   "preload", twin);
            }
        }
    }
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    for (int round = 0; round < ROUNDS; round++) {
        for (int group = 0; group < GROUPS; group++) {
            for (int backend = 0; backend < BACKENDS; backend++) {
                for (int twin = 0; twin <= (backend == 0 ? 2 : 0); twin++) {
                    append(store, group, backend, round, twin,
                           time_of(group, backend, round, lucky_parity));
                }
            }
        }
    }
    store_close(store);
    struct record_set *set = NULL;
    struct error error;
    assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
    return set;
}

static struct comparison *build(const struct record_set *set, const char *best_of)
{
    struct comparison *comparison = NULL;
    struct error error = {0};
    const struct comparison_options options = {.best_of = best_of, .seed = 1};
    if (comparison_build(set, &options, &comparison, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    return comparison;
}

static void assert_row(const struct comparison *comparison, size_t index, const char *workload,
                       const char *best, double ratio)
{
    const struct comparison_cell *row = &comparison->cells[index];
    assert_string_equal("mine", row->cell->backend);
    assert_string_equal(workload, row->cell->workload);
    assert_string_equal(best, row->base->backend);
    assert_int_equal(ROUNDS / 2, row->rounds);
    for (uint32_t i = 0; i < row->rounds; i++) {
        assert_int_equal(1, row->samples[i].round % 2);
    }
    assert_true(fabs(row->ratio / ratio - 1) < 0.01);
    assert_true(row->low <= row->ratio && row->ratio <= row->high);
}

/* Lucky is the best in the odd rounds, and looks so over all of them: but it is not picked. */
static void test_luck_in_the_judged_rounds_picks_nobody(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = load_run(directory, 1);
    struct comparison *comparison = build(set, "!mine");
    assert_int_equal(2, comparison->cell_count); /* no row of a peer */
    assert_row(comparison, 0, "churn", "quick", 0.8);
    assert_row(comparison, 1, "trees", "slow", 0.8);
    assert_int_equal(COMPARISON_LESS, comparison->cells[0].verdict);
    assert_int_equal(1, comparison->geomean_count);
    assert_true(fabs(comparison->geomeans[0].ratio / 0.8 - 1) < 0.01);
    assert_true(comparison->geomeans[0].complete);
    assert_false(comparison->several_arms);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

/* Lucky is picked for its even rounds, and judged by the others, in which it takes 11. */
static void test_luck_in_the_picking_rounds_is_not_in_the_ratio(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = load_run(directory, 0);
    struct comparison *comparison = build(set, "!mine");
    assert_row(comparison, 0, "churn", "lucky", 8.0 / 11);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

/* Who is no peer is not looked at; who failed once is no best (slow, in churn). */
static void test_only_peers_without_failure(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = load_run(directory, 0);
    struct comparison *comparison = build(set, "malloc,slow");
    assert_int_equal(6, comparison->cell_count); /* quick, lucky and mine */
    for (size_t i = 0; i < comparison->cell_count; i++) {
        assert_string_equal(i < 3 ? "malloc" : "slow", comparison->cells[i].base->backend);
    }
    json_t *json = comparison_to_json(&comparison, 1);
    const json_t *cell = json_array_get(json_object_get(json, "cells"), 5);
    assert_string_equal("malloc,slow", json_string_value(json_object_get(json, "best_of")));
    assert_string_equal(
        "slow", json_string_value(json_object_get(json_object_get(cell, "base"), "backend")));
    json_decref(json);
    comparison_free(comparison);
    struct error error = {0};
    const struct comparison_options options = {.best_of = "mimaloc"};
    assert_int_equal(STATUS_NOT_FOUND, comparison_build(set, &options, &comparison, &error));
    assert_non_null(strstr(error.message, "malloc:preload"));
    record_set_free(set);
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_luck_in_the_judged_rounds_picks_nobody),
        cmocka_unit_test(test_luck_in_the_picking_rounds_is_not_in_the_ratio),
        cmocka_unit_test(test_only_peers_without_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
