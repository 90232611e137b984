/* Cells of several threads, and the figures that workloads tell of themselves. Under
 * ThreadSanitizer, with which this program is built too, a data race in a worker ends it with an
 * exit status of its own, and so fails the test. */
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
#define SINGLE_WORKER "heapmill-run-pymalloc-3.10"
#define SINGLE_PROBE "heapmill-probe-pymalloc-3.10"
#define COUNTED_WORKER "heapmill-run-pools-biased"

struct threaded {
    const char *workload;
    const char *param;
    unsigned allocations_of_iteration[6]; /* with that many threads; 0: not tried */
};

static const struct threaded threadeds[] = {
    /* Each thread replaces a block; hand-overs come every 500 steps. */
    {"larson", "round=500", {[1] = 1, [2] = 2, [3] = 3, [4] = 4}},
    /* Each pair passes a block on, and so does an odd one out to itself. */
    {"producer_consumer", "queue=100", {[1] = 1, [2] = 1, [3] = 2, [4] = 2, [5] = 3}},
    {"producer_consumer", "batch=1", {[2] = 1}},
    {"false_sharing", "mode=active", {[1] = 1, [2] = 2, [4] = 4}},
    {"false_sharing", "mode=passive", {[1] = 1, [2] = 2, [4] = 4}},
};

enum { THREADEDS = sizeof(threadeds) / sizeof(threadeds[0]), ITERATIONS = 2500 };

static json_t *run_cell(const char *worker, const char *workload, const char *param,
                        unsigned threads, const char *pass, int exit_code)
{
    char count[16];
    char iterations[16];
    (void)snprintf(count, sizeof(count), "%u", threads);
    (void)snprintf(iterations, sizeof(iterations), "%d", ITERATIONS);
    const char *const arguments[] = {
        "--cell", "--workload", workload, "--param",      param,      "--seed", "5",  "--warmup",
        "100",    "--threads",  count,    "--iterations", iterations, "--pass", pass, NULL};
    return worker_run_json(WORKER_DIRECTORY, worker, arguments, exit_code);
}

/* ---------------------------------------------------------------- the time pass */
static void check_times(const json_t *record, unsigned threads)
{
    static const char *const names[] = {"thread_wall_ns", "thread_cpu_ns"};
    double longest[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        size_t at;
        const json_t *value;
        assert_int_equal(json_array_size(worker_array(record, names[i])), threads);
        json_array_foreach(worker_array(record, names[i]), at, value)
        {
            double ns = json_number_value(value);
            assert_true(ns > 0);
            longest[i] = ns > longest[i] ? ns : longest[i];
        }
    }
    /* A thread's time is part of the whole's. */
    assert_true(longest[0] <= worker_number(record, "wall_ns"));
    assert_true(longest[1] <= worker_number(record, "cpu_ns"));
    double expected = longest[0] * threads / worker_number(record, "operations");
    assert_true(fabs(worker_number(record, "ns_per_op") / expected - 1) < 1e-9);
}

static void check_threaded(const struct threaded *threaded, unsigned threads)
{
    double expected = (double)threaded->allocations_of_iteration[threads] * ITERATIONS;
    json_t *record =
        run_cell(MALLOC_WORKER, threaded->workload, threaded->param, threads, "time", 0);
    json_t *again =
        run_cell(MALLOC_WORKER, threaded->workload, threaded->param, threads, "time", 0);
    if (strcmp(worker_text(record, "status"), "ok") != 0) {
        fail_msg("%s, %u threads: %s", threaded->workload, threads, worker_text(record, "reason"));
    }
    assert_true(worker_number(record, "allocations") == expected);
    assert_true(worker_number(record, "allocations_expected") == expected);
    assert_true(worker_number(record, "operations") == 2 * expected);
    assert_true(worker_number(record, "stray_allocations") == 0);
    assert_true(worker_number(record, "threads") == threads);
    check_times(record, threads);
    /* Who comes first is chance; what is done is not. */
    assert_true(
        json_equal(json_object_get(record, "checksum"), json_object_get(again, "checksum")));
    json_decref(record);
    json_decref(again);
}

static void test_threads(void **state)
{
    (void)state;
    for (size_t i = 0; i < THREADEDS; i++) {
        for (unsigned threads = 1; threads < 6; threads++) {
            if (threadeds[i].allocations_of_iteration[threads] > 0) {
                check_threaded(&threadeds[i], threads);
            }
        }
    }
}

/* ---------------------------------------------------------------- the memory pass */
/* Counts that several threads add to are exact at the end: what is still live is known. */
static void test_memory_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < THREADEDS; i++) {
        json_t *record =
            run_cell(MALLOC_PROBE, threadeds[i].workload, threadeds[i].param, 2, "memory", 0);
        const json_t *series = json_object_get(json_object_get(record, "memory"), "series");
        const json_t *operations = worker_array(series, "operations");
        size_t last = json_array_size(operations) - 1;
        assert_string_equal(worker_text(record, "status"), "ok");
        assert_true(json_number_value(json_array_get(operations, last)) ==
                    worker_number(record, "operations"));
        double live = json_number_value(json_array_get(worker_array(series, "live_bytes"), last));
        if (strcmp(threadeds[i].workload, "larson") == 0) {
            /* 2 × 5000 blocks of 8 to 1000 bytes, uniformly: 504 on average, within 5 sigma. */
            assert_true(fabs(live / 5.04e6 - 1) < 5 * 0.57 / 100);
        } else {
            assert_true(live == 0);
        }
        json_decref(record);
    }
}

/* ---------------------------------------------------------------- who has none */
static void test_single_threaded(void **state)
{
    (void)state;
    static const char *const workers[] = {SINGLE_WORKER, SINGLE_PROBE};
    for (size_t i = 0; i < 2; i++) {
        const char *pass = i == 0 ? "time" : "memory";
        json_t *record = run_cell(workers[i], "larson", "round=500", 2, pass, 0);
        assert_string_equal(worker_text(record, "status"), "not_applicable");
        assert_non_null(strstr(worker_text(record, "reason"), "pymalloc-3.10 is single-threaded"));
        assert_null(json_object_get(record, "ns_per_op"));
        assert_string_equal(worker_text(record, "thread_support"), "single-threaded");
        json_decref(record);
        /* One thread it can serve, though it is not the one that opened the heap. */
        record = run_cell(workers[i], "larson", "round=500", 1, pass, 0);
        assert_string_equal(worker_text(record, "status"), "ok");
        json_decref(record);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *workload, *threads, *says;
    } refusals[] = {
        {"pingpong", "2", "pingpong has one thread"},
        {"larson", "0", "--threads"},
        {"larson", "1.5", "not a whole number"},
        {"larson", "100000", "not between 1 and 256"},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const char *const arguments[] = {
            "--cell", "--workload", refusals[i].workload, "--iterations",
            "1",      "--threads",  refusals[i].threads,  NULL};
        struct worker_outcome outcome =
            worker_run(WORKER_DIRECTORY, MALLOC_WORKER, arguments, NULL);
        assert_int_equal(outcome.exit_code, 2);
        assert_non_null(strstr(outcome.errors, refusals[i].says));
        worker_outcome_free(&outcome);
    }
}

/* ---------------------------------------------------------------- the object layer's threads */
static const char *const patterns[] = {"pattern=private", "pattern=readers", "pattern=queue",
                                       "pattern=dict"};

/* What the threads of the object layer do depends on the seed and their number, as of all threads.
 */
static void test_shared_objects(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        for (unsigned threads = 1; threads <= 4; threads++) {
            json_t *record =
                run_cell(COUNTED_WORKER, "shared_objects", patterns[i], threads, "time", 0);
            json_t *again =
                run_cell(COUNTED_WORKER, "shared_objects", patterns[i], threads, "time", 0);
            if (strcmp(worker_text(record, "status"), "ok") != 0) {
                fail_msg("%s, %u threads: %s", patterns[i], threads, worker_text(record, "reason"));
            }
            check_times(record, threads);
            assert_true(json_equal(json_object_get(record, "checksum"),
                                   json_object_get(again, "checksum")));
            assert_true(worker_number(json_object_get(record, "figures"), "object_header_bytes") ==
                        24);
            json_decref(record);
            json_decref(again);
        }
    }
}

/* Without a policy of counts the object layer serves one thread, and says so. */
static void test_objects_of_one_thread(void **state)
{
    (void)state;
    json_t *record = run_cell(MALLOC_WORKER, "shared_objects", patterns[0], 2, "time", 0);
    assert_string_equal(worker_text(record, "status"), "not_applicable");
    assert_non_null(strstr(worker_text(record, "reason"), "take pools-gil"));
    json_decref(record);
    record = run_cell(MALLOC_WORKER, "shared_objects", patterns[0], 1, "time", 0);
    assert_string_equal(worker_text(record, "status"), "ok");
    json_decref(record);
}

/* ---------------------------------------------------------------- rules broken in a thread */
static json_t *run_broken(const char *workload)
{
    const char *const arguments[] = {"--cell", "--workload", workload, "--iterations",
                                     "10",     "--threads",  "3",      NULL};
    return worker_run_json(BROKEN_DIRECTORY, "workloads-broken_worker", arguments, 1);
}

static void test_broken_in_a_thread(void **state)
{
    (void)state;
    static const struct {
        const char *workload, *says;
    } broken[] = {
        {"broken_thread_count", "made 31 allocations and its workload expects 30"},
        {"broken_thread_stray", "6 calls of malloc or its family"},
        {"broken_thread_exhausted", "heap exhausted"},
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        json_t *record = run_broken(broken[i].workload);
        assert_string_equal(worker_text(record, "status"), "failed");
        assert_non_null(strstr(worker_text(record, "reason"), broken[i].says));
        assert_null(json_object_get(record, "ns_per_op"));
        json_decref(record);
    }
}

/* ---------------------------------------------------------------- calibration */
static void test_calibrate(void **state)
{
    (void)state;
    static const char *const arguments[] = {"--calibrate", "--workload",  "larson", "--threads",
                                            "2",           "--target-ms", "20",     NULL};
    json_t *calibration = worker_run_json(WORKER_DIRECTORY, MALLOC_WORKER, arguments, 0);
    assert_true(worker_number(calibration, "threads") == 2);
    assert_true(worker_number(calibration, "operations") == 4);
    assert_true(worker_number(calibration, "iterations") > 100);
    json_decref(calibration);
}

/* ---------------------------------------------------------------- figures */
static void check_robson(const char *probe, double largest_blow_up)
{
    static const char *const arguments[] = {
        "--cell",        "--workload",   "robson", "--param", "live=1e6", "--param",
        "largest=16384", "--iterations", "1",      "--pass",  "memory",   NULL};
    json_t *record = worker_run_json(WORKER_DIRECTORY, probe, arguments, 0);
    const json_t *figures = json_object_get(record, "figures");
    assert_string_equal(worker_text(record, "status"), "ok");
    assert_true(worker_number(figures, "half_log2_n") == 5); /* n = 16384 / 16 = 2^10 units */
    assert_true(worker_number(figures, "live_bytes") == 1e6);
    assert_true(worker_number(figures, "bound_bytes") == 6e6 - (16384 - 16));
    double blow_up = worker_number(figures, "blow_up");
    assert_true(blow_up >= 1 && blow_up < largest_blow_up);
    assert_true(worker_number(figures, "held_bytes") == blow_up * 1e6);
    const json_t *memory = json_object_get(record, "memory");
    assert_true(worker_number(memory, "live_bytes_peak") <= 1e6);
    assert_true(worker_number(memory, "live_bytes_peak") > 0.98e6);
    assert_true(worker_number(memory, "held_bytes_peak") >= worker_number(figures, "held_bytes"));
    json_decref(record);
}

/* An adversary that is none would leave the blow-up near 1; the upper bound is generous: twice what
 * a best allocator is forced to. */
static void test_robson(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* red zones, quarantine and shadow memory are held too */
#endif
    check_robson(MALLOC_PROBE, 12);
    check_robson(SINGLE_PROBE, 12);
}

/* Idle time is in the series' seconds, in which operations stand still, and not in the CPU time. */
static void test_idle(void **state)
{
    (void)state;
    static const char *const arguments[] = {"--cell",   "--workload", "burst_idle", "--param",
                                            "peak=1e6", "--param",    "idle=50",    "--iterations",
                                            "1",        "--pass",     "memory",     NULL};
    json_t *record = worker_run_json(WORKER_DIRECTORY, MALLOC_PROBE, arguments, 0);
    const json_t *series = json_object_get(json_object_get(record, "memory"), "series");
    const json_t *seconds = worker_array(series, "seconds");
    const json_t *operations = worker_array(series, "operations");
    double idle = 0;
    assert_int_equal(json_array_size(seconds), json_array_size(operations));
    for (size_t i = 1; i < json_array_size(seconds); i++) {
        double passed = json_number_value(json_array_get(seconds, i)) -
                        json_number_value(json_array_get(seconds, i - 1));
        assert_true(passed >= 0);
        bool still = json_number_value(json_array_get(operations, i)) ==
                     json_number_value(json_array_get(operations, i - 1));
        idle += still ? passed : 0;
    }
    assert_true(idle >=
                0.18); /* 2 cycles of 2 × 50 ms, less what is before a phase's first sample */
    double kept = worker_number(json_object_get(record, "figures"), "kept_after_drop");
    assert_true(kept >= 0);
    json_decref(record);
}

static void test_idle_costs_nothing(void **state)
{
    (void)state;
    static const char *const arguments[] = {"--cell",   "--workload",   "burst_idle", "--param",
                                            "peak=1e5", "--param",      "idle=300",   "--param",
                                            "cycles=1", "--iterations", "1",          NULL};
    json_t *record = worker_run_json(WORKER_DIRECTORY, MALLOC_WORKER, arguments, 0);
    assert_true(worker_number(record, "wall_ns") > 6e8);
    assert_true(worker_number(record, "cpu_ns") < 2e8);
    json_decref(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_memory_pass),
        cmocka_unit_test(test_single_threaded),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_shared_objects),
        cmocka_unit_test(test_objects_of_one_thread),
        cmocka_unit_test(test_broken_in_a_thread),
        cmocka_unit_test(test_calibrate),
        cmocka_unit_test(test_robson),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_idle_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
