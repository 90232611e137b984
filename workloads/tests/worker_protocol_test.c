/* The command line of a worker, as WORKER.md promises it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "workloads/tests/worker_process.h"

#define MALLOC_WORKER "heapmill-run-malloc"
#define MALLOC_PROBE "heapmill-probe-malloc"

/* ---------------------------------------------------------------- --describe */
static void check_parameter(const json_t *parameter)
{
    const json_t *choices = worker_array(parameter, "choices");
    (void)worker_text(parameter, "unit");
    (void)worker_text(parameter, "summary");
    assert_true(worker_number(parameter, "minimum") <= worker_number(parameter, "maximum"));
    if (json_is_string(json_object_get(parameter, "default")) && json_array_size(choices) == 0) {
        assert_true(strlen(worker_text(parameter, "default")) > 0); /* any text: a file's name */
        return;
    }
    if (json_array_size(choices) == 0) {
        double value = worker_number(parameter, "default");
        assert_true(value >= worker_number(parameter, "minimum"));
        assert_true(value <= worker_number(parameter, "maximum"));
        return;
    }
    size_t i;
    const json_t *choice;
    bool known = false;
    json_array_foreach(choices, i, choice)
    {
        known = known || strcmp(json_string_value(choice), worker_text(parameter, "default")) == 0;
    }
    assert_true(known);
}

static void check_description(const char *worker, void *context)
{
    static const char *const arguments[] = {"--describe", NULL, NULL};
    json_t *description = worker_run_json(WORKER_DIRECTORY, worker, arguments, 0);
    const bool *probe = context;
    size_t i, k;
    const json_t *workload, *parameter;
    assert_int_equal(json_is_true(json_object_get(description, "probe")), *probe);
    assert_non_null(strstr(worker, worker_text(description, "backend")));
    assert_true(strlen(worker_text(description, "compiler")) > 4);
    assert_true(strlen(worker_text(description, "flags")) > 2);
    assert_true(strlen(worker_text(description, "source")) > 2);
    assert_int_equal(worker_text(description, "malloc_owner")[0], '/');
    (void)worker_text(description, "arm");
    (void)worker_text(description, "parameters");
    (void)worker_text(description, "version");
    (void)worker_array(description, "capabilities");
    assert_true(json_array_size(worker_array(description, "workloads")) >= 3);
    json_array_foreach(worker_array(description, "workloads"), i, workload)
    {
        const char *kind = worker_text(workload, "kind");
        assert_true(strcmp(kind, "blocks") == 0 || strcmp(kind, "objects") == 0);
        assert_true(strlen(worker_text(workload, "family")) > 0);
        assert_true(json_is_boolean(json_object_get(workload, "single_shot")));
        json_array_foreach(worker_array(workload, "parameters"), k, parameter)
        {
            check_parameter(parameter);
        }
    }
    json_decref(description);
}

static void test_describe(void **state)
{
    (void)state;
    bool probe = false;
    worker_for_each(WORKERS, check_description, &probe);
    probe = true;
    worker_for_each(PROBES, check_description, &probe);
}

/* ---------------------------------------------------------------- refusals */
struct refusal {
    const char *worker;
    const char *arguments[12];
    int exit_code;
    const char *says;
};

static void test_refusals(void **state)
{
    (void)state;
#define CELL "--cell", "--workload", "batch"
    static const struct refusal refusals[] = {
        {MALLOC_WORKER, {"--cell", "--iterations", "1"}, 2, "--workload is missing"},
        {MALLOC_WORKER, {CELL}, 2, "--iterations is missing"},
        {MALLOC_WORKER, {"--cell", "--workload", "btach"}, 2, "known are: batch, "},
        {MALLOC_WORKER, {CELL, "--param", "sise=3"}, 2, "known are: order, heap, size, live"},
        {MALLOC_WORKER, {CELL, "--param", "order=up"}, 2, "none of: fifo, lifo, random"},
        {MALLOC_WORKER, {CELL, "--param", "live"}, 2, "NAME=VALUE"},
        {MALLOC_WORKER, {CELL, "--param", "live=many"}, 2, "not a number"},
        {MALLOC_WORKER, {CELL, "--param", "live=1e3x"}, 2, "not a number"},
        {MALLOC_WORKER, {CELL, "--param", "live=nan"}, 2, "not a number"},
        {MALLOC_WORKER, {CELL, "--param", "live=1.5"}, 2, "not a whole number"},
        {MALLOC_WORKER, {CELL, "--param", "live=0"}, 2, "not between 1 and"},
        {MALLOC_WORKER, {CELL, "--param", "live=1e30"}, 2, "not between 1 and"},
        {MALLOC_WORKER, {CELL, "--iterations", "-1"}, 2, "--iterations"},
        {MALLOC_WORKER, {CELL, "--iterations", ""}, 2, "--iterations"},
        {MALLOC_WORKER, {CELL, "--iterations"}, 2, "its value is missing"},
        {MALLOC_WORKER, {CELL, "--iterations", "1", "--seed", "-4"}, 2, "--seed"},
        {MALLOC_WORKER, {CELL, "--iterations", "1", "--seed", "0x8000000000000000"}, 2, "--seed"},
        {MALLOC_WORKER, {CELL, "--iterations", "1", "--pass", "space"}, 2, "time, memory"},
        {MALLOC_WORKER, {CELL, "--iterations", "1", "--record-fd", "77"}, 2, "not an open"},
        {MALLOC_WORKER, {CELL, "--bogus", "1"}, 2, "unknown option --bogus"},
        {MALLOC_WORKER, {CELL, "--iterations", "10", "--extra-work", "1"}, 2, "less than one"},
        {MALLOC_WORKER,
         {CELL, "--iterations", "100", "--extra-work", "1", "--pass", "latency"},
         2,
         "--pass time"},
        {MALLOC_WORKER, {"--bogus"}, 2, "unrecognized"},
        {MALLOC_WORKER,
         {CELL, "--iterations", "1", "--pass", "memory"},
         2,
         "heapmill-probe-malloc"},
        {MALLOC_PROBE, {CELL, "--iterations", "1", "--pass", "time"}, 2, "heapmill-run-malloc"},
        {MALLOC_WORKER, {CELL, "--iterations", "1", "--expect-malloc", "libnone"}, 3, "libnone"},
    };
#undef CELL
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *refusal = &refusals[i];
        struct worker_outcome outcome =
            worker_run(WORKER_DIRECTORY, refusal->worker, refusal->arguments, NULL);
        if (outcome.exit_code != refusal->exit_code ||
            strstr(outcome.errors, refusal->says) == NULL) {
            fail_msg("refusal %zu: exit code %d, '%s' does not say '%s'", i, outcome.exit_code,
                     outcome.errors, refusal->says);
        }
        assert_string_equal(outcome.output, "");
        worker_outcome_free(&outcome);
    }
}

/* ---------------------------------------------------------------- --expect-malloc */
/* The library that is in force is accepted by a part of its name and by its path; the refusal of
 * another names both. */
static void test_expect_malloc(void **state)
{
    (void)state;
    static const char *const describe[] = {"--describe", NULL, NULL};
    json_t *description = worker_run_json(WORKER_DIRECTORY, MALLOC_WORKER, describe, 0);
    const char *owner = worker_text(description, "malloc_owner");
    const char *const part = strrchr(owner, '/') + 1;
    const char *const cells[][9] = {
        {"--cell", "--workload", "pingpong", "--iterations", "10", "--expect-malloc", part, NULL},
        {"--cell", "--workload", "pingpong", "--iterations", "10", "--expect-malloc", owner, NULL},
    };
    for (size_t i = 0; i < 2; i++) {
        json_t *record = worker_run_json(WORKER_DIRECTORY, MALLOC_WORKER, cells[i], 0);
        assert_string_equal(worker_text(record, "malloc_owner"), owner);
        json_decref(record);
    }
    static const char *const wrong[] = {"--cell",           "--workload", "pingpong",
                                        "--iterations",     "10",         "--expect-malloc",
                                        "/nowhere/libx.so", NULL};
    struct worker_outcome outcome = worker_run(WORKER_DIRECTORY, MALLOC_WORKER, wrong, NULL);
    assert_int_equal(outcome.exit_code, 3);
    assert_non_null(strstr(outcome.errors, "/nowhere/libx.so"));
    assert_non_null(strstr(outcome.errors, owner));
    assert_string_equal(outcome.output, "");
    worker_outcome_free(&outcome);
    json_decref(description);
}

/* A preloaded library that owns malloc is measured, one that does not is refused by name. */
static void test_preloaded(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* the sanitizer owns malloc */
#endif
    static const char *const forwarding[] = {"--cell",
                                             "--workload",
                                             "batch",
                                             "--iterations",
                                             "2",
                                             "--expect-malloc",
                                             "libworkloads-forwarding_malloc",
                                             NULL};
    static const char *const jansson[] = {"--cell", "--workload",      "batch",      "--iterations",
                                          "2",      "--expect-malloc", "libjansson", NULL};
    struct worker_outcome outcome =
        worker_run(WORKER_DIRECTORY, MALLOC_WORKER, forwarding,
                   BROKEN_DIRECTORY "/libworkloads-forwarding_malloc.so");
    assert_int_equal(outcome.exit_code, 0);
    json_t *record = worker_json(&outcome);
    assert_non_null(strstr(worker_text(record, "malloc_owner"), "forwarding_malloc"));
    assert_non_null(
        json_object_get(json_object_get(record, "libraries"), "libworkloads-forwarding_malloc.so"));
    json_decref(record);
    worker_outcome_free(&outcome);

    outcome = worker_run(WORKER_DIRECTORY, MALLOC_WORKER, jansson, "libjansson.so.4");
    assert_int_equal(outcome.exit_code, 3);
    assert_non_null(strstr(outcome.errors, "malloc was expected in libjansson and lives in"));
    worker_outcome_free(&outcome);
}

/* ---------------------------------------------------------------- --calibrate and the plain mode
 */
static void test_calibrate(void **state)
{
    (void)state;
    static const char *const arguments[] = {"--calibrate", "--workload",  "batch", "--param",
                                            "live=1e2",    "--target-ms", "20",    NULL};
    json_t *calibration = worker_run_json(WORKER_DIRECTORY, MALLOC_WORKER, arguments, 0);
    assert_string_equal(worker_text(calibration, "workload"), "batch");
    assert_int_equal((int)worker_number(json_object_get(calibration, "params"), "live"), 100);
    assert_int_equal((int)worker_number(calibration, "operations"), 200);
    double planned_ns = worker_number(calibration, "iterations") * 200 *
                        worker_number(calibration, "cpu_ns_per_op");
    assert_true(planned_ns > 18e6 && planned_ns < 22e6);
    double warmup = worker_number(calibration, "warmup_iterations");
    assert_true(warmup >= 1 && warmup <= worker_number(calibration, "iterations"));
    json_decref(calibration);
}

/* A known slowdown: 5% more work under the name of the nominal one. */
static void test_extra_work(void **state)
{
    (void)state;
    static const char *const plain[] = {"--cell",   "--workload",   "batch", "--param",
                                        "live=100", "--iterations", "200",   NULL};
    static const char *const slowed[] = {
        "--cell",       "--workload", "batch",        "--param", "live=100",
        "--iterations", "200",        "--extra-work", "5",       NULL};
    json_t *nominal = worker_run_json(WORKER_DIRECTORY, MALLOC_WORKER, plain, 0);
    json_t *record = worker_run_json(WORKER_DIRECTORY, MALLOC_WORKER, slowed, 0);
    assert_int_equal((int)worker_number(nominal, "allocations"), 200 * 100);
    assert_int_equal((int)worker_number(record, "allocations"), 210 * 100);
    assert_int_equal((int)worker_number(record, "allocations_expected"), 210 * 100);
    assert_int_equal((int)worker_number(record, "iterations"), 200);
    assert_int_equal((int)worker_number(record, "operations"),
                     (int)worker_number(nominal, "operations"));
    double per_operation = worker_number(record, "cpu_ns") / worker_number(record, "operations");
    assert_true(worker_number(record, "cpu_ns_per_op") / per_operation > 0.999);
    assert_true(worker_number(record, "cpu_ns_per_op") / per_operation < 1.001);
    double added = worker_number(record, "extra_work");
    assert_true(added > 4.9999 && added < 5.0001);
    assert_non_null(json_object_get(nominal, "checksum"));
    assert_null(json_object_get(record, "checksum"));
    assert_null(json_object_get(nominal, "extra_work"));
    json_decref(nominal);
    json_decref(record);
}

static void test_plain_benchmark(void **state)
{
    (void)state;
    static const char *const arguments[] = {"--benchmark_filter=^pingpong",
                                            "--benchmark_format=json", "--benchmark_min_time=0.01",
                                            NULL};
    json_t *report = worker_run_json(WORKER_DIRECTORY, MALLOC_WORKER, arguments, 0);
    const json_t *benchmarks = worker_array(report, "benchmarks");
    assert_int_equal(json_array_size(benchmarks), 1);
    const json_t *benchmark = json_array_get(benchmarks, 0);
    assert_string_equal(worker_text(benchmark, "name"), "pingpong/process_time");
    assert_true(worker_number(benchmark, "cpu_time") > 0);
    assert_true(worker_number(benchmark, "items_per_second") > 0);
    json_decref(report);
}

/* google-benchmark takes defaults from the environment: they must not reach a cell. */
static void test_environment_is_ignored(void **state)
{
    (void)state;
    static const char *const arguments[] = {"--cell",       "--workload", "pingpong",
                                            "--iterations", "1000",       NULL};
    assert_int_equal(setenv("BENCHMARK_REPETITIONS", "3", 1), 0);
    assert_int_equal(setenv("BENCHMARK_LIST_TESTS", "true", 1), 0);
    assert_int_equal(setenv("BENCHMARK_FILTER", "nothing", 1), 0);
    json_t *record = worker_run_json(WORKER_DIRECTORY, MALLOC_WORKER, arguments, 0);
    assert_int_equal((int)worker_number(record, "allocations"), 1000);
    json_decref(record);
    (void)unsetenv("BENCHMARK_REPETITIONS");
    (void)unsetenv("BENCHMARK_LIST_TESTS");
    (void)unsetenv("BENCHMARK_FILTER");
}

/* ---------------------------------------------------------------- its parent's death */
/* In a process of its own: starts a worker that would run for an hour, tells its id, and dies. */
static void start_and_die(int told)
{
    char self[32];
    (void)snprintf(self, sizeof(self), "%d", (int)getpid());
    pid_t worker = fork();
    if (worker == 0) {
        execl(WORKER_DIRECTORY "/" MALLOC_WORKER, MALLOC_WORKER, "--cell", "--workload", "pingpong",
              "--iterations", "1e12", "--parent", self, (char *)NULL);
        _exit(127);
    }
    ssize_t ignored = write(told, &worker, sizeof(worker));
    (void)ignored;
    usleep(200000); /* the worker has started by now, or else it notices later */
    _exit(0);
}

static void test_dies_with_parent(void **state)
{
    (void)state;
    int told[2];
    int status = 0;
    pid_t worker = 0;
    assert_int_equal(pipe(told), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that the orphan is ours to reap */
    pid_t parent = fork();
    if (parent == 0) {
        start_and_die(told[1]);
    }
    assert_int_equal(waitpid(parent, &status, 0), parent);
    assert_int_equal(read(told[0], &worker, sizeof(worker)), sizeof(worker));
    assert_int_equal(waitpid(worker, &status, 0), worker);
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    bool noticed = WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL;
    assert_true(killed || noticed);
    (void)close(told[0]);
    (void)close(told[1]);
}

/* A parent that is already gone: --parent says who it was (here a process that cannot exist). */
static void test_refuses_to_be_an_orphan(void **state)
{
    (void)state;
    static const char *const arguments[] = {"--cell", "--workload", "pingpong",   "--iterations",
                                            "10",     "--parent",   "2000000000", NULL};
    struct worker_outcome outcome = worker_run(WORKER_DIRECTORY, MALLOC_WORKER, arguments, NULL);
    assert_int_equal(outcome.exit_code, 128 + SIGKILL);
    assert_string_equal(outcome.output, "");
    worker_outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describe),         cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_expect_malloc),    cmocka_unit_test(test_preloaded),
        cmocka_unit_test(test_calibrate),        cmocka_unit_test(test_extra_work),
        cmocka_unit_test(test_plain_benchmark),  cmocka_unit_test(test_environment_is_ignored),
        cmocka_unit_test(test_dies_with_parent), cmocka_unit_test(test_refuses_to_be_an_orphan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
