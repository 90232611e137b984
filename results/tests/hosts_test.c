/* Rounds of several machines in one run: hosts are blocks. */
#include "results/tests/synthetic.h"

#include "results/compare/comparison.h"

enum { ROUNDS = 24, CELLS = 4 };

static const char *const ids[CELLS] = {
    "churn/size=64/t1/malloc:preload", "churn/size=64/t1/malloc:preload~1",
    "churn/size=64/t1/malloc:preload~2", "churn/size=64/t1/pools:inline"};

struct run {
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set;
    struct comparison *comparison;
};

/* Half of the rounds on each of two hosts: pools takes `first` of malloc's time on one, `second` on
 * the other. strayed: in round 3 pools ran elsewhere than malloc. */
static void begin(struct run *run, double first, double second, bool strayed)
{
    json_t *plan = synthetic_plan();
    struct error error = {0};
    for (int twin = 0; twin <= 2; twin++) {
        synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", twin);
    }
    synthetic_add_cell(plan, "churn", "steady", "pools", "inline", 0);
    synthetic_directory(run->directory);
    struct store *store = synthetic_create(run->directory, plan);
    for (int round = 0; round < ROUNDS; round++) {
        bool late = round >= ROUNDS / 2;
        for (int i = 0; i < CELLS; i++) {
            double noise = 1 + 0.001 * ((round * 5 + i * 3) % 7);
            double ratio = i < CELLS - 1 ? 1 : late ? second : first;
            bool other = late || (strayed && round == 3 && i == CELLS - 1);
            json_t *record = synthetic_record(ids[i], round, "ok", 10 * ratio * noise);
            (void)json_object_set_new(record, "host", json_string(other ? "node2" : "node1"));
            synthetic_append(store, record);
        }
    }
    store_close(store);
    const struct comparison_options options = {.seed = 1};
    assert_int_equal(STATUS_OK, store_load(run->directory, &run->set, &error));
    assert_int_equal(STATUS_OK, comparison_build(run->set, &options, &run->comparison, &error));
    assert_int_equal(1, run->comparison->cell_count);
}

static void end(struct run *run)
{
    comparison_free(run->comparison);
    record_set_free(run->set);
    synthetic_remove(run->directory);
}

static void hosts_that_agree_are_one_run(void **state)
{
    (void)state;
    struct run run;
    begin(&run, 0.8, 0.8, false);
    assert_int_equal(2, run.set->host_count);
    assert_string_equal("node2", run.set->hosts[1]);
    assert_int_equal(COMPARISON_LESS, run.comparison->cells[0].verdict);
    assert_null(run.comparison->differences);
    end(&run);
}

static void a_verdict_stands_only_where_it_stands_on_every_host(void **state)
{
    (void)state;
    struct run run;
    begin(&run, 0.8, 1.2, false);
    const struct comparison_cell *row = &run.comparison->cells[0];
    assert_int_equal(COMPARISON_NO_DIFFERENCE, row->verdict);
    assert_true(row->low < 0.81 && row->high > 1.19);
    assert_int_equal(1, json_array_size(run.comparison->differences));
    const char *sentence = json_string_value(json_array_get(run.comparison->differences, 0));
    assert_non_null(strstr(sentence, "node1 has 0."));
    assert_non_null(strstr(sentence, "node2 has 1.2"));
    end(&run);
    /* Both faster, but by other amounts: they disagree, and the verdict is both's. */
    begin(&run, 0.6, 0.8, false);
    assert_int_equal(COMPARISON_LESS, run.comparison->cells[0].verdict);
    assert_int_equal(1, json_array_size(run.comparison->differences));
    end(&run);
}

static void what_ran_on_two_hosts_is_no_pair(void **state)
{
    (void)state;
    struct run run;
    begin(&run, 0.8, 0.8, true);
    assert_int_equal(ROUNDS - 1, run.comparison->cells[0].rounds);
    end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_that_agree_are_one_run),
        cmocka_unit_test(a_verdict_stands_only_where_it_stands_on_every_host),
        cmocka_unit_test(what_ran_on_two_hosts_is_no_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
