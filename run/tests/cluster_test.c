/* A run that is split into tasks and merged, over an executor that starts no process: the same
 * cells with the same seeds as in one run, whatever is cut short. Slurm itself is in
 * scripts/tests/slurm_test.sh. */
#include "results/tests/synthetic.h"

#include "common/host/journal.h"
#include "common/host/json.h"
#include "run/cluster.h"
#include "run/experiment.h"
#include "run/plan.h"
#include "run/tests/mock_executor.h"

enum { GROUPS = 5, CHOICES = 2, TWINS = 2, ROUNDS = 3, TASKS = 2 };

static struct backend backends[CHOICES] = {{.name = "malloc"}, {.name = "pool"}};
static struct catalog_workload workloads[GROUPS] = {
    {.name = "one", .kind = "blocks", .family = "a"},
    {.name = "two", .kind = "blocks", .family = "a"},
    {.name = "three", .kind = "blocks", .family = "b"},
    {.name = "four", .kind = "blocks", .family = "b"},
    {.name = "five", .kind = "blocks", .family = "b"}};

static json_t *make_plan(const struct executor *executor)
{
    struct selection_choice choices[CHOICES];
    struct selection_point points[GROUPS];
    const struct experiment experiment = {.name = "mock",
                                          .threads = "1",
                                          .rounds = ROUNDS,
                                          .seed = 7,
                                          .timeout_s = 10,
                                          .target_ms = 1,
                                          .passes = {[RECORD_TIME] = true, [RECORD_MEMORY] = true},
                                          .memory_rounds = 1};
    for (size_t i = 0; i < CHOICES; i++) {
        choices[i] = (struct selection_choice){
            .backend = &backends[i], .arm = "inline", .env = json_object()};
    }
    for (size_t i = 0; i < GROUPS; i++) {
        points[i] = (struct selection_point){
            .workload = &workloads[i], .params = json_object(), .threads = 1};
    }
    const struct selection selection = {
        .choices = choices, .choice_count = CHOICES, .points = points, .point_count = GROUPS};
    json_t *plan = plan_build(&experiment, executor, &selection, 0);
    for (size_t i = 0; i < CHOICES; i++) {
        json_decref(choices[i].env);
    }
    for (size_t i = 0; i < GROUPS; i++) {
        json_decref(points[i].params);
    }
    return plan;
}

/* cluster.json, as the submitting side leaves it. */
static void put_cluster(const char *directory, const json_t *plan)
{
    assert_int_equal(0, mkdir(directory, 0777));
    json_t *cluster = json_pack("{ss ss ss si sO s[]}", "format", "heapmill-cluster-1", "engine",
                                "slurm", "name", "n", "tasks", TASKS, "plan", plan, "sbatch");
    char *text = json_dumps(cluster, 0);
    synthetic_write(directory, "cluster.json", text, strlen(text));
    free(text);
    json_decref(cluster);
    assert_true(cluster_is_there(directory));
}

static enum status run_task(const char *directory, size_t task, size_t interrupt_after)
{
    struct mock_executor mock;
    struct error error = {.message = ""};
    mock_executor_open(&mock);
    mock.interrupt_after = interrupt_after;
    enum status status = cluster_run_task(directory, task, &mock.executor, &error);
    if (status != STATUS_OK && status != STATUS_INTERRUPTED) {
        print_message("%s\n", error.message);
    }
    mock_executor_close(&mock);
    return status;
}

static bool merge(const char *directory)
{
    struct error error = {.message = ""};
    bool complete = false;
    enum status status = cluster_merge(directory, &complete, &error);
    if (status != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    return complete;
}

/* Adds "PASS ROUND CELL SEED CHECKSUM" to the object, once. */
static enum status add_key(void *context, const struct journal_line *line, struct error *error)
{
    json_t *keys = context;
    char key[512];
    (void)error;
    (void)snprintf(key, sizeof(key), "%s %d %s %lld %lld", json_text_at(line->json, "pass", ""),
                   (int)json_count_at(line->json, "round", 99),
                   json_text_at(line->json, "cell", ""),
                   (long long)json_count_at(line->json, "seed", 0),
                   (long long)json_count_at(line->json, "checksum", 0));
    assert_null(json_object_get(keys, key)); /* nothing is doubled */
    assert_int_equal(json_object_size(keys), json_count_at(line->json, "sequence", 9999));
    (void)json_object_set_new(keys, key, json_true());
    return STATUS_OK;
}

static json_t *read_keys(const char *directory)
{
    json_t *keys = json_object();
    struct error error;
    assert_int_equal(STATUS_OK,
                     journal_read(&record_journal, directory, add_key, keys, NULL, NULL, &error));
    return keys;
}

/* What one run on one machine has. */
static json_t *read_local(const json_t *plan)
{
    char directory[SYNTHETIC_PATH_MAX];
    struct mock_executor mock;
    struct store *store = NULL;
    struct error error;
    double round_s = 0;
    json_t *own = json_deep_copy(plan);
    synthetic_directory(directory);
    mock_executor_open(&mock);
    assert_int_equal(STATUS_OK,
                     experiment_start(directory, own, &mock.executor, &store, &round_s, &error));
    assert_int_equal(STATUS_OK, experiment_go_on(store, &mock.executor, round_s, &error));
    store_close(store);
    mock_executor_close(&mock);
    json_decref(own);
    json_t *keys = read_keys(directory);
    synthetic_remove(directory);
    return keys;
}

static void begin(char directory[SYNTHETIC_PATH_MAX], json_t **plan)
{
    struct mock_executor mock;
    mock_executor_open(&mock);
    *plan = make_plan(&mock.executor);
    mock_executor_close(&mock);
    synthetic_directory(directory);
    put_cluster(directory, *plan);
}

static void shares_have_every_group_once(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    json_t *plan;
    begin(directory, &plan);
    size_t cells = 0;
    for (size_t task = 0; task < TASKS; task++) {
        json_t *share = cluster_share(plan, TASKS, task);
        cells += json_array_size(json_object_get(share, "cells"));
        assert_int_equal(task == 0 ? 3 : 2, plan_count_groups(share));
        json_decref(share);
    }
    assert_int_equal(GROUPS * (CHOICES + TWINS), cells);
    json_decref(plan);
    synthetic_remove(directory);
}

static void tasks_measure_what_one_run_would(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    json_t *plan;
    struct record_set *set = NULL;
    struct error error;
    begin(directory, &plan);
    assert_false(merge(directory)); /* nothing has begun */
    assert_int_equal(STATUS_OK, run_task(directory, 1, 0));
    assert_false(merge(directory)); /* half of it, which can be looked at */
    assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
    assert_int_equal(2 * (CHOICES + TWINS), set->cell_count);
    record_set_free(set);
    assert_int_equal(STATUS_OK, run_task(directory, 0, 0));
    assert_true(merge(directory));
    json_t *merged = read_keys(directory);
    json_t *local = read_local(plan);
    assert_int_equal(GROUPS * ((CHOICES + TWINS) * ROUNDS + CHOICES), json_object_size(merged));
    assert_true(json_equal(merged, local));
    /* Again, and nothing changes; a task that is run again has nothing to do. */
    assert_int_equal(STATUS_OK, run_task(directory, 0, 1));
    assert_true(merge(directory));
    json_t *again = read_keys(directory);
    assert_true(json_equal(again, local));
    json_decref(again);
    json_decref(merged);
    json_decref(local);
    json_decref(plan);
    synthetic_remove(directory);
}

static void a_task_that_is_cut_short_anywhere_goes_on(void **state)
{
    (void)state;
    for (size_t after = 1; after < 24; after += 3) {
        char directory[SYNTHETIC_PATH_MAX];
        json_t *plan;
        begin(directory, &plan);
        assert_int_equal(STATUS_INTERRUPTED, run_task(directory, 0, after));
        assert_int_equal(STATUS_OK, run_task(directory, 1, 0));
        assert_false(merge(directory));
        assert_int_equal(STATUS_OK, run_task(directory, 0, 0));
        assert_true(merge(directory));
        json_t *merged = read_keys(directory);
        json_t *local = read_local(plan);
        assert_true(json_equal(merged, local));
        json_decref(merged);
        json_decref(local);
        json_decref(plan);
        synthetic_remove(directory);
    }
}

static void records_of_another_kind_of_machine_are_set_aside(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char own[SYNTHETIC_PATH_MAX];
    json_t *plan;
    begin(directory, &plan);
    assert_int_equal(STATUS_INTERRUPTED, run_task(directory, 0, 5));
    synthetic_file(own, directory, "tasks/0");
    char *text = synthetic_read(own, "plan.json", NULL);
    json_t *moved = json_loads(text, 0, NULL);
    (void)json_object_set_new(json_object_get(moved, "host"), "cpu", json_string("another"));
    free(text);
    text = json_dumps(moved, 0);
    synthetic_write(own, "plan.json", text, strlen(text));
    free(text);
    json_decref(moved);
    assert_int_equal(STATUS_OK, run_task(directory, 0, 0));
    assert_int_equal(STATUS_OK, run_task(directory, 1, 0));
    assert_true(merge(directory));
    synthetic_file(own, directory, "tasks/0.aside.1/records.jsonl");
    assert_int_equal(0, access(own, F_OK));
    json_t *merged = read_keys(directory);
    json_t *local = read_local(plan);
    assert_true(json_equal(merged, local));
    json_decref(merged);
    json_decref(local);
    json_decref(plan);
    synthetic_remove(directory);
}

static void a_task_that_says_done_without_its_records_is_not_complete(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char own[SYNTHETIC_PATH_MAX];
    json_t *plan;
    size_t size = 0;
    begin(directory, &plan);
    assert_int_equal(STATUS_OK, run_task(directory, 0, 0));
    assert_int_equal(STATUS_OK, run_task(directory, 1, 0));
    synthetic_file(own, directory, "tasks/1");
    char *text = synthetic_read(own, "records.jsonl", &size);
    synthetic_write(own, "records.jsonl", text, size / 2);
    free(text);
    assert_false(merge(directory));
    json_decref(plan);
    synthetic_remove(directory);
}

static void a_task_that_is_none_is_refused(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    json_t *plan;
    begin(directory, &plan);
    assert_int_equal(STATUS_INVALID, run_task(directory, TASKS, 0));
    json_decref(plan);
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_have_every_group_once),
        cmocka_unit_test(tasks_measure_what_one_run_would),
        cmocka_unit_test(a_task_that_is_cut_short_anywhere_goes_on),
        cmocka_unit_test(records_of_another_kind_of_machine_are_set_aside),
        cmocka_unit_test(a_task_that_says_done_without_its_records_is_not_complete),
        cmocka_unit_test(a_task_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
