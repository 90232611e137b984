/* The runner notices every rule that a workload breaks, and an honest one passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workloads/tests/worker_process.h"

static json_t *run_broken(const char *worker, const char *workload, const char *pass, int exit_code)
{
    const char *const arguments[] = {"--cell", "--workload",   workload, "--seed",
                                     "1",      "--iterations", "10",     "--warmup",
                                     "0",      "--pass",       pass,     NULL};
    return worker_run_json(BROKEN_DIRECTORY, worker, arguments, exit_code);
}

/* The cell has failed for this reason, and no figure of it can be taken for a result. */
static void expect_failure(const char *worker, const char *workload, const char *pass,
                           const char *reason)
{
    json_t *record = run_broken(worker, workload, pass, 1);
    assert_string_equal(worker_text(record, "status"), "failed");
    if (strstr(worker_text(record, "reason"), reason) == NULL) {
        fail_msg("%s: '%s' does not say '%s'", workload, worker_text(record, "reason"), reason);
    }
    assert_null(json_object_get(record, "cpu_ns"));
    assert_null(json_object_get(record, "cpu_ns_per_op"));
    assert_null(json_object_get(record, "memory"));
    json_decref(record);
}

static void test_honest(void **state)
{
    (void)state;
    json_t *record = run_broken("workloads-broken_worker", "honest", "time", 0);
    assert_string_equal(worker_text(record, "status"), "ok");
    json_decref(record);
    record = run_broken("workloads-broken_probe", "honest", "memory", 0);
    assert_string_equal(worker_text(record, "status"), "ok");
    json_decref(record);
}

/* What an elided pair of alloc and free looks like: fewer allocations than the workload expects. */
static void test_count(void **state)
{
    (void)state;
    expect_failure("workloads-broken_worker", "broken_count", "time",
                   "made 10 allocations and its workload expects 11");
}

static void test_stray(void **state)
{
    (void)state;
    json_t *record = run_broken("workloads-broken_worker", "broken_stray", "time", 1);
    assert_int_equal((int)worker_number(record, "stray_allocations"), 2);
    json_decref(record);
    expect_failure("workloads-broken_worker", "broken_stray", "time",
                   "2 calls of malloc or its family in the timed part");
}

static void test_leak(void **state)
{
    (void)state;
    expect_failure("workloads-broken_probe", "broken_leak", "memory", "blocks were never freed");
}

static void test_contents(void **state)
{
    (void)state;
    expect_failure("workloads-broken_worker", "broken_contents", "time",
                   "a live block's contents have changed");
}

/* The first reason stands. */
static void test_exhausted(void **state)
{
    (void)state;
    expect_failure("workloads-broken_worker", "broken_exhausted", "time", "heap exhausted");
}

static void test_setup(void **state)
{
    (void)state;
    expect_failure("workloads-broken_worker", "broken_setup", "time", "nothing can be set up here");
    expect_failure("workloads-broken_probe", "broken_setup", "memory",
                   "nothing can be set up here");
}

/* google-benchmark's own mode does not hide it either. */
static void test_plain_mode_tells(void **state)
{
    (void)state;
    const char *const arguments[] = {"--benchmark_filter=broken_count", "--benchmark_format=json",
                                     "--benchmark_min_time=0.001", NULL};
    json_t *report = worker_run_json(BROKEN_DIRECTORY, "workloads-broken_worker", arguments, 0);
    const json_t *benchmark = json_array_get(worker_array(report, "benchmarks"), 0);
    assert_true(json_is_true(json_object_get(benchmark, "error_occurred")));
    assert_non_null(strstr(worker_text(benchmark, "error_message"), "its workload expects"));
    json_decref(report);
}

int main(void)
{
    /* Under AddressSanitizer the workers that leave blocks behind would end with its exit code. */
    assert_int_equal(setenv("ASAN_OPTIONS", "detect_leaks=0", 1), 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),   cmocka_unit_test(test_count),
        cmocka_unit_test(test_stray),    cmocka_unit_test(test_leak),
        cmocka_unit_test(test_contents), cmocka_unit_test(test_exhausted),
        cmocka_unit_test(test_setup),    cmocka_unit_test(test_plain_mode_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
