/* `heapmill compare` as a user runs it: its table, its JSON, its exit statuses. */
#include "results/tests/synthetic.h"

#include <sys/wait.h>

enum { OUTPUT_MAX = 16384 };

/* Seven rounds in which pools takes 0.62 of malloc's time and lists fails once if asked to. */
static void write_run(char directory[SYNTHETIC_PATH_MAX], const char *status)
{
    static const char *const ids[] = {
        "churn/size=64/t1/malloc:preload", "churn/size=64/t1/malloc:preload~1",
        "churn/size=64/t1/malloc:preload~2", "churn/size=64/t1/pools:inline",
        "churn/size=64/t1/lists:call"};
    static const double times_ns[] = {10, 10, 10, 6.2, 10};
    json_t *plan = synthetic_plan();
    for (int twin = 0; twin <= 2; twin++) {
        synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", twin);
    }
    synthetic_add_cell(plan, "churn", "steady", "pools", "inline", 0);
    synthetic_add_cell(plan, "churn", "steady", "lists", "call", 0);
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    for (int round = 0; round < 7; round++) {
        for (int i = 0; i < 5; i++) {
            double noise = 1 + 0.001 * ((round * 5 + i * 3) % 7);
            const char *word = i == 4 && round == 2 ? status : "ok";
            synthetic_append(store, synthetic_record(ids[i], round, word, times_ns[i] * noise));
        }
    }
    store_close(store);
}

/* Runs the program with both outputs in `output`; its exit status. */
static int compare(const char *directory, const char *arguments, char output[OUTPUT_MAX])
{
    char command[2 * SYNTHETIC_PATH_MAX];
    (void)snprintf(command, sizeof(command), "'%s' compare '%s' %s 2>&1", HEAPMILL_PROGRAM,
                   directory, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t length = fread(output, 1, OUTPUT_MAX - 1, pipe);
    output[length] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void assert_says(const char *output, const char *text)
{
    if (strstr(output, text) == NULL) {
        fail_msg("this does not say \"%s\":\n%s", text, output);
    }
}

static void test_the_table(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    write_run(directory, "ok");
    assert_int_equal(0, compare(directory, "-w 'ch*'", output));
    assert_says(output, "base: malloc:preload");
    assert_says(output, "arms: call, inline against preload");
    assert_says(output, "rounds: 7");
    assert_says(output, "set by 1 A/A pair of the run; A/A check: 0 of 1");
    assert_says(output, "filter: workloads ch*");
    assert_says(output, "no difference");
    assert_says(output, "geometric mean");
    assert_says(strstr(output, "pools"), "]  faster\n");
    assert_null(strchr(output, '\033')); /* no terminal, no colour */
    synthetic_remove(directory);
}

static void test_a_failed_cell_is_a_partial_result(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    write_run(directory, "crashed");
    assert_int_equal(4, compare(directory, "", output));
    assert_says(output, "failed (1 record)");
    assert_says(output, "incomplete: 0 of 1 cells");
    assert_int_equal(0, compare(directory, "-b '!lists'", output));
    synthetic_remove(directory);
}

static void test_json(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    write_run(directory, "ok");
    assert_int_equal(0, compare(directory, "--json --base lists:call", output));
    json_t *json = json_loads(output, 0, NULL);
    assert_non_null(json);
    const json_t *cells = json_object_get(json, "cells");
    assert_int_equal(2, json_array_size(cells));
    const json_t *pools = json_array_get(cells, 1);
    assert_string_equal("pools", json_string_value(json_object_get(pools, "backend")));
    assert_string_equal("faster", json_string_value(json_object_get(pools, "verdict")));
    assert_float_equal(0.62, json_real_value(json_object_get(pools, "ratio")), 0.01);
    json_decref(json);
    synthetic_remove(directory);
}

static void test_wrong_usage_names_its_remedy(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"--base nothing", "malloc:preload, pools:inline, lists:call"},
        {"--metric speed", "held_peak"},
        {"-w churm", "churn"},
        {"-b mimalloc", "pools:inline"},
        {"--seed x", "whole number"},
        {"--frobnicate", "--help"},
        {"another and-a-third", "one argument too many"},
        {"--fail-above many", "per cent"},
        {"--fail-above -1", "per cent"},
        {"--relative", "two runs"},
        {"--base", "wants a value"},
        {"--base :preload", "BACKEND:ARM"},
        {"--best-of malloc --base malloc", "without --base"},
        {"--best-of mimalloc", "malloc:preload, pools:inline"},
        {"--bar-cell none", "number"},
    };
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    write_run(directory, "ok");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(2, compare(directory, wrong[i][0], output));
        assert_says(output, wrong[i][1]);
    }
    assert_int_equal(2, compare("/nowhere", "", output));
    assert_says(output, "heapmill bench -o");
    synthetic_remove(directory);
}

static void test_damage_is_said_and_a_torn_end_is_noted(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    size_t size;
    write_run(directory, "ok");
    char *records = synthetic_read(directory, "records.jsonl", &size);
    synthetic_write(directory, "records.jsonl", records, size - 10);
    assert_int_equal(0, compare(directory, "", output));
    assert_says(output, "torn");
    assert_says(output, "rounds: 6");
    records[strcspn(records, "\n") + 5] = '{';
    synthetic_write(directory, "records.jsonl", records, size);
    assert_int_equal(3, compare(directory, "", output));
    assert_says(output, "records.jsonl line 2");
    free(records);
    synthetic_remove(directory);
}

/* Mine against the best of the rest, and bars. */
static void test_the_best_of_the_rest(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    write_run(directory, "ok");
    /* Of seven rounds three are judged, and they get no verdict. */
    assert_int_equal(4, compare(directory, "--best-of 'malloc,lists' --bar-cell 0.7", output));
    assert_says(output, "base: of each row the best of malloc,lists, picked by the even rounds");
    assert_says(output, "rounds: 3");
    assert_says(output, "could not be judged");
    assert_int_equal(0, compare(directory, "-b pools --bar-cell 0.65 --bar-mean 0.65", output));
    assert_int_equal(1, compare(directory, "-b pools --bar-mean 0.6", output));
    assert_says(output, "geometric mean of pools:inline: 0.62");
    assert_int_equal(1, compare(directory, "--bar-cell 0.65", output));
    assert_says(output, "1 bar is not met");
    synthetic_remove(directory);
}

/* The gate: against the base in one run, and between two. */
static void test_the_gate(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char other[SYNTHETIC_PATH_MAX];
    char arguments[SYNTHETIC_PATH_MAX + 64];
    char output[OUTPUT_MAX];
    write_run(directory, "ok");
    write_run(other, "ok");
    assert_int_equal(0, compare(directory, "--fail-above 1%", output));
    assert_int_equal(1, compare(directory, "--base pools --fail-above 50 -b lists", output));
    assert_says(output, "worse by more than 50%: 1 of 1 cells");
    assert_says(output, "churn/size=64/t1/lists:call: 1.6");
    assert_int_equal(0, compare(directory, "--base pools --fail-above 70% -b lists", output));
    (void)snprintf(arguments, sizeof(arguments), "'%s' --fail-above 1%%", other);
    assert_int_equal(0, compare(directory, arguments, output));
    assert_says(output, "not paired");
    assert_says(output, "before");
    (void)snprintf(arguments, sizeof(arguments), "'%s' --relative --json", other);
    assert_int_equal(0, compare(directory, arguments, output));
    assert_says(output, "\"base_run\"");
    assert_says(output, "\"relative\": true");
    /* What cannot be judged does not pass. */
    (void)snprintf(arguments, sizeof(arguments), "'%s' --metric instructions --fail-above 1%%",
                   other);
    assert_int_equal(4, compare(directory, arguments, output));
    assert_says(output, "could not be judged");
    synthetic_remove(other);
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table),
        cmocka_unit_test(test_a_failed_cell_is_a_partial_result),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_the_gate),
        cmocka_unit_test(test_the_best_of_the_rest),
        cmocka_unit_test(test_wrong_usage_names_its_remedy),
        cmocka_unit_test(test_damage_is_said_and_a_torn_end_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
