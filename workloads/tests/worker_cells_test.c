/* Every workload under every back end and arm: a short cell ends well, and all back ends agree on
 * what the workload did. */
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

/* Where only a share of what is alike is tested (SMALL_CELLS), further back ends have small cells;
 * default sizes take ten times as long, and are the malloc worker's there. Sanitized workers are
 * some ten times slower, and have no others. */
static bool cells_are_small = SMALL_CELLS;

/* Of the workloads, by number, one in CELLS_SHARE is this build's: sanitized, all of them take a
 * minute and a half. */
static bool cells_include(size_t number)
{
    return number % CELLS_SHARE == CELLS_FIRST;
}

static const char *live_of(const json_t *workload)
{
    size_t i;
    const json_t *parameter;
    if (!cells_are_small) {
        return NULL;
    }
    json_array_foreach(json_object_get(workload, "parameters"), i, parameter)
    {
        if (strcmp(worker_text(parameter, "name"), "live") == 0) {
            /* Of bytes as many as robson's largest block. */
            bool bytes = strcmp(worker_text(parameter, "unit"), "bytes") == 0;
            return bytes ? "live=65536" : "live=1024";
        }
        if (strcmp(worker_text(parameter, "name"), "n") == 0) {
            return "n=1024";
        }
    }
    return strcmp(worker_text(workload, "name"), "gcbench") == 0 ? "depth=4" : NULL;
}

/* A short cell of a workload with its default parameters. */
static json_t *run_cell(const char *worker, const json_t *workload, const char *pass,
                        const char *seed)
{
    const char *live = live_of(workload);
    bool single_shot = json_is_true(json_object_get(workload, "single_shot"));
    const char *const arguments[] = {"--cell",
                                     "--workload",
                                     worker_text(workload, "name"),
                                     "--iterations",
                                     single_shot ? "1" : "3",
                                     "--warmup",
                                     single_shot ? "0" : "1",
                                     "--seed",
                                     seed,
                                     "--pass",
                                     pass,
                                     "--samples",
                                     "40",
                                     live == NULL ? NULL : "--param",
                                     live,
                                     NULL};
    return worker_run_json(WORKER_DIRECTORY, worker, arguments, 0);
}

static json_t *describe(const char *worker)
{
    static const char *const arguments[] = {"--describe", NULL, NULL};
    return worker_run_json(WORKER_DIRECTORY, worker, arguments, 0);
}

/* ---------------------------------------------------------------- the time pass */
static void check_timed(const char *worker, const json_t *workload, const json_t *record)
{
    double allocations = worker_number(record, "allocations");
    if (strcmp(worker_text(record, "status"), "ok") != 0) {
        fail_msg("%s %s: %s", worker, worker_text(workload, "name"), worker_text(record, "reason"));
    }
    assert_string_equal(worker_text(record, "reason"), "");
    assert_true(allocations > 0 || strcmp(worker_text(workload, "family"), "collections") == 0);
    assert_true(allocations == worker_number(record, "allocations_expected"));
    assert_true(worker_number(record, "stray_allocations") == 0);
    assert_true(worker_number(record, "cpu_ns") > 0);
    assert_true(worker_number(record, "wall_ns") > 0);
    double per_operation = worker_number(record, "cpu_ns") / worker_number(record, "operations");
    assert_true(fabs(worker_number(record, "cpu_ns_per_op") / per_operation - 1) < 1e-9);
    assert_true(worker_number(record, "faults_minor") >= 0);
    assert_true(worker_number(record, "switches_involuntary") >= 0);
    assert_true(json_object_size(json_object_get(record, "libraries")) > 0);
    assert_non_null(json_object_get(record, "faults_major"));
    assert_non_null(json_object_get(record, "switches_voluntary"));
    bool objects = strcmp(worker_text(workload, "kind"), "objects") == 0;
    assert_int_equal(objects, json_object_get(record, "gc") != NULL);
    if (objects) {
        const json_t *gc = json_object_get(record, "gc");
        assert_int_equal(json_array_size(worker_array(gc, "collections")), 3);
        (void)worker_number(gc, "collected");
        (void)worker_number(gc, "objects_visited");
    }
}

struct comparison {
    const json_t *workload;
    json_t *expected; /* of the malloc worker */
};

static void compare_worker(const char *worker, void *context)
{
    const struct comparison *comparison = context;
    json_t *record = run_cell(worker, comparison->workload, "time", "7");
    if (strcmp(worker_text(record, "status"), "not_applicable") == 0) {
        /* Only because of what the back end is, and it says so. */
        assert_non_null(strstr(worker, "-sized"));
        assert_true(strlen(worker_text(record, "reason")) > 10);
    } else {
        check_timed(worker, comparison->workload, record);
        static const char *const same[] = {"params", "checksum", "allocations", "operations"};
        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
            if (!json_equal(json_object_get(record, same[i]),
                            json_object_get(comparison->expected, same[i]))) {
                fail_msg("%s and " MALLOC_WORKER " differ in the %s of %s", worker, same[i],
                         worker_text(comparison->workload, "name"));
            }
        }
    }
    json_decref(record);
}

static void test_all_back_ends_agree(void **state)
{
    (void)state;
    json_t *description = describe(MALLOC_WORKER);
    size_t i;
    struct comparison comparison;
    json_array_foreach(worker_array(description, "workloads"), i, comparison.workload)
    {
        if (!cells_include(i)) {
            continue;
        }
        comparison.expected = run_cell(MALLOC_WORKER, comparison.workload, "time", "7");
        worker_for_each(WORKERS, compare_worker, &comparison);
        json_decref(comparison.expected);
    }
    json_decref(description);
}

static void test_default_sizes(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    json_t *description = describe(MALLOC_WORKER);
    size_t i;
    const json_t *workload;
    bool small = cells_are_small;
    cells_are_small = false;
    json_array_foreach(worker_array(description, "workloads"), i, workload)
    {
        json_t *record = run_cell(MALLOC_WORKER, workload, "time", "7");
        check_timed(MALLOC_WORKER, workload, record);
        json_decref(record);
    }
    cells_are_small = small;
    json_decref(description);
}

static void test_seeds(void **state)
{
    (void)state;
    json_t *churn = json_pack("{s:s, s:b}", "name", "churn", "single_shot", 0);
    json_t *first = run_cell(MALLOC_WORKER, churn, "time", "1");
    json_t *again = run_cell(MALLOC_WORKER, churn, "time", "1");
    json_t *other = run_cell(MALLOC_WORKER, churn, "time", "2");
    assert_true(json_equal(json_object_get(first, "checksum"), json_object_get(again, "checksum")));
    assert_false(
        json_equal(json_object_get(first, "checksum"), json_object_get(other, "checksum")));
    json_decref(first);
    json_decref(again);
    json_decref(other);
    json_decref(churn);
}

/* ---------------------------------------------------------------- the memory pass */
static void check_series(const json_t *memory, const char *name, size_t length)
{
    char peak_name[64];
    double peak = 0;
    size_t i;
    const json_t *value;
    const json_t *series = worker_array(json_object_get(memory, "series"), name);
    assert_int_equal(json_array_size(series), length);
    json_array_foreach(series, i, value)
    {
        double bytes = json_number_value(value);
        peak = bytes > peak ? bytes : peak;
    }
    (void)snprintf(peak_name, sizeof(peak_name), "%s_peak", name);
    assert_true(worker_number(memory, peak_name) == peak);
}

static void check_labels(const json_t *memory, size_t length)
{
    size_t i;
    const json_t *label;
    json_array_foreach(worker_array(memory, "labels"), i, label)
    {
        assert_true(strlen(worker_text(label, "text")) > 0);
        assert_true(worker_number(label, "at") < (double)length);
    }
}

static void check_memory(const json_t *record)
{
    static const char *const ratios[] = {"mean", "at_live_peak", "at_held_peak", "peak_over_peak"};
    const json_t *memory = json_object_get(record, "memory");
    const json_t *fragmentation = json_object_get(memory, "fragmentation");
    const json_t *operations = worker_array(json_object_get(memory, "series"), "operations");
    size_t length = json_array_size(operations);
    assert_true(length >= 2);
    for (size_t i = 1; i < length; i++) {
        assert_true(json_number_value(json_array_get(operations, i)) >=
                    json_number_value(json_array_get(operations, i - 1)));
    }
    check_series(memory, "live_bytes", length);
    check_series(memory, "usable_bytes", length);
    check_series(memory, "held_bytes", length);
    check_series(memory, "held_smaps_bytes", length);
    check_series(memory, "rss_bytes", length);
    check_labels(memory, length);
    for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
        assert_true(worker_number(fragmentation, ratios[i]) >= 0);
    }
    const char *source = worker_text(memory, "held_source");
    assert_true(strcmp(source, "stats") == 0 || strcmp(source, "smaps") == 0);
    assert_null(json_object_get(record, "cpu_ns"));
}

static void probe_workloads(const char *probe, void *context)
{
    json_t *description = context;
    size_t i;
    const json_t *workload;
    json_array_foreach(worker_array(description, "workloads"), i, workload)
    {
        if (!cells_include(i)) {
            continue;
        }
        json_t *record = run_cell(probe, workload, "memory", "7");
        if (strcmp(worker_text(record, "status"), "ok") != 0) {
            fail_msg("%s %s: %s", probe, worker_text(workload, "name"),
                     worker_text(record, "reason"));
        }
        check_memory(record);
        json_decref(record);
    }
}

static void test_memory_of_all(void **state)
{
    (void)state;
    json_t *description = describe(MALLOC_WORKER);
    worker_for_each(PROBES, probe_workloads, description);
    json_decref(description);
}

/* A batch of n blocks has a known peak, and holds at least that. */
static void test_memory_of_a_batch(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* red zones and shadow memory are held too */
#endif
    static const char *const arguments[] = {
        "--cell",  "--workload", "batch",        "--param", "size=1000", "--param", "live=2e4",
        "--param", "heap=trim",  "--iterations", "5",       "--pass",    "memory",  NULL};
    json_t *record = worker_run_json(WORKER_DIRECTORY, MALLOC_PROBE, arguments, 0);
    const json_t *memory = json_object_get(record, "memory");
    const json_t *fragmentation = json_object_get(memory, "fragmentation");
    assert_true(worker_number(memory, "live_bytes_peak") == 2e7);
    assert_in_range((uintmax_t)worker_number(memory, "usable_bytes_peak"), 20000000, 22000000);
    double held = worker_number(memory, "held_smaps_bytes_peak");
    assert_true(held > 2e7 && held < 2.4e7);
    assert_true(worker_number(memory, "rss_bytes_peak") > held);
    assert_true(fabs(worker_number(fragmentation, "peak_over_peak") - held / 2e7) < 1e-9);
    assert_true(worker_number(fragmentation, "mean") >=
                worker_number(fragmentation, "at_live_peak"));
    size_t samples = json_array_size(worker_array(json_object_get(memory, "series"), "operations"));
    assert_in_range(samples, 100, 300);
    /* take, give back, in each of five iterations */
    assert_int_equal(json_array_size(worker_array(memory, "labels")), 10);
    json_decref(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_back_ends_agree),
        cmocka_unit_test(test_default_sizes),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_memory_of_all),
        cmocka_unit_test(test_memory_of_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
