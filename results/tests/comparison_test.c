/* Comparison of runs whose truth was put in. Every round is half as slow again as the one before
 * it, so that a pair mixed over rounds is off by half and more, while real pairs are exact to the
 * noise of 1%. */
#include "results/tests/synthetic.h"

#include <math.h>

#include "common/rng.h"
#include "results/compare/comparison.h"
#include "results/stats/statistics.h"

enum { ROUNDS = 9 };

#define ROUND_DRIFT 1.5
#define NOISE 0.01

/* A back end in the made-up run, and its true time relative to malloc's. */
struct truth {
    const char *workload;
    const char *family;
    const char *backend;
    const char *arm;
    int twin;
    double ratio;
    const char *status; /* of round 3; the others are ok. NULL: ok too */
};

static const struct truth plain_run[] = {
    {"churn", "steady", "malloc", "preload", 0, 1, NULL},
    {"churn", "steady", "malloc", "preload", 1, 1, NULL},
    {"churn", "steady", "malloc", "preload", 2, 1, NULL},
    {"churn", "steady", "fast", "preload", 0, 0.5, NULL},
    {"churn", "steady", "slow", "preload", 0, 1.3, NULL},
    {"churn", "steady", "same", "preload", 0, 1, NULL},
    {"pingpong", "steady", "malloc", "preload", 0, 1, NULL},
    {"pingpong", "steady", "malloc", "preload", 1, 1, NULL},
    {"pingpong", "steady", "malloc", "preload", 2, 1, NULL},
    {"pingpong", "steady", "fast", "preload", 0, 0.5, NULL},
    {"pingpong", "steady", "slow", "preload", 0, 1.3, "crashed"},
    {"pingpong", "steady", "same", "preload", 0, 1, "not_applicable"},
    {"trees", "pointers", "malloc", "preload", 0, 1, NULL},
    {"trees", "pointers", "fast", "preload", 0, 2, NULL},
    {"trees", "pointers", "slow", "preload", 0, 1.3, NULL},
    {"trees", "pointers", "same", "preload", 0, 1, NULL},
};
enum { PLAIN_CELLS = sizeof(plain_run) / sizeof(plain_run[0]) };

static const char *cell_id(const struct truth *truth)
{
    static char id[256];
    (void)snprintf(id, sizeof(id), "%s/size=64/t1/%s:%s%s", truth->workload, truth->backend,
                   truth->arm, truth->twin == 0 ? "" : (truth->twin == 1 ? "~1" : "~2"));
    return id;
}

static json_t *plan_of(const struct truth *truths, size_t count)
{
    json_t *plan = synthetic_plan();
    for (size_t i = 0; i < count; i++) {
        synthetic_add_cell(plan, truths[i].workload, truths[i].family, truths[i].backend,
                           truths[i].arm, truths[i].twin);
    }
    return plan;
}

/* Writes a run of the time pass. Cells of a group stand next to each other in `truths`. */
static void write_run(const char *directory, const struct truth *truths, size_t count, int rounds)
{
    struct store *store = synthetic_create(directory, plan_of(truths, count));
    struct rng rng;
    rng_seed(&rng, 11);
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < count; i++) {
            const struct truth *truth = &truths[i];
            const char *status = round == 3 && truth->status != NULL ? truth->status : "ok";
            double time_ns = 10 * truth->ratio * pow(ROUND_DRIFT, round) *
                             exp(NOISE * (rng_uniform(&rng) - 0.5));
            synthetic_append(store, synthetic_record(cell_id(truth), round, status, time_ns));
        }
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

static struct comparison *build(const struct record_set *set, struct comparison_options options)
{
    struct comparison *comparison = NULL;
    struct error error = {0};
    if (comparison_build(set, &options, &comparison, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    return comparison;
}

static const struct comparison_cell *find(const struct comparison *comparison, const char *workload,
                                          const char *backend)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct record_cell *cell = comparison->cells[i].cell;
        if (strcmp(cell->workload, workload) == 0 && strcmp(cell->backend_text, backend) == 0) {
            return &comparison->cells[i];
        }
    }
    fail_msg("no row %s %s", workload, backend);
    return NULL;
}

static const struct comparison_geomean *find_mean(const struct comparison *comparison,
                                                  const char *backend)
{
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        if (strcmp(comparison->geomeans[i].backend, backend) == 0) {
            return &comparison->geomeans[i];
        }
    }
    fail_msg("no mean of %s", backend);
    return NULL;
}

static void assert_ratio(const struct comparison_cell *row, double truth)
{
    if (!(fabs(row->ratio / truth - 1) < NOISE) || !(row->low <= row->ratio) ||
        !(row->ratio <= row->high) || !(row->high / row->low < 1 + 2 * NOISE)) {
        fail_msg("%s: %g [%g, %g], and the truth is %g", row->cell->id, row->ratio, row->low,
                 row->high, truth);
    }
}

static void test_injected_ratios_are_found(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    write_run(directory, plain_run, PLAIN_CELLS, ROUNDS);
    struct record_set *set = load(directory);
    struct comparison *comparison = build(set, (struct comparison_options){.seed = 1});
    assert_ratio(find(comparison, "churn", "fast"), 0.5);
    assert_ratio(find(comparison, "churn", "slow"), 1.3);
    assert_ratio(find(comparison, "churn", "same"), 1);
    assert_ratio(find(comparison, "trees", "fast"), 2);
    assert_int_equal(COMPARISON_LESS, find(comparison, "churn", "fast")->verdict);
    assert_int_equal(COMPARISON_MORE, find(comparison, "churn", "slow")->verdict);
    assert_int_equal(COMPARISON_NO_DIFFERENCE, find(comparison, "churn", "same")->verdict);
    assert_int_equal(ROUNDS, find(comparison, "churn", "fast")->rounds);
    assert_int_equal(9, comparison->cell_count); /* neither the base nor twins */
    assert_string_equal("churn", comparison->cells[0].cell->workload);
    assert_string_equal("fast", comparison->cells[0].cell->backend);
    assert_string_equal("trees", comparison->cells[8].cell->workload);
    assert_false(comparison->several_arms);
    assert_int_equal(2, comparison->noise_floor_pairs);
    assert_int_equal(2, comparison->aa_judged);
    assert_int_equal(0, comparison->aa_false);
    assert_true(comparison->noise_floor > 0 && comparison->noise_floor < NOISE);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

/* A line taken out by hand: the pairs of the other rounds must stay pairs of one round. */
static void test_a_missing_round_shifts_no_pair(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    write_run(directory, plain_run, PLAIN_CELLS, ROUNDS);
    char *records = synthetic_read(directory, "records.jsonl", NULL);
    char *line = records;
    while (strstr(line, "churn/size=64/t1/fast") !=
               line + strlen("{\"format\":\"heapmill-record-1\","
                             "\"cell\":\"") ||
           strncmp(strstr(line, "\"round\":"), "\"round\":2", 9) != 0) {
        line += strcspn(line, "\n") + 1;
    }
    memmove(line, line + strcspn(line, "\n") + 1, strlen(line + strcspn(line, "\n") + 1) + 1);
    synthetic_write(directory, "records.jsonl", records, strlen(records));
    free(records);
    struct record_set *set = load(directory);
    struct comparison *comparison = build(set, (struct comparison_options){.seed = 1});
    const struct comparison_cell *row = find(comparison, "churn", "fast");
    assert_int_equal(ROUNDS - 1, row->rounds);
    assert_ratio(row, 0.5);
    for (uint32_t i = 0; i < row->rounds; i++) {
        assert_int_equal(i < 2 ? i : i + 1, row->samples[i].round);
        assert_true(fabs(row->samples[i].value / row->samples[i].base_value / 0.5 - 1) < NOISE);
    }
    assert_true(find_mean(comparison, "fast")->low > 0);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

static void test_failed_and_not_applicable_have_no_figure(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    write_run(directory, plain_run, PLAIN_CELLS, ROUNDS);
    struct record_set *set = load(directory);
    struct comparison *comparison = build(set, (struct comparison_options){.seed = 1});
    const struct comparison_cell *failed = find(comparison, "pingpong", "slow");
    const struct comparison_cell *unable = find(comparison, "pingpong", "same");
    assert_int_equal(COMPARISON_FAILED, failed->verdict);
    assert_int_equal(1, failed->failed);
    assert_true(isnan(failed->ratio) && isnan(failed->value));
    assert_int_equal(COMPARISON_NOT_APPLICABLE, unable->verdict);
    assert_int_equal(0, unable->failed);
    assert_true(isnan(unable->ratio));
    assert_int_equal(1, comparison->failed_cells);
    assert_true(find_mean(comparison, "fast")->complete);
    assert_false(find_mean(comparison, "slow")->complete);
    assert_int_equal(2, find_mean(comparison, "slow")->cells);
    assert_int_equal(3, find_mean(comparison, "slow")->cells_expected);
    comparison_free(comparison);
    /* Where the base has failed, nothing has a figure. */
    comparison = build(set, (struct comparison_options){.base_backend = "slow", .seed = 1});
    assert_int_equal(COMPARISON_FAILED, find(comparison, "pingpong", "fast")->verdict);
    assert_int_equal(COMPARISON_LESS, find(comparison, "churn", "fast")->verdict);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

/* fast: 0.5 twice in one family, 2 in the other. Families weigh equally: 1, and not 0.79. */
static void test_families_weigh_equally(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    write_run(directory, plain_run, PLAIN_CELLS, ROUNDS);
    struct record_set *set = load(directory);
    struct comparison *comparison = build(set, (struct comparison_options){.seed = 1});
    const struct comparison_geomean *mean = find_mean(comparison, "fast");
    assert_true(fabs(mean->ratio - 1) < NOISE);
    assert_true(mean->low < mean->ratio && mean->ratio < mean->high);
    assert_true(mean->high / mean->low < 1 + 2 * NOISE);
    assert_int_equal(2, mean->families);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

static void test_below_six_rounds_there_is_no_verdict(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    write_run(directory, plain_run, 6, 5);
    struct record_set *set = load(directory);
    struct comparison *comparison = build(set, (struct comparison_options){.seed = 1});
    const struct comparison_cell *row = find(comparison, "churn", "slow");
    assert_int_equal(COMPARISON_TOO_FEW, row->verdict);
    assert_true(fabs(row->ratio - 1.3) < 0.02 && isnan(row->low) && isnan(row->high));
    assert_true(isnan(comparison->noise_floor) && isnan(find_mean(comparison, "slow")->low));
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

/* A twin that is 4% off for no reason widens the floor: 3% are not told apart then, 30% are. */
static void test_the_floor_hides_what_identical_pairs_show(void **state)
{
    (void)state;
    static const struct truth run[] = {
        {"churn", "steady", "malloc", "preload", 0, 1, NULL},
        {"churn", "steady", "malloc", "preload", 1, 1.04, NULL},
        {"churn", "steady", "malloc", "preload", 2, 1.08, NULL},
        {"churn", "steady", "near", "preload", 0, 1.03, NULL},
        {"churn", "steady", "far", "preload", 0, 0.7, NULL},
    };
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    write_run(directory, run, 5, ROUNDS);
    struct record_set *set = load(directory);
    struct comparison *comparison = build(set, (struct comparison_options){.seed = 1});
    assert_true(fabs(comparison->noise_floor - 0.04) < NOISE);
    assert_int_equal(COMPARISON_NO_DIFFERENCE, find(comparison, "churn", "near")->verdict);
    assert_int_equal(COMPARISON_LESS, find(comparison, "churn", "far")->verdict);
    assert_int_equal(1, comparison->aa_judged);
    assert_int_equal(1, comparison->aa_false);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

/* Null takes 60% of malloc's time, the workload's own; "quick" takes 76% in all, which is 40% of
 * the allocator's part. */
static void test_net_of_null(void **state)
{
    (void)state;
    static const struct truth run[] = {
        {"churn", "steady", "malloc", "preload", 0, 1, NULL},
        {"churn", "steady", "null", "preload", 0, 0.6, NULL},
        {"churn", "steady", "quick", "preload", 0, 0.76, NULL},
        {"trees", "pointers", "malloc", "preload", 0, 1, NULL},
        {"trees", "pointers", "quick", "preload", 0, 0.76, NULL},
    };
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    write_run(directory, run, 5, ROUNDS);
    struct record_set *set = load(directory);
    struct comparison *comparison =
        build(set, (struct comparison_options){.seed = 1, .backends = "quick"});
    assert_true(fabs(find(comparison, "churn", "quick")->net - 0.4) < 0.02);
    assert_true(isnan(find(comparison, "trees", "quick")->net));
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

/* A twin that differs a little beside rows that differ by much: its p is far above theirs and above
 * 5% of one in eleven, but a row with it would be told, and so it counts. */
static void test_a_twin_is_judged_as_one_more_row(void **state)
{
    (void)state;
    enum { ROWS = 10 };
    struct truth run[ROWS + 3] = {{"churn", "steady", "malloc", "preload", 0, 1, NULL},
                                  {"churn", "steady", "malloc", "preload", 1, 1, NULL},
                                  {"churn", "steady", "malloc", "preload", 2, 1.0035, NULL}};
    static const char *const names[ROWS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    for (size_t i = 0; i < ROWS; i++) {
        run[i + 3] = (struct truth){"churn", "steady", names[i], "preload", 0, 0.5, NULL};
    }
    char directory[SYNTHETIC_PATH_MAX];
    for (int as_row = 0; as_row <= 1; as_row++) {
        run[2].backend = as_row ? "again" : "malloc";
        run[2].twin = as_row ? 0 : 2;
        synthetic_directory(directory);
        write_run(directory, run, ROWS + 3, ROUNDS);
        struct record_set *set = load(directory);
        struct comparison *comparison = build(set, (struct comparison_options){.seed = 1});
        if (as_row) {
            const struct comparison_cell *row = find(comparison, "churn", "again");
            assert_int_equal(COMPARISON_MORE, row->verdict);
            assert_true(row->p > STATISTICS_DISCOVERY_LEVEL / (ROWS + 1));
        } else {
            assert_int_equal(1, comparison->aa_judged);
            assert_int_equal(1, comparison->aa_false);
        }
        comparison_free(comparison);
        record_set_free(set);
        synthetic_remove(directory);
    }
}

/* A ratio of held bytes has one source on both sides: stats if both know it, else smaps. */
static void test_held_sources_are_never_mixed(void **state)
{
    (void)state;
    static const struct truth run[] = {
        {"churn", "steady", "malloc", "preload", 0, 1, NULL},
        {"churn", "steady", "pools", "inline", 0, 1, NULL},
        {"churn", "steady", "lists", "inline", 0, 1, NULL},
    };
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan_of(run, 3));
    synthetic_append(store, synthetic_memory_record(cell_id(&run[0]), 0, "smaps", 200, 200));
    synthetic_append(store, synthetic_memory_record(cell_id(&run[1]), 0, "stats", 100, 300));
    synthetic_append(store, synthetic_memory_record(cell_id(&run[2]), 0, "stats", 150, 900));
    store_close(store);
    struct record_set *set = load(directory);
    static const char *const metrics[] = {"held_peak", "held_over_live"};
    for (size_t i = 0; i < 2; i++) {
        struct comparison_options options = {.metric = metrics[i]};
        struct comparison *comparison = build(set, options);
        const struct comparison_cell *row = find(comparison, "churn", "pools");
        assert_string_equal("smaps", row->source);
        assert_true(fabs(row->ratio - 1.5) < 1e-12);
        assert_true(isnan(row->low));
        assert_int_equal(COMPARISON_TOO_FEW, row->verdict);
        assert_true(comparison->several_arms);
        comparison_free(comparison);
        options.base_backend = "pools";
        comparison = build(set, options);
        row = find(comparison, "churn", "lists");
        assert_string_equal("stats", row->source);
        assert_true(fabs(row->ratio - 1.5) < 1e-12);
        assert_true(comparison->several_sources);
        comparison_free(comparison);
    }
    record_set_free(set);
    synthetic_remove(directory);
}

static void expect_refusal(const struct record_set *set, struct comparison_options options,
                           enum status expected, const char *text)
{
    struct comparison *comparison = NULL;
    struct error error = {0};
    assert_int_equal(expected, comparison_build(set, &options, &comparison, &error));
    if (strstr(error.message, text) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error.message, text);
    }
}

static void test_names_are_checked(void **state)
{
    (void)state;
    static const struct truth run[] = {
        {"churn", "steady", "malloc", "preload", 0, 1, NULL},
        {"churn", "steady", "pools", "inline", 0, 0.5, NULL},
        {"churn", "steady", "pools", "call", 0, 0.8, NULL},
        {"trees", "pointers", "malloc", "preload", 0, 1, NULL},
        {"trees", "pointers", "pools", "inline", 0, 0.5, NULL},
        {"trees", "pointers", "pools", "call", 0, 0.8, NULL},
    };
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    write_run(directory, run, 6, 6);
    struct record_set *set = load(directory);
    struct comparison_options options = {.base_backend = "mimaloc"};
    expect_refusal(set, options, STATUS_NOT_FOUND, "malloc:preload, pools:inline, pools:call");
    options = (struct comparison_options){.base_backend = "pools"};
    expect_refusal(set, options, STATUS_INVALID, "(inline, call)");
    options = (struct comparison_options){.base_backend = "pools", .base_arm = "preload"};
    expect_refusal(set, options, STATUS_NOT_FOUND, "pools:preload is not in this run");
    options = (struct comparison_options){.metric = "speed"};
    expect_refusal(set, options, STATUS_INVALID, "time, held_peak, rss_peak, held_over_live");
    options = (struct comparison_options){.workloads = "churn,tree"};
    expect_refusal(set, options, STATUS_NOT_FOUND, "churn, trees");
    options = (struct comparison_options){.backends = "pool"};
    expect_refusal(set, options, STATUS_NOT_FOUND, "\"pool\"");
    options = (struct comparison_options){.backends = "malloc"};
    expect_refusal(set, options, STATUS_NOT_FOUND, "nothing to compare");
    options = (struct comparison_options){
        .base_backend = "pools", .base_arm = "call", .workloads = "tr*", .backends = "*:inline"};
    struct comparison *comparison = build(set, options);
    assert_int_equal(1, comparison->cell_count);
    assert_true(fabs(comparison->cells[0].ratio - 0.625) < NOISE);
    assert_true(comparison->several_arms);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

/* The names that scripts and gates read. */
static void test_json_has_the_documented_members(void **state)
{
    (void)state;
    static const char *const top[] = {"base",     "noise_floor", "noise_floor_pairs", "aa_judged",
                                      "aa_false", "cells",       "geomeans"};
    static const char *const members[] = {
        "workload", "params",  "threads", "backend", "arm",   "base", "metric", "ratio",     "low",
        "high",     "verdict", "rounds",  "failed",  "value", "env",  "source", "base_value"};
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    write_run(directory, plain_run, PLAIN_CELLS, ROUNDS);
    struct record_set *set = load(directory);
    struct comparison *both[] = {build(set, (struct comparison_options){.seed = 1}),
                                 build(set, (struct comparison_options){.metric = "rss_peak"})};
    json_t *json = comparison_to_json(both, 2);
    for (size_t i = 0; i < sizeof(top) / sizeof(top[0]); i++) {
        assert_non_null(json_object_get(json, top[i]));
    }
    const json_t *cells = json_object_get(json, "cells");
    assert_int_equal(18, json_array_size(cells));
    for (size_t i = 0; i < json_array_size(cells); i++) {
        for (size_t j = 0; j < sizeof(members) / sizeof(members[0]); j++) {
            assert_non_null(json_object_get(json_array_get(cells, i), members[j]));
        }
    }
    const json_t *fast = json_array_get(cells, 0);
    assert_string_equal("faster", json_string_value(json_object_get(fast, "verdict")));
    assert_true(json_is_real(json_object_get(fast, "low")));
    assert_int_equal(64,
                     json_integer_value(json_object_get(json_object_get(fast, "params"), "size")));
    const json_t *unmeasured = json_array_get(cells, 9);
    assert_true(json_is_null(json_object_get(unmeasured, "ratio")));
    assert_string_equal("too few rounds",
                        json_string_value(json_object_get(unmeasured, "verdict")));
    const json_t *mean = json_array_get(json_object_get(json, "geomeans"), 0);
    assert_true(json_is_true(json_object_get(mean, "complete")));
    json_decref(json);
    comparison_free(both[0]);
    comparison_free(both[1]);
    record_set_free(set);
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_injected_ratios_are_found),
        cmocka_unit_test(test_a_missing_round_shifts_no_pair),
        cmocka_unit_test(test_failed_and_not_applicable_have_no_figure),
        cmocka_unit_test(test_families_weigh_equally),
        cmocka_unit_test(test_below_six_rounds_there_is_no_verdict),
        cmocka_unit_test(test_the_floor_hides_what_identical_pairs_show),
        cmocka_unit_test(test_a_twin_is_judged_as_one_more_row),
        cmocka_unit_test(test_net_of_null),
        cmocka_unit_test(test_held_sources_are_never_mixed),
        cmocka_unit_test(test_names_are_checked),
        cmocka_unit_test(test_json_has_the_documented_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
