/* Collectors chosen by --collector, what a record says of them, and the reference workers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "workloads/tests/worker_process.h"

#define MALLOC_WORKER "heapmill-run-malloc"
#define MALLOC_PROBE "heapmill-probe-malloc"

static json_t *describe(const char *worker)
{
    static const char *const arguments[] = {"--describe", NULL};
    return worker_run_json(WORKER_DIRECTORY, worker, arguments, 0);
}

/* A cell of one iteration, small; collector NULL: not said. */
static json_t *run_cell(const char *worker, const char *workload, const char *param,
                        const char *collector, const char *pass)
{
    const char *arguments[] = {"--cell", "--workload", workload, "--iterations", "1",   "--seed",
                               "7",      "--pass",     pass,     "--param",      param, NULL,
                               NULL,     NULL};
    if (collector != NULL) {
        arguments[11] = "--collector";
        arguments[12] = collector;
    }
    json_t *record = worker_run_json(WORKER_DIRECTORY, worker, arguments, 0);
    if (strcmp(worker_text(record, "status"), "failed") == 0) {
        fail_msg("%s %s %s: %s", worker, workload, collector == NULL ? "" : collector,
                 worker_text(record, "reason"));
    }
    return record;
}

static double sum_of_collections(const json_t *gc)
{
    double sum = 0;
    size_t i;
    const json_t *count;
    json_array_foreach(worker_array(gc, "collections"), i, count)
    {
        sum += json_number_value(count);
    }
    return sum;
}

/* Under every collector the program computes the same, and no object is left. */
static void test_every_collector_runs(void **state)
{
    (void)state;
    static const char *const cells[][2] = {{"cyclic_graph", "live=3000"},
                                           {"live_heap_growth", "live=20000"},
                                           {"append_then_drop", "n=20000"},
                                           {"dead_shuffled", "n=5000"}};
    json_t *description = describe(MALLOC_WORKER);
    const json_t *collectors = worker_array(description, "collectors");
    assert_true(json_array_size(collectors) >= 4);
    for (size_t c = 0; c < sizeof(cells) / sizeof(cells[0]); c++) {
        json_t *expected = run_cell(MALLOC_WORKER, cells[c][0], cells[c][1], NULL, "time");
        size_t i;
        const json_t *collector;
        json_array_foreach(collectors, i, collector)
        {
            const char *name = worker_text(collector, "name");
            json_t *record = run_cell(MALLOC_WORKER, cells[c][0], cells[c][1], name, "time");
            const json_t *gc = json_object_get(record, "gc");
            assert_string_equal(worker_text(gc, "collector"), name);
            if (json_is_true(json_object_get(collector, "default"))) {
                assert_string_equal(worker_text(json_object_get(expected, "gc"), "collector"),
                                    name);
            }
            if (!json_equal(json_object_get(record, "checksum"),
                            json_object_get(expected, "checksum"))) {
                fail_msg("%s under %s has another checksum", cells[c][0], name);
            }
            const json_t *pauses = json_object_get(gc, "pauses");
            /* Every collection ends in a pause of its own; incremental ones have further pauses. */
            if (strncmp(name, "generational", strlen("generational")) == 0) {
                assert_true(worker_number(pauses, "count") == sum_of_collections(gc));
            }
            assert_true(worker_number(pauses, "count") >= sum_of_collections(gc));
            assert_true(worker_number(pauses, "max_ns") <= worker_number(pauses, "cpu_ns"));
            json_decref(record);
        }
        json_decref(expected);
    }
    json_decref(description);
}

/* What floats is what the workload let go of until the collection, which frees all of it. */
static void test_floating_garbage(void **state)
{
    (void)state;
    json_t *record = run_cell(MALLOC_WORKER, "dead_shuffled", "n=5000", NULL, "time");
    const json_t *gc = json_object_get(record, "gc");
    const json_t *floating = json_object_get(gc, "floating");
    assert_true(worker_number(gc, "collected") == 5000);
    assert_true(worker_number(gc, "visited_per_freed") == 1);
    assert_true(worker_number(floating, "died") == 5000);
    assert_true(worker_number(floating, "objects_peak") == 5000);
    assert_true(worker_number(floating, "objects_end") == 0);
    assert_true(worker_number(floating, "age_max") == 0); /* no allocation in between */
    const json_t *pauses = json_object_get(gc, "pauses");
    assert_true(worker_number(pauses, "count") == 1);
    assert_true(worker_number(pauses, "visited_max") == 5000);
    json_decref(record);

    /* Nothing is ever found without a collector. */
    record = run_cell(MALLOC_WORKER, "live_heap_growth", "live=10000", "none", "time");
    gc = json_object_get(record, "gc");
    floating = json_object_get(gc, "floating");
    assert_true(worker_number(floating, "died") == 4000);
    assert_true(worker_number(floating, "objects_end") == 4000);
    assert_true(worker_number(json_object_get(gc, "pauses"), "count") == 0);
    /* So no age has ended: what is known is that the oldest is as old as the run, more or less. */
    assert_true(worker_number(floating, "ages") == 0);
    assert_true(worker_number(floating, "ages_cut") > 0);
    assert_true(worker_number(floating, "age_max") > 0);
    assert_null(json_object_get(floating, "age_p50"));
    json_decref(record);
}

/* The memory pass draws the same as a series, in bytes. */
static void test_uncollected_series(void **state)
{
    (void)state;
    json_t *record = run_cell(MALLOC_PROBE, "live_heap_growth", "live=20000", "none", "memory");
    const json_t *memory = json_object_get(record, "memory");
    const json_t *series = json_object_get(memory, "series");
    const json_t *uncollected = worker_array(series, "uncollected_bytes");
    size_t length = json_array_size(uncollected);
    assert_int_equal(length, json_array_size(worker_array(series, "operations")));
    const json_t *floating = json_object_get(json_object_get(record, "gc"), "floating");
    assert_true(json_number_value(json_array_get(uncollected, 0)) == 0);
    assert_true(json_number_value(json_array_get(uncollected, length - 1)) ==
                worker_number(floating, "bytes_peak"));
    assert_true(worker_number(floating, "bytes_peak") > 0);
    json_decref(record);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[8];
        const char *message;
    } refused[] = {
        {{"--cell", "--workload", "cyclic_graph", "--iterations", "1", "--collector", "magic",
          NULL},
         "generational-700"},
        {{"--cell", "--workload", "churn", "--iterations", "1", "--collector", "none", NULL},
         "has no objects"},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct worker_outcome outcome =
            worker_run(WORKER_DIRECTORY, MALLOC_WORKER, refused[i].arguments, NULL);
        assert_int_equal(outcome.exit_code, 2);
        assert_non_null(strstr(outcome.errors, refused[i].message));
        worker_outcome_free(&outcome);
    }
}

/* ---------------------------------------------------------------- references */
static void check_reference_workload(const char *worker, const char *name)
{
    static const char *const sizes[][2] = {
        {"n", "n=2000"}, {"live", "live=2000"}, {"depth", "depth=6"}};
    json_t *description = describe(worker);
    size_t i;
    const json_t *workload;
    const char *param = NULL;
    json_array_foreach(worker_array(description, "workloads"), i, workload)
    {
        if (strcmp(worker_text(workload, "name"), name) != 0) {
            continue;
        }
        size_t j;
        const json_t *parameter;
        json_array_foreach(worker_array(workload, "parameters"), j, parameter)
        {
            for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
                if (strcmp(worker_text(parameter, "name"), sizes[k][0]) == 0) {
                    param = sizes[k][1];
                }
            }
        }
    }
    assert_non_null(param);
    json_t *ours = run_cell(MALLOC_WORKER, name, param, NULL, "time");
    json_t *theirs = run_cell(worker, name, param, NULL, "time");
    static const char *const same[] = {"params", "checksum", "operations", "iterations"};
    for (size_t k = 0; k < sizeof(same) / sizeof(same[0]); k++) {
        if (!json_equal(json_object_get(ours, same[k]), json_object_get(theirs, same[k]))) {
            fail_msg("%s and ours differ in the %s of %s", worker, same[k], name);
        }
    }
    assert_string_equal(worker_text(theirs, "arm"), "own");
    json_decref(ours);
    json_decref(theirs);
    json_decref(description);
}

static void check_reference(const char *worker, void *context)
{
    int *checked = context;
    json_t *description = describe(worker);
    size_t i;
    const json_t *workload;
    json_array_foreach(worker_array(description, "workloads"), i, workload)
    {
        const char *name = worker_text(workload, "name");
        if (strncmp(worker, "heapmill-probe-", strlen("heapmill-probe-")) != 0) {
            check_reference_workload(worker, name);
            ++*checked;
        }
    }
    json_decref(description);
}

static void test_references_compute_the_same(void **state)
{
    (void)state;
    int checked = 0;
    worker_for_each(REFERENCES, check_reference, &checked);
    if (checked == 0) {
        print_message("no reference in this build: scripts/install\n");
        skip();
    }
}

/* CPython's collector of that version and ours under its policy are triggered alike, collection for
 * collection. */
static void check_triggers(const char *worker, const char *policy)
{
    static const char *const cells[][2] = {{"live_heap_growth", "live=100000"},
                                           {"append_then_drop", "n=100000"}};
    static const char *const same[] = {"collections", "collected"};
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        json_t *ours = run_cell(MALLOC_WORKER, cells[i][0], cells[i][1], policy, "time");
        json_t *theirs = run_cell(worker, cells[i][0], cells[i][1], NULL, "time");
        for (size_t k = 0; k < sizeof(same) / sizeof(same[0]); k++) {
            const json_t *ours_said = json_object_get(json_object_get(ours, "gc"), same[k]);
            const json_t *theirs_said = json_object_get(json_object_get(theirs, "gc"), same[k]);
            if (!json_equal(ours_said, theirs_said)) {
                char *left = json_dumps(ours_said, JSON_ENCODE_ANY | JSON_COMPACT);
                char *right = json_dumps(theirs_said, JSON_ENCODE_ANY | JSON_COMPACT);
                fail_msg("%s, %s: ours under %s %s, %s %s", cells[i][0], same[k], policy, left,
                         worker, right);
            }
        }
        json_decref(ours);
        json_decref(theirs);
    }
}

static void check_reference_triggers(const char *worker, void *context)
{
    static const char prefix[] = "heapmill-run-cpython-objects-3.";
    int *checked = context;
    if (strncmp(worker, prefix, strlen(prefix)) == 0) {
        long minor = strtol(worker + strlen(prefix), NULL, 10);
        check_triggers(worker, minor <= 12   ? "generational-700"
                               : minor == 13 ? "generational-2000"
                                             : "incremental");
        ++*checked;
    }
}

static void test_cpython_is_triggered_alike(void **state)
{
    (void)state;
    int checked = 0;
    worker_for_each(REFERENCES, check_reference_triggers, &checked);
    if (checked == 0) {
        print_message("no cpython-objects in this build: scripts/install\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_collector_runs),
        cmocka_unit_test(test_floating_garbage),
        cmocka_unit_test(test_uncollected_series),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_references_compute_the_same),
        cmocka_unit_test(test_cpython_is_triggered_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
