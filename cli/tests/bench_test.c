/* `heapmill bench` end to end with small real matrices: the plan, the records, what goes wrong and
 * how it is told. Each test runs in a directory of its own under the program's. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"
#include "common/host/sha256.h"
#include "common/host/text.h"

/* malloc and null on two workloads, and small: about 0.1 s a round. */
#define SMALL                                                                                      \
    "bench", "--one-layout", "-b", "malloc,null", "-w", "pingpong,batch", "--target-ms", "1"

static int enter_own_directory(void **state)
{
    static int number;
    char name[32];
    (void)state;
    (void)snprintf(name, sizeof(name), "test-%d", ++number);
    return mkdir(name, 0777) == 0 ? chdir(name) : -1;
}

static int leave_own_directory(void **state)
{
    (void)state;
    assert_int_equal(fixture_count_processes(), 0);
    return chdir("..");
}

/* Runs and checks the exit status; what it printed is the caller's. */
static struct fixture_outcome run_expecting(int status, const char *const *arguments)
{
    struct fixture_outcome outcome = fixture_run(arguments);
    if (outcome.status != status) {
        fail_msg("status %d, expected %d; it said: %s", outcome.status, status, outcome.err);
    }
    return outcome;
}

static void run_to(int status, const char *remedy, const char *const *arguments)
{
    struct fixture_outcome outcome = run_expecting(status, arguments);
    if (strstr(outcome.err, remedy) == NULL) {
        fail_msg("expected '%s'; it said: %s", remedy, outcome.err);
    }
    fixture_outcome_free(&outcome);
}

static void dry_run_prints_the_plan_and_writes_nothing(void **state)
{
    (void)state;
    struct fixture_outcome outcome = run_expecting(
        0, (const char *const[]){SMALL, "-p", "size=16,64", "-p", "batch.order=fifo,lifo", "-o",
                                 "run", "--dry-run", "--json", NULL});
    json_t *plan = json_loads(outcome.out, 0, NULL);
    const json_t *cells = json_object_get(plan, "cells");
    /* pingpong with 2 sizes, batch with 2 × 2; malloc, null and two twins of malloc each */
    assert_int_equal(json_array_size(cells), 6 * 4);
    assert_int_equal(fixture_count_records(cells, "backend", "null"), 6);
    assert_int_equal(json_integer_value(json_object_get(plan, "processes")), 40 * 24 + 6 * 12);
    assert_string_equal(fixture_text(json_array_get(cells, 0), "id"),
                        "batch/order=fifo,heap=trim,size=16,live=10000/t1/malloc:preload");
    assert_string_equal(fixture_text(json_array_get(cells, 2), "id"),
                        "batch/order=fifo,heap=trim,size=16,live=10000/t1/malloc:preload~2");
    assert_int_not_equal(access("run", F_OK), 0);
    json_decref(plan);
    fixture_outcome_free(&outcome);
}

/* Two names' values in step are two groups and not four. */
static void values_can_go_together(void **state)
{
    (void)state;
    struct fixture_outcome outcome = run_expecting(
        0, (const char *const[]){"bench", "-b", "malloc", "-w", "churn", "-p",
                                 "churn.live+median=1e3:64,2e3:128", "--dry-run", "--json", NULL});
    json_t *plan = json_loads(outcome.out, 0, NULL);
    const json_t *cells = json_object_get(plan, "cells");
    assert_int_equal(json_array_size(cells), 2 * 3);
    for (size_t i = 0; i < 6; i++) {
        const json_t *params = json_object_get(json_array_get(cells, i), "params");
        assert_int_equal(json_integer_value(json_object_get(params, "live")), i < 3 ? 1000 : 2000);
        assert_int_equal(json_integer_value(json_object_get(params, "median")), i < 3 ? 64 : 128);
    }
    json_decref(plan);
    fixture_outcome_free(&outcome);
    run_to(2, "'2' has 1",
           (const char *const[]){"bench", "-b", "malloc", "-w", "churn", "-p", "live+median=1:64,2",
                                 "--dry-run", NULL});
    run_to(2, "'middle'",
           (const char *const[]){"bench", "-b", "malloc", "-w", "churn", "-p", "live+middle=1:64",
                                 "--dry-run", NULL});
}

static void check_ok_record(const json_t *record)
{
    static const char *const members[] = {
        "params",     "threads",    "env",         "round",    "sequence",    "seed",
        "iterations", "operations", "allocations", "process",  "steal_ticks", "throttled_us",
        "load1",      "kernel",     "cpu",         "compiler", "libraries",   "malloc_owner"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (json_object_get(record, members[i]) == NULL) {
            fail_msg("a record has no %s", members[i]);
        }
    }
    bool memory = strcmp(fixture_text(record, "pass"), "memory") == 0;
    const json_t *process = json_object_get(record, "process");
    assert_string_equal(fixture_text(record, "status"), "ok");
    assert_int_equal(json_object_get(record, "memory") != NULL, memory);
    assert_int_equal(json_number_value(json_object_get(record, "cpu_ns_per_op")) > 0, !memory);
    assert_true(json_integer_value(json_object_get(process, "rss_bytes_peak")) > 1 << 20);
}

/* The plan knows the files that were measured, and refuses to go on with others. */
static void check_digests(void)
{
    char digest[SHA256_TEXT_BYTES];
    char *worker =
        text_format("%.*s/heapmill-run-malloc",
                    (int)(strrchr(HEAPMILL_PROGRAM, '/') - HEAPMILL_PROGRAM), HEAPMILL_PROGRAM);
    json_t *plan = json_load_file("run/plan.json", 0, NULL);
    json_t *digests = json_object_get(plan, "digests");
    assert_int_equal(sha256_of_file(worker, digest, NULL), STATUS_OK);
    assert_string_equal(fixture_text(digests, "heapmill-run-malloc"), digest);
    assert_non_null(json_object_get(digests, "heapmill-probe-malloc"));
    digest[0] = digest[0] == '0' ? '1' : '0';
    (void)json_object_set_new(digests, "heapmill-run-malloc", json_string(digest));
    assert_int_equal(json_dump_file(plan, "run/plan.json", 0), 0);
    run_to(2, "heapmill-run-malloc is not the file",
           (const char *const[]){"bench", "--resume", "run", NULL});
    json_decref(plan);
    free(worker);
}

static void a_small_matrix_runs(void **state)
{
    (void)state;
    struct fixture_outcome outcome = run_expecting(
        0, (const char *const[]){SMALL, "--rounds", "6", "-o", "run", "--json", NULL});
    json_t *summary = json_loads(outcome.out, 0, NULL);
    json_t *records = fixture_read_lines("run/records.jsonl");
    size_t index;
    json_t *record;
    assert_int_equal(json_integer_value(json_object_get(summary, "rounds")), 6);
    assert_int_equal(json_integer_value(json_object_get(summary, "ok")), 6 * 8 + 6 * 4);
    assert_int_equal(json_array_size(records), 6 * 8 + 6 * 4);
    json_array_foreach(records, index, record)
    {
        check_ok_record(record);
    }
    json_decref(records);
    json_decref(summary);
    fixture_outcome_free(&outcome);
    outcome = run_expecting(0, (const char *const[]){"compare", "run", "--json", NULL});
    json_t *comparison = json_loads(outcome.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(comparison, "cells")), 2);
    assert_true(json_is_number(json_object_get(comparison, "noise_floor")));
    assert_true(json_number_value(json_object_get(comparison, "resolves")) > 0);
    json_decref(comparison);
    fixture_outcome_free(&outcome);
    run_to(2, "go on with it", (const char *const[]){SMALL, "-o", "run", NULL});
    run_to(0, "72 records", (const char *const[]){"bench", "--resume", "run", NULL});
    run_to(0, "", (const char *const[]){"export", "run", "--verify", NULL});
    check_digests();
    run_to(1, "plan.json", (const char *const[]){"export", "run", "--verify", NULL});
}

static void the_callers_environment_does_not_leak(void **state)
{
    (void)state;
    /* glibc's malloc would fill memory and slow down; PERTURB is seen only through the cell's own
     * {…}. */
    assert_int_equal(setenv("MALLOC_ARENA_MAX", "1", 1), 0);
    assert_int_equal(setenv("LD_PRELOAD", "./no-such-library.so", 1), 0);
    struct fixture_outcome outcome =
        run_expecting(0, (const char *const[]){"bench", "-b", "malloc,malloc{MALLOC_PERTURB_=7}",
                                               "-w", "pingpong", "--target-ms", "1", "--rounds",
                                               "1", "--no-memory", "-o", "run", "--json", NULL});
    (void)unsetenv("LD_PRELOAD");
    (void)unsetenv("MALLOC_ARENA_MAX");
    json_t *records = fixture_read_lines("run/records.jsonl");
    size_t index;
    json_t *record;
    size_t perturbed = 0;
    assert_int_equal(json_array_size(records), 4);
    json_array_foreach(records, index, record)
    {
        const json_t *env = json_object_get(record, "env");
        assert_null(json_object_get(env, "MALLOC_ARENA_MAX"));
        perturbed +=
            strstr(fixture_text(record, "cell"), "malloc{MALLOC_PERTURB_=7}:preload") != NULL &&
            strcmp(fixture_text(env, "MALLOC_PERTURB_"), "7") == 0;
    }
    assert_int_equal(perturbed, 1);
    json_decref(records);
    fixture_outcome_free(&outcome);
}

static void wait_for_records(size_t count)
{
    for (int i = 0; i < 2000; i++) {
        json_t *records = fixture_read_lines("run/records.jsonl");
        size_t there = json_array_size(records);
        json_decref(records);
        if (there >= count) {
            return;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    fail_msg("there were no %zu records within ten seconds", count);
}

static void interrupt_ends_with_130_and_resumes(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        const char *const first[] = {SMALL, "--rounds", "41", "-o", "run", NULL};
        const char *const again[] = {"bench", "--resume", "run", NULL};
        pid_t pid = fixture_start(i == 0 ? first : again, 0);
        wait_for_records(20 + 40 * i);
        assert_int_equal(kill(pid, signals[i]), 0);
        assert_int_equal(fixture_wait(pid), 130);
        assert_int_equal(fixture_count_processes(), 0);
        char *said = fixture_read("err.txt");
        assert_non_null(strstr(said, "heapmill bench --resume run"));
        free(said);
    }
    run_to(2, "another plan: its seed is 1",
           (const char *const[]){SMALL, "--rounds", "41", "--seed", "2", "-o", "run", "--resume",
                                 NULL});
    run_to(2, "another plan: its rounds is 41",
           (const char *const[]){SMALL, "-o", "run", "--resume", NULL});
    run_to(0, "352 records",
           (const char *const[]){SMALL, "--rounds", "41", "-o", "run", "--resume", NULL});
    json_t *records = fixture_read_lines("run/records.jsonl");
    assert_int_equal(json_array_size(records), 41 * 8 + 6 * 4);
    json_decref(records);
}

static void a_second_writer_is_refused(void **state)
{
    (void)state;
    pid_t pid = fixture_start((const char *const[]){SMALL, "--rounds", "41", "-o", "run", NULL}, 0);
    wait_for_records(4);
    pid_t second = fixture_start((const char *const[]){"bench", "--resume", "run", NULL}, 0);
    assert_int_equal(fixture_wait(second), 3);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(fixture_wait(pid), 130);
}

/* A disk that is full, played by a limit on the size of files. */
static void a_full_disk_leaves_whole_records(void **state)
{
    (void)state;
    pid_t pid =
        fixture_start((const char *const[]){SMALL, "--rounds", "6", "-o", "run", NULL}, 40000);
    assert_int_equal(fixture_wait(pid), 3);
    char *said = fixture_read("err.txt");
    assert_non_null(strstr(said, "records.jsonl"));
    free(said);
    char *text = fixture_read("run/records.jsonl");
    assert_true(text[0] != '\0' && text[strlen(text) - 1] == '\n');
    free(text);
    json_t *records = fixture_read_lines("run/records.jsonl");
    assert_true(json_array_size(records) < 72);
    json_decref(records);
    run_to(0, "72 records, 0 failed", (const char *const[]){"bench", "--resume", "run", NULL});
}

static void unusable_directories_are_refused(void **state)
{
    (void)state;
    run_to(3, "/dev/null/run",
           (const char *const[]){SMALL, "--rounds", "1", "-o", "/dev/null/run", NULL});
    assert_int_equal(mkdir("stranger", 0777), 0);
    run_to(2, "stranger", (const char *const[]){"bench", "--resume", "stranger", NULL});
}

#ifndef HEAPMILL_SANITIZED
static void a_crashing_library_has_failed_records(void **state)
{
    (void)state;
    run_to(4, "crashed: pingpong",
           (const char *const[]){"bench", "-b", "malloc," HEAPMILL_TEST_LIBRARIES "/libcrash.so",
                                 "-w", "pingpong", "--target-ms", "5", "--rounds", "1", "-o", "run",
                                 NULL});
    json_t *records = fixture_read_lines("run/records.jsonl");
    assert_int_equal(json_array_size(records), 4 + 2);
    assert_int_equal(fixture_count_records(records, "status", "crashed"), 2);
    size_t index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        if (strcmp(fixture_text(record, "backend"), "libcrash.so") == 0) {
            assert_int_equal(json_integer_value(json_object_get(record, "signal")), SIGABRT);
            assert_non_null(strstr(fixture_text(record, "stderr"), "counted_malloc: enough"));
            assert_null(json_object_get(record, "cpu_ns_per_op"));
            assert_null(json_object_get(record, "memory"));
        }
    }
    json_decref(records);
}

static void a_hanging_library_times_out(void **state)
{
    (void)state;
    run_to(4, "did not end within 0.5 s",
           (const char *const[]){"bench", "-b", "malloc," HEAPMILL_TEST_LIBRARIES "/libhang.so",
                                 "-w", "pingpong", "--target-ms", "5", "--rounds", "1",
                                 "--no-memory", "--timeout", "0.5s", "-o", "run", NULL});
    json_t *records = fixture_read_lines("run/records.jsonl");
    assert_int_equal(fixture_count_records(records, "status", "timeout"), 1);
    assert_int_equal(fixture_count_records(records, "status", "ok"), 3);
    json_decref(records);
}

/* Its worker would live for a minute; the parent-death signal ends it at once. */
static void a_worker_dies_with_its_heapmill(void **state)
{
    (void)state;
    static const int signals[] = {SIGKILL, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        const char *directory = i == 0 ? "run-0" : "run-1";
        pid_t pid = fixture_start(
            (const char *const[]){"bench", "-b", HEAPMILL_TEST_LIBRARIES "/libhang.so", "-w",
                                  "pingpong", "--target-ms", "5", "--no-memory", "--one-layout",
                                  "-o", directory, NULL},
            0);
        /* The plan is written when all is calibrated: what runs then is a cell. */
        char *plan = text_format("%s/plan.json", directory);
        for (int wait = 0; wait < 6000 && (access(plan, F_OK) != 0 ||
                                           fixture_find_process("heapmill-run-mal") == 0);
             wait++) {
            (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        }
        free(plan);
        assert_true(fixture_find_process("heapmill-run-mal") > 0);
        assert_int_equal(kill(pid, signals[i]), 0);
        assert_int_equal(fixture_wait(pid), i == 0 ? 128 + SIGKILL : 130);
        assert_int_equal(fixture_count_processes(), 0);
    }
}

static void a_library_without_malloc_is_refused_by_name(void **state)
{
    (void)state;
    run_to(3, "libnomalloc.so does not own malloc",
           (const char *const[]){"bench", "-b", "malloc," HEAPMILL_TEST_LIBRARIES "/libnomalloc.so",
                                 "-w", "pingpong", "-o", "run", NULL});
    assert_int_not_equal(access("run", F_OK), 0);
}
#endif

#define BENCH_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, enter_own_directory, leave_own_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(dry_run_prints_the_plan_and_writes_nothing),
        BENCH_TEST(values_can_go_together),
        BENCH_TEST(a_small_matrix_runs),
        BENCH_TEST(the_callers_environment_does_not_leak),
        BENCH_TEST(interrupt_ends_with_130_and_resumes),
        BENCH_TEST(a_second_writer_is_refused),
        BENCH_TEST(a_full_disk_leaves_whole_records),
        BENCH_TEST(unusable_directories_are_refused),
#ifndef HEAPMILL_SANITIZED
        BENCH_TEST(a_crashing_library_has_failed_records),
        BENCH_TEST(a_hanging_library_times_out),
        BENCH_TEST(a_worker_dies_with_its_heapmill),
        BENCH_TEST(a_library_without_malloc_is_refused_by_name),
#endif
    };
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
