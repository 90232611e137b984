/* The engine (plan, schedule, rounds, resume, budget) over an executor that starts no process
 * and has a clock of its own. */
#include "results/tests/synthetic.h"

#include "common/host/json.h"
#include "common/rng.h"
#include "run/experiment.h"
#include "run/plan.h"
#include "run/tests/mock_executor.h"

enum { GROUPS = 3, CHOICES = 3, TWINS = 2, ROUND_CELLS = GROUPS * (CHOICES + TWINS) };

static struct backend backends[CHOICES] = {{.name = "malloc"}, {.name = "pool"}, {.name = "list"}};
static const struct catalog_workload workloads[GROUPS] = {
    {.name = "one", .kind = "blocks", .family = "a"},
    {.name = "two", .kind = "blocks", .family = "a"},
    {.name = "three", .kind = "objects", .family = "b"}};

/* Three back ends on three workloads, with the twins of the first. */
static json_t *make_plan(const struct experiment *experiment, const struct executor *executor)
{
    struct selection_choice choices[CHOICES];
    struct selection_point points[GROUPS];
    for (size_t i = 0; i < CHOICES; i++) {
        choices[i] = (struct selection_choice){
            .backend = &backends[i], .arm = "inline", .env = json_object()};
        points[i] = (struct selection_point){
            .workload = &workloads[i], .params = json_object(), .threads = 1};
    }
    const struct selection selection = {
        .choices = choices, .choice_count = CHOICES, .points = points, .point_count = GROUPS};
    json_t *plan = plan_build(experiment, executor, &selection, 0);
    for (size_t i = 0; i < CHOICES; i++) {
        json_decref(choices[i].env);
        json_decref(points[i].params);
    }
    return plan;
}

static struct experiment ask(uint64_t rounds)
{
    return (struct experiment){.name = "mock",
                               .threads = "1",
                               .rounds = rounds,
                               .seed = 7,
                               .timeout_s = 10,
                               .target_ms = 1,
                               .passes = {[RECORD_TIME] = true},
                               .instruction_rounds = 2,
                               .latency_rounds = 1};
}

/* Starts the experiment in the directory, or goes on with it. */
static enum status run(struct mock_executor *mock, const struct experiment *experiment,
                       const char *directory, bool resume)
{
    struct store *store = NULL;
    struct error error = {.message = ""};
    double round_s = 0;
    json_t *plan = make_plan(experiment, &mock->executor);
    enum status status =
        resume ? experiment_resume(directory, plan, &mock->executor, &store, &round_s, &error)
               : experiment_start(directory, plan, &mock->executor, &store, &round_s, &error);
    json_decref(plan);
    if (status == STATUS_OK) {
        status = experiment_go_on(store, &mock->executor, round_s, &error);
    }
    if (status != STATUS_OK && status != STATUS_INTERRUPTED) {
        print_message("%s\n", error.message);
    }
    store_close(store);
    return status;
}

/* The log of a whole run in one go; the caller frees it. */
static char *run_whole(struct mock_executor *mock, const struct experiment *experiment)
{
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    assert_int_equal(run(mock, experiment, directory, false), STATUS_OK);
    synthetic_remove(directory);
    return text_format("%s", mock->log);
}

static char *run_default(const struct experiment *experiment, size_t *cells)
{
    struct mock_executor mock;
    mock_executor_open(&mock);
    char *log = run_whole(&mock, experiment);
    *cells = mock.cells;
    mock_executor_close(&mock);
    return log;
}

/* ---------------------------------------------------------------- order */

/* "time 3 two//t1/pool:inline": the group, of which the caller frees a copy. */
static char *group_of(const char *line)
{
    const char *id = strchr(strchr(line, ' ') + 1, ' ') + 1;
    return text_format("%.*s", (int)(strstr(id, "/t1") - id), id);
}

static void cells_of_a_group_run_next_to_each_other(void **state)
{
    (void)state;
    struct experiment experiment = ask(4);
    size_t cells = 0;
    char *log = run_default(&experiment, &cells);
    struct text_list lines = {0};
    text_split(&lines, log, '\n');
    assert_int_equal(cells, 4 * ROUND_CELLS);
    for (size_t i = 0; i < cells; i += CHOICES + TWINS) {
        char *first = group_of(lines.items[i]);
        for (size_t c = 1; c < CHOICES + TWINS; c++) {
            char *other = group_of(lines.items[i + c]);
            assert_string_equal(first, other);
            free(other);
        }
        free(first);
    }
    text_list_free(&lines);
    free(log);
}

/* The order is what earlier versions made of the seed: their directories are gone on with. */
static void the_order_is_the_seeds(void **state)
{
    (void)state;
    static const char known[] =
        "time 0 three//t1/malloc:inline~2\ntime 0 three//t1/pool:inline\n"
        "time 0 three//t1/malloc:inline\ntime 0 three//t1/list:inline\n"
        "time 0 three//t1/malloc:inline~1\ntime 0 two//t1/malloc:inline~1\n";
    struct experiment experiment = ask(2);
    size_t cells = 0;
    char *first = run_default(&experiment, &cells);
    char *again = run_default(&experiment, &cells);
    assert_string_equal(first, again);
    assert_memory_equal(first, known, strlen(known));
    experiment.seed = 8;
    char *other = run_default(&experiment, &cells);
    assert_string_not_equal(first, other);
    free(first);
    free(again);
    free(other);
}

/* ---------------------------------------------------------------- resume */

static void expect_each_cell_once(const char *directory, size_t rounds)
{
    struct record_set *set = NULL;
    struct error error;
    assert_int_equal(store_load(directory, &set, &error), STATUS_OK);
    assert_int_equal(set->record_count, rounds * ROUND_CELLS);
    assert_int_equal(set->note_count, 0);
    record_set_free(set);
}

/* Interrupted after every possible number of cells, and gone on with, it ends as one in one go. */
static void a_run_is_resumed_from_wherever_it_was_cut(void **state)
{
    (void)state;
    struct experiment experiment = ask(2);
    for (size_t cut = 1; cut < 2 * ROUND_CELLS; cut++) {
        char directory[SYNTHETIC_PATH_MAX];
        struct mock_executor mock;
        synthetic_directory(directory);
        mock_executor_open(&mock);
        mock.interrupt_after = cut;
        assert_int_equal(run(&mock, &experiment, directory, false), STATUS_INTERRUPTED);
        mock.interrupt_after = 0;
        assert_int_equal(run(&mock, &experiment, directory, true), STATUS_OK);
        /* Only the group that was cut short runs again. */
        assert_int_equal(mock.cells, 2 * ROUND_CELLS + cut % (CHOICES + TWINS));
        assert_int_equal(mock.calibrations, GROUPS);
        expect_each_cell_once(directory, 2);
        assert_int_equal(run(&mock, &experiment, directory, true), STATUS_OK);
        assert_int_equal(mock.cells, 2 * ROUND_CELLS + cut % (CHOICES + TWINS));
        mock_executor_close(&mock);
        synthetic_remove(directory);
    }
}

static void another_experiment_is_not_mixed_in(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct experiment experiment = ask(2);
    struct mock_executor mock;
    synthetic_directory(directory);
    mock_executor_open(&mock);
    assert_int_equal(run(&mock, &experiment, directory, false), STATUS_OK);
    assert_int_equal(run(&mock, &experiment, directory, false), STATUS_INVALID);
    experiment.seed = 8;
    assert_int_equal(run(&mock, &experiment, directory, true), STATUS_INVALID);
    mock_executor_close(&mock);
    synthetic_remove(directory);
}

/* ---------------------------------------------------------------- budget */
static void a_budget_is_spent_and_not_overspent(void **state)
{
    (void)state;
    struct experiment experiment = ask(0);
    struct mock_executor mock;
    experiment.budget_s = 4.5 * ROUND_CELLS; /* on the mock's clock */
    mock_executor_open(&mock);
    free(run_whole(&mock, &experiment));
    assert_int_equal(mock.cells, 4 * ROUND_CELLS);
    mock_executor_close(&mock);
    /* The first round runs whatever it costs. */
    experiment.budget_s = 1;
    mock_executor_open(&mock);
    free(run_whole(&mock, &experiment));
    assert_int_equal(mock.cells, ROUND_CELLS);
    mock_executor_close(&mock);
}

/* With both, rounds are the most, and the budget may end them before. What is made and calibrated
 * before the first round is of the budget. */
static void a_budget_ends_rounds_and_holds_what_comes_before(void **state)
{
    (void)state;
    struct experiment experiment = ask(6);
    struct mock_executor mock;
    experiment.budget_s = 4.5 * ROUND_CELLS;
    mock_executor_open(&mock);
    mock.begin_s = 1.5 * ROUND_CELLS;
    mock.calibration_s = 0.25 * ROUND_CELLS / GROUPS;
    free(run_whole(&mock, &experiment));
    assert_int_equal(mock.begins, 1);
    assert_int_equal(mock.cells, 2 * ROUND_CELLS); /* 1.75 before, and 2 of 2.75 */
    mock_executor_close(&mock);
    experiment.budget_s = 7 * ROUND_CELLS;
    mock_executor_open(&mock);
    free(run_whole(&mock, &experiment));
    assert_int_equal(mock.cells, 6 * ROUND_CELLS);
    mock_executor_close(&mock);
}

/* The memory pass may have two fifths of it, and a round in any case. */
static void a_budget_is_kept_by_the_other_passes(void **state)
{
    (void)state;
    static const struct {
        double rounds; /* of the time pass, that the budget has room for */
        size_t memory;
        size_t time;
    } cases[] = {{10, 6, 6}, {5, 3, 3}, {1, 1, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct experiment experiment = ask(0);
        struct mock_executor mock;
        experiment.passes[RECORD_MEMORY] = true;
        experiment.memory_rounds = 6;
        experiment.budget_s = cases[i].rounds * ROUND_CELLS + 0.5;
        mock_executor_open(&mock);
        free(run_whole(&mock, &experiment));
        assert_int_equal(mock.cells,
                         cases[i].memory * GROUPS * CHOICES + cases[i].time * ROUND_CELLS);
        mock_executor_close(&mock);
    }
}

/* Groups whose set-up would fill the rounds have fewer, and no memory pass, by what the median
 * group takes: on a machine of half the speed they are the same ones. */
static void heavy_groups_have_fewer_rounds(void **state)
{
    (void)state;
    for (double scale = 1; scale < 5; scale += 3) {
        struct experiment experiment = ask(6);
        struct mock_executor mock;
        experiment.passes[RECORD_MEMORY] = true;
        experiment.memory_rounds = 1;
        experiment.rounds_heavy = 2;
        mock_executor_open(&mock);
        mock.calibration_s = scale;
        mock.heavy = "two";
        mock.heavy_s = 5 * scale;
        char *log = run_whole(&mock, &experiment);
        assert_non_null(strstr(log, "time 5 one/"));
        assert_non_null(strstr(log, "time 1 two/"));
        assert_null(strstr(log, "time 2 two/"));
        assert_non_null(strstr(log, "memory 0 one/"));
        assert_null(strstr(log, "memory 0 two/"));
        free(log);
        mock.heavy_s = 2 * scale; /* no more than other groups may */
        log = run_whole(&mock, &experiment);
        assert_non_null(strstr(log, "memory 0 two/"));
        free(log);
        mock_executor_close(&mock);
    }
}

/* What earlier sessions took counts, and a round that was cut short is completed. */
static void a_budget_is_that_of_all_sessions(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct experiment experiment = ask(0);
    struct mock_executor mock;
    experiment.budget_s = 4.5 * ROUND_CELLS;
    synthetic_directory(directory);
    mock_executor_open(&mock);
    mock.interrupt_after = 2 * ROUND_CELLS + CHOICES + TWINS;
    assert_int_equal(run(&mock, &experiment, directory, false), STATUS_INTERRUPTED);
    mock.interrupt_after = 0;
    mock.now_ns += UINT64_C(1000000000000); /* between sessions: not of the budget */
    assert_int_equal(run(&mock, &experiment, directory, true), STATUS_OK);
    assert_int_equal(mock.cells, 4 * ROUND_CELLS);
    mock_executor_close(&mock);
    synthetic_remove(directory);
}

/* ---------------------------------------------------------------- adaptive rounds */

/* "one" is without noise, the others are not. */
static double cost_noisy(const struct executor_cell *asked)
{
    struct rng rng;
    uint64_t mixed = asked->seed;
    for (const char *c = json_text_at(asked->cell, "id", ""); *c != '\0'; c++) {
        mixed = mixed * 131 + (unsigned char)*c;
    }
    rng_seed(&rng, mixed);
    bool quiet = strcmp(json_text_at(asked->cell, "workload", ""), "one") == 0;
    return quiet ? 10 : 10 + 5 * rng_uniform(&rng);
}

static void narrow_groups_stop_at_the_first_look(void **state)
{
    (void)state;
    struct experiment experiment = ask(0);
    struct mock_executor mock;
    experiment.precision = 0.01;
    mock_executor_open(&mock);
    mock.cost_ns = cost_noisy;
    char *log = run_whole(&mock, &experiment);
    assert_null(strstr(log, "time 10 one/"));
    assert_non_null(strstr(log, "time 9 one/"));
    assert_non_null(strstr(log, "time 69 two/"));
    assert_null(strstr(log, "time 70 "));
    free(log);
    mock_executor_close(&mock);
}

/* ---------------------------------------------------------------- passes */
static void each_pass_has_its_cells_and_rounds(void **state)
{
    (void)state;
    struct experiment experiment = ask(1);
    experiment.passes[RECORD_MEMORY] = true;
    experiment.passes[RECORD_INSTRUCTIONS] = true;
    experiment.passes[RECORD_LATENCY] = true;
    size_t cells = 0;
    char *log = run_default(&experiment, &cells);
    /* Twins have neither memory nor counts; counts have two rounds. */
    assert_int_equal(cells, 2 * ROUND_CELLS + 3 * GROUPS * CHOICES);
    assert_null(strstr(log, "memory 1"));
    assert_non_null(strstr(log, "instructions 1"));
    assert_true(strstr(log, "memory 0") < strstr(log, "time 0"));
    free(log);
}

/* Only where nothing is timed, a group at a time, and resumed as ever. */
static void memory_is_measured_side_by_side(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct experiment experiment = ask(1);
    struct mock_executor mock;
    experiment.passes[RECORD_MEMORY] = true;
    experiment.memory_rounds = 2;
    synthetic_directory(directory);
    mock_executor_open(&mock);
    mock.executor.run_beside = mock_run_beside;
    mock.interrupt_after = CHOICES + 1; /* in the second group */
    assert_int_equal(run(&mock, &experiment, directory, false), STATUS_INTERRUPTED);
    mock.interrupt_after = 0;
    mock.cells = 0;
    mock.now_ns = 0;
    assert_int_equal(run(&mock, &experiment, directory, true), STATUS_OK);
    assert_int_equal(mock.beside_most, CHOICES);
    assert_int_equal(mock.cells, (2 * GROUPS - 1) * CHOICES + ROUND_CELLS);
    assert_int_equal(mock.now_ns / 1000000000, 2 * GROUPS - 1 + ROUND_CELLS);
    mock_executor_close(&mock);
    synthetic_remove(directory);
}

/* ---------------------------------------------------------------- records */

static json_t *read_record(const char *directory, const char *cell)
{
    struct record_set *set = NULL;
    struct error error;
    json_t *found = NULL;
    assert_int_equal(store_load(directory, &set, &error), STATUS_OK);
    for (size_t i = 0; i < set->record_count && found == NULL; i++) {
        json_t *record = NULL;
        assert_int_equal(record_set_read(set, i, &record, &error), STATUS_OK);
        if (strcmp(json_text_at(record, "cell", ""), cell) == 0) {
            found = json_incref(record);
        }
        json_decref(record);
    }
    record_set_free(set);
    assert_non_null(found);
    return found;
}

static void what_failed_is_recorded_without_figures(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct experiment experiment = ask(1);
    struct mock_executor mock;
    synthetic_directory(directory);
    mock_executor_open(&mock);
    mock.failing = "two//t1/pool";
    mock.differing = "list";
    assert_int_equal(run(&mock, &experiment, directory, false), STATUS_OK);
    expect_each_cell_once(directory, 1);
    json_t *record = read_record(directory, "two//t1/pool:inline");
    assert_string_equal(json_text_at(record, "status", ""), "crashed");
    assert_string_equal(json_text_at(record, "reason", ""), "the mock says so");
    assert_null(json_object_get(record, "cpu_ns_per_op"));
    assert_non_null(json_object_get(record, "stderr"));
    json_decref(record);
    record = read_record(directory, "one//t1/malloc:inline");
    json_t *other = read_record(directory, "one//t1/list:inline");
    /* Whichever of the group runs first sets the checksum. */
    bool first = strcmp(json_text_at(record, "status", ""), "ok") == 0;
    json_t *failed = first ? other : record;
    assert_string_equal(json_text_at(failed, "status", ""), "failed");
    assert_non_null(strstr(json_text_at(failed, "reason", ""), "the checksum is"));
    assert_null(json_object_get(failed, "cpu_ns_per_op"));
    json_decref(record);
    json_decref(other);
    mock_executor_close(&mock);
    synthetic_remove(directory);
}

static void a_record_says_where_it_was_made(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char name[256] = "";
    struct experiment experiment = ask(1);
    struct mock_executor mock;
    synthetic_directory(directory);
    mock_executor_open(&mock);
    assert_int_equal(run(&mock, &experiment, directory, false), STATUS_OK);
    assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
    json_t *record = read_record(directory, "two//t1/pool:inline");
    assert_string_equal(json_text_at(record, "host", ""), name);
    assert_string_equal(json_text_at(record, "collector", "none"), "");
    json_decref(record);
    mock_executor_close(&mock);
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_of_a_group_run_next_to_each_other),
        cmocka_unit_test(the_order_is_the_seeds),
        cmocka_unit_test(a_run_is_resumed_from_wherever_it_was_cut),
        cmocka_unit_test(another_experiment_is_not_mixed_in),
        cmocka_unit_test(a_budget_is_spent_and_not_overspent),
        cmocka_unit_test(a_budget_is_that_of_all_sessions),
        cmocka_unit_test(a_budget_ends_rounds_and_holds_what_comes_before),
        cmocka_unit_test(a_budget_is_kept_by_the_other_passes),
        cmocka_unit_test(heavy_groups_have_fewer_rounds),
        cmocka_unit_test(memory_is_measured_side_by_side),
        cmocka_unit_test(narrow_groups_stop_at_the_first_look),
        cmocka_unit_test(each_pass_has_its_cells_and_rounds),
        cmocka_unit_test(what_failed_is_recorded_without_figures),
        cmocka_unit_test(a_record_says_where_it_was_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
