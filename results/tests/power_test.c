/* How often verdicts are right, counted over made-up runs: what was put in comes out. */
#include "results/tests/synthetic.h"

#include <math.h>

#include "common/rng.h"
#include "results/stats/power.h"

/* A calibration's run that is made up. */
struct power_run {
    int groups;
    int rounds;
    double noise;        /* of a record's logarithm */
    double slowdowns[2]; /* per cent */
    int unlike_twins;    /* groups whose second twin takes a fifth longer after all */
    int unlucky_layouts; /* groups in which both twins take a tenth longer, as layouts may do */
    bool crashes;        /* a slowed cell of the first group, in round 3 */
    uint64_t seed;
};

/* Base, two twins, two slowed copies. */
enum { CELLS = 5 };

static const char *power_id(const struct power_run *run, int group, int cell)
{
    static char id[128];
    static const char *const twins[] = {"", "~1", "~2"};
    (void)snprintf(id, sizeof(id), "w%d/size=64/t1/malloc:preload%s", group,
                   cell < 3 ? twins[cell] : "");
    if (cell >= 3) {
        size_t length = strlen(id);
        (void)snprintf(id + length, sizeof(id) - length, "+%g%%", run->slowdowns[cell - 3]);
    }
    return id;
}

static json_t *power_plan(const struct power_run *run)
{
    json_t *plan = synthetic_plan();
    json_t *cells = json_object_get(plan, "cells");
    for (int group = 0; group < run->groups; group++) {
        char workload[16];
        (void)snprintf(workload, sizeof(workload), "w%d", group);
        for (int cell = 0; cell < CELLS; cell++) {
            synthetic_add_cell(plan, workload, "steady", "malloc", "preload", cell < 3 ? cell : 0);
            if (cell >= 3) {
                json_t *slowed = json_array_get(cells, json_array_size(cells) - 1);
                json_object_set_new(slowed, "id", json_string(power_id(run, group, cell)));
                json_object_set_new(slowed, "extra_work", json_real(run->slowdowns[cell - 3]));
            }
        }
    }
    return plan;
}

static double power_truth(const struct power_run *run, int group, int cell)
{
    bool unlucky = (cell == 1 || cell == 2) && group < run->unlucky_layouts;
    return unlucky                                  ? 1.1
           : cell >= 3                              ? 1 + run->slowdowns[cell - 3] / 100
           : cell == 2 && group < run->unlike_twins ? 1.2
                                                    : 1;
}

static void add_run(struct power *power, const struct power_run *run)
{
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = NULL;
    struct error error = {.message = ""};
    struct rng rng;
    rng_seed(&rng, run->seed);
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, power_plan(run));
    for (int round = 0; round < run->rounds; round++) {
        for (int group = 0; group < run->groups; group++) {
            for (int cell = 0; cell < CELLS; cell++) {
                bool crashes = run->crashes && group == 0 && cell == 3 && round == 3;
                double time_ns =
                    10 * power_truth(run, group, cell) * exp(run->noise * rng_normal(&rng));
                synthetic_append(store, synthetic_record(power_id(run, group, cell), round,
                                                         crashes ? "crashed" : "ok", time_ns));
            }
        }
    }
    store_close(store);
    if (store_load(directory, &set, &error) != STATUS_OK ||
        power_add_run(power, set, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    record_set_free(set);
    synthetic_remove(directory);
}

/* The share of a slowdown (0: A/A) after so many rounds; fails if there is none. */
static const json_t *find_share(const json_t *json, double slowdown, int rounds)
{
    const char *list = slowdown > 0 ? "power" : "false_positives_by_rounds";
    size_t index;
    json_t *share;
    json_array_foreach(json_object_get(json, list), index, share)
    {
        double of = json_number_value(json_object_get(share, "slowdown"));
        if (fabs(of - slowdown) < 1e-9 &&
            json_integer_value(json_object_get(share, "rounds")) == rounds) {
            return share;
        }
    }
    fail_msg("nothing of %g%% after %d rounds", slowdown, rounds);
    return NULL;
}

static double number(const json_t *share, const char *name)
{
    assert_true(json_is_number(json_object_get(share, name)));
    return json_number_value(json_object_get(share, name));
}

static void test_what_was_put_in_is_found(void **state)
{
    (void)state;
    struct power power = {.groups = 0};
    add_run(&power,
            &(struct power_run){
                .groups = 10, .rounds = 14, .noise = 0.002, .seed = 1, .slowdowns = {2, 10}});
    add_run(&power,
            &(struct power_run){
                .groups = 10, .rounds = 10, .noise = 0.002, .seed = 2, .slowdowns = {1, 5}});
    json_t *json = power_to_json(&power);
    static const double slowdowns[] = {1, 2, 5, 10};
    for (size_t i = 0; i < 4; i++) {
        const json_t *share = find_share(json, slowdowns[i], 14);
        assert_int_equal(10, (int)number(share, "comparisons"));
        assert_int_equal(10, (int)number(share, "found"));
    }
    const json_t *none = json_object_get(json, "false_positives");
    assert_int_equal(20, (int)number(none, "comparisons"));
    assert_true(number(none, "false") <= 1);
    assert_true(fabs(number(json, "resolves") - 1) < 1e-9);
    assert_true(fabs(number(json_object_get(json, "rounds"), "mean") - 12) < 1e-9);
    assert_int_equal(14, (int)number(json_object_get(json, "rounds"), "most"));
    /* 6, 8, 10 and the end; no limit beyond what was run. */
    assert_int_equal(4, json_array_size(json_object_get(json, "false_positives_by_rounds")));
    assert_int_equal(4 * 4, json_array_size(json_object_get(json, "power")));
    json_decref(json);
}

static void count_unlike_twins(int unlike, double *rate, double *low, double *high)
{
    struct power power = {.groups = 0};
    add_run(&power, &(struct power_run){.groups = 10,
                                        .rounds = 10,
                                        .noise = 0.002,
                                        .seed = 3,
                                        .slowdowns = {5, 50},
                                        .unlike_twins = unlike});
    json_t *json = power_to_json(&power);
    const json_t *none = json_object_get(json, "false_positives");
    assert_int_equal(10, (int)number(none, "comparisons"));
    *rate = number(none, "rate");
    *low = number(none, "low");
    *high = number(none, "high");
    json_decref(json);
}

/* One pair that is unlike all others is told apart: 1 of 10, Clopper and Pearson's interval is from
 * 0.25% to 44.5%. Several are what pairs of this run are like: each one's floor knows the others.
 */
static void test_unlike_twins_are_counted_as_false(void **state)
{
    (void)state;
    double rate, low, high;
    count_unlike_twins(1, &rate, &low, &high);
    assert_true(fabs(rate - 0.1) < 1e-9);
    assert_true(fabs(low - 0.0025) < 1e-3);
    assert_true(fabs(high - 0.4450) < 1e-3);
    count_unlike_twins(3, &rate, &low, &high);
    assert_true(rate <= 0.1);
}

/* A workload that is sensitive to code layout has a floor of its own, and the others have theirs.
 */
static void test_an_unlucky_layout_hides_nothing_elsewhere(void **state)
{
    (void)state;
    struct power power = {.groups = 0};
    add_run(&power, &(struct power_run){.groups = 10,
                                        .rounds = 10,
                                        .noise = 0.002,
                                        .seed = 7,
                                        .slowdowns = {5, 20},
                                        .unlucky_layouts = 2});
    json_t *json = power_to_json(&power);
    assert_int_equal(0, (int)number(json_object_get(json, "false_positives"), "false"));
    assert_int_equal(8, (int)number(find_share(json, 5, 10), "found"));
    assert_int_equal(10, (int)number(find_share(json, 20, 10), "found"));
    json_decref(json);
}

static void test_noise_hides_and_rounds_reveal(void **state)
{
    (void)state;
    struct power power = {.groups = 0};
    add_run(&power, &(struct power_run){
                        .groups = 20, .rounds = 28, .noise = 0.03, .seed = 4, .slowdowns = {1, 5}});
    json_t *json = power_to_json(&power);
    double few = number(find_share(json, 5, 6), "rate");
    double many = number(find_share(json, 5, 28), "rate");
    print_message("5%% in noise of 3%%: found %.2f at 6 rounds, %.2f at 28\n", few, many);
    assert_true(few <= 0.3 && many >= 0.7);
    assert_true(number(find_share(json, 1, 28), "rate") <= 0.2);
    assert_true(number(find_share(json, 5, 28), "low") < many);
    json_decref(json);
}

static void test_nothing_is_resolved_in_much_noise(void **state)
{
    (void)state;
    struct power power = {.groups = 0};
    add_run(&power, &(struct power_run){
                        .groups = 10, .rounds = 10, .noise = 0.2, .seed = 5, .slowdowns = {5, 10}});
    json_t *json = power_to_json(&power);
    assert_true(json_is_null(json_object_get(json, "resolves")));
    json_decref(json);
}

static void test_failures_are_told_apart_from_misses(void **state)
{
    (void)state;
    struct power power = {.groups = 0};
    add_run(&power, &(struct power_run){.groups = 4,
                                        .rounds = 10,
                                        .noise = 0.002,
                                        .seed = 6,
                                        .slowdowns = {5, 10},
                                        .crashes = true});
    json_t *json = power_to_json(&power);
    assert_int_equal(1, (int)number(json, "failed"));
    assert_int_equal(3, (int)number(find_share(json, 5, 10), "comparisons"));
    assert_int_equal(4, (int)number(find_share(json, 10, 10), "comparisons"));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_put_in_is_found),
        cmocka_unit_test(test_unlike_twins_are_counted_as_false),
        cmocka_unit_test(test_an_unlucky_layout_hides_nothing_elsewhere),
        cmocka_unit_test(test_noise_hides_and_rounds_reveal),
        cmocka_unit_test(test_nothing_is_resolved_in_much_noise),
        cmocka_unit_test(test_failures_are_told_apart_from_misses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
