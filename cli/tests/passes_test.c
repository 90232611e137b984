/* The latency and instructions passes end to end: measured by real workers, told by bench, explain
 * and plot. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"

#define PINGPONG "bench", "-b", "malloc:preload,null:inline", "-w", "pingpong", "--target-ms", "5"

static struct fixture_outcome run_expecting(int status, const char *const *arguments)
{
    struct fixture_outcome outcome = fixture_run(arguments);
    if (outcome.status != status) {
        fail_msg("status %d, expected %d; it said: %s", outcome.status, status, outcome.err);
    }
    return outcome;
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("this does not say \"%s\":\n%s", part, text);
    }
}

static double number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

/* Percentiles in order, as many calls as one in `every`, and all of them in the buckets. */
static void check_call(const json_t *latency, const char *name, double calls)
{
    static const char *const rising[] = {"p50_ns", "p90_ns", "p99_ns", "max_ns"};
    const json_t *call = json_object_get(latency, name);
    double expected = calls / number(latency, "every");
    double count = number(call, "count");
    assert_true(fabs(count - expected) < 6 * sqrt(expected) + 1);
    for (size_t i = 1; i < sizeof(rising) / sizeof(rising[0]); i++) {
        assert_true(number(call, rising[i - 1]) <= number(call, rising[i]));
    }
    double in_buckets = 0;
    size_t index;
    json_t *bucket;
    json_array_foreach(json_object_get(call, "buckets"), index, bucket)
    {
        in_buckets += json_number_value(json_array_get(bucket, 1));
    }
    assert_true(in_buckets == count);
}

static void latencies_are_measured_told_and_drawn(void **state)
{
    (void)state;
    struct fixture_outcome outcome =
        run_expecting(0, (const char *const[]){PINGPONG, "--metric", "latency", "--latency-every",
                                               "8", "--rounds", "2", "-o", "latency", NULL});
    fixture_outcome_free(&outcome);
    json_t *records = fixture_read_lines("latency/records.jsonl");
    assert_int_equal(json_array_size(records), 2 * 4); /* malloc, its twins, null */
    assert_int_equal(fixture_count_records(records, "status", "ok"), 8);
    assert_int_equal(fixture_count_records(records, "pass", "latency"), 8);
    size_t index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        const json_t *latency = json_object_get(record, "latency");
        assert_true(number(latency, "every") == 8);
        assert_true(number(latency, "timer_cost_ns") > 0);
        check_call(latency, "alloc", number(record, "operations") / 2);
        check_call(latency, "free", number(record, "operations") / 2);
        assert_true(number(json_object_get(latency, "resize"), "count") == 0);
    }
    json_decref(records);
    outcome = run_expecting(0, (const char *const[]){"explain", "latency", "malloc:preload", NULL});
    assert_says(outcome.out, "Latency of single calls");
    assert_says(outcome.out, "one call in 8, at random gaps; medians of 2 rounds");
    fixture_outcome_free(&outcome);
    outcome = run_expecting(0, (const char *const[]){"plot", "latency", "--figure", "latency",
                                                     "--format", "svg", NULL});
    char *picture = fixture_read("latency/plots/latency-pingpong.svg");
    assert_says(picture, "itself, which is in every figure");
    free(picture);
    fixture_outcome_free(&outcome);
}

#ifdef HEAPMILL_SANITIZED
static void instructions_are_counted_or_refused(void **state)
{
    (void)state;
    struct fixture_outcome outcome = run_expecting(
        3, (const char *const[]){PINGPONG, "--metric", "instructions", "-o", "instructions", NULL});
    assert_says(outcome.err, "do not run under valgrind");
    fixture_outcome_free(&outcome);
}
#else
static void instructions_are_counted_or_refused(void **state)
{
    (void)state;
    if (system("command -v valgrind >/dev/null") != 0) {
        print_message("SKIPPED: no valgrind (apt-get install valgrind)\n");
        skip();
    }
    struct fixture_outcome outcome =
        run_expecting(0, (const char *const[]){PINGPONG, "--metric", "instructions", "--rounds",
                                               "2", "-o", "instructions", "--json", NULL});
    json_t *summary = json_loads(outcome.out, 0, NULL);
    assert_true(number(summary, "counted_cells") == 2); /* twins are not counted */
    assert_true(number(summary, "counted_cells_identical") == 2);
    json_decref(summary);
    assert_says(outcome.err, "2 of 2 cells with the same count in all their rounds, 2 at least");
    fixture_outcome_free(&outcome);
    json_t *records = fixture_read_lines("instructions/records.jsonl");
    size_t index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        /* An allocation or a free takes null a few instructions and glibc about 20. */
        assert_in_range((int)number(record, "instructions_per_op"), 2, 200);
        double all = number(record, "instructions_per_op") * number(record, "operations");
        assert_true(fabs(all / number(record, "instructions") - 1) < 1e-9);
    }
    json_decref(records);
    outcome = run_expecting(0, (const char *const[]){"explain", "instructions", "malloc", NULL});
    assert_says(outcome.out, "the same in 2 rounds");
    fixture_outcome_free(&outcome);
}
#endif

int main(void)
{
    fixture_enter();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latencies_are_measured_told_and_drawn),
        cmocka_unit_test(instructions_are_counted_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
