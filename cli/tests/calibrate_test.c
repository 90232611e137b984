/* `heapmill calibrate` end to end with a tiny calibration: what it leaves, that a kill costs
 * nothing, and what doctor makes of it. Whether its shares are right is tested with runs of which
 * the truth is known (results/tests/power_test.c). */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/calibrate.h"
#include "cli/tests/cli_fixture.h"
#include "common/host/text.h"

/* Two runs of four groups with ten rounds of four cells each. */
#define TINY                                                                                       \
    "calibrate", "--runs", "2", "-b", "malloc,null:inline", "-w", "pingpong", "-p",                \
        "size=16,32,64,128", "--target-ms", "1", "--rounds", "10", "--slowdowns", "1,5,2,10",      \
        "--no-plot"

enum { RUNS = 2, GROUPS = 4, CELLS = 4, ROUNDS = 10 };

static struct fixture_outcome run_expecting(int status, const char *const *arguments)
{
    struct fixture_outcome outcome = fixture_run(arguments);
    if (outcome.status != status) {
        fail_msg("status %d, expected %d; it said: %s", outcome.status, status, outcome.err);
    }
    return outcome;
}

static void slowed_cells_are_copies_of_the_base(void **state)
{
    (void)state;
    json_t *plan =
        json_pack("{s:[{s:s,s:s,s:i}, {s:s,s:s,s:i}, {s:s,s:s,s:i}, {s:s,s:s,s:i}]}", "cells", "id",
                  "a/x", "program", "p", "twin", 0, "id", "a/x~1", "program", "q", "twin", 1, "id",
                  "a/x~2", "program", "r", "twin", 2, "id", "b/x", "program", "p", "twin", 0);
    assert_non_null(plan);
    struct error error = {.message = ""};
    assert_int_equal(calibrate_add_slowed(plan, "1,5,2", 1, &error), STATUS_OK);
    const json_t *cells = json_object_get(plan, "cells");
    assert_int_equal(json_array_size(cells), 6);
    const json_t *first = json_array_get(cells, 1);
    const json_t *second = json_array_get(cells, 5);
    assert_string_equal(fixture_text(first, "id"), "a/x+5%");
    assert_string_equal(fixture_text(first, "program"), "p");
    assert_true(json_number_value(json_object_get(first, "extra_work")) > 4.99);
    assert_string_equal(fixture_text(second, "id"), "b/x+2%");
    assert_int_equal(json_integer_value(json_object_get(second, "layout_set")), 3);
    assert_int_equal(calibrate_add_slowed(plan, "5,much", 1, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "--slowdowns 5,much"));
    json_decref(plan);
}

static void check_directory(const char *directory)
{
    char *path = text_format("%s/records.jsonl", directory);
    json_t *records = fixture_read_lines(path);
    size_t slowed = 0;
    size_t index;
    json_t *record;
    assert_true(json_array_size(records) >= (size_t)ROUNDS * GROUPS * CELLS);
    json_array_foreach(records, index, record)
    {
        const json_t *extra = json_object_get(record, "extra_work");
        assert_string_equal(fixture_text(record, "status"), "ok");
        assert_int_equal(json_integer_value(json_object_get(record, "iterations")) % 100, 0);
        slowed += extra != NULL;
        if (extra != NULL) { /* really added, and to the per cent */
            const char *plus = strrchr(fixture_text(record, "cell"), '+');
            assert_non_null(plus);
            double done = json_number_value(extra) - strtod(plus + 1, NULL);
            assert_true(done < 1e-6 && done > -1e-6);
        }
    }
    assert_int_equal(slowed * CELLS, json_array_size(records));
    json_decref(records);
    free(path);
}

static void check_share(const json_t *share)
{
    double rate = json_number_value(json_object_get(share, "rate"));
    double low = json_number_value(json_object_get(share, "low"));
    double high = json_number_value(json_object_get(share, "high"));
    assert_true(json_is_number(json_object_get(share, "rate")));
    assert_true(0 <= low && low <= rate && rate <= high && high <= 1 && low < high);
}

static void check_calibration(const json_t *calibration)
{
    const json_t *none = json_object_get(calibration, "false_positives");
    check_share(none);
    assert_int_equal(json_integer_value(json_object_get(none, "comparisons")), RUNS * GROUPS);
    size_t index;
    json_t *share;
    size_t at_end[11] = {0};
    json_int_t most =
        json_integer_value(json_object_get(json_object_get(calibration, "rounds"), "most"));
    json_array_foreach(json_object_get(calibration, "power"), index, share)
    {
        check_share(share);
        size_t slowdown = (size_t)json_number_value(json_object_get(share, "slowdown"));
        assert_true(slowdown <= 10);
        if (json_integer_value(json_object_get(share, "rounds")) == most) {
            at_end[slowdown] = (size_t)json_integer_value(json_object_get(share, "comparisons"));
        }
    }
    assert_true(most >= ROUNDS);
    assert_true(at_end[1] == 2 && at_end[2] == 2 && at_end[5] == 2 && at_end[10] == 2);
}

/* Killed in its second run, it goes on where it was: no record of before is made again. */
static void a_killed_calibration_goes_on(void **state)
{
    (void)state;
    static const char *const tiny[] = {TINY, "-o", "killed", "--json", NULL};
    pid_t pid = fixture_start(tiny, 0);
    /* However long the first run takes: under AddressSanitizer more than a minute. Killed in that
     * one, its last group would rightly run again. */
    while (access("killed/run-02-null-inline/records.jsonl", F_OK) != 0 && kill(pid, 0) == 0) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(access("killed/run-02-null-inline/records.jsonl", F_OK), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(fixture_wait(pid), 128 + SIGKILL);
    assert_int_not_equal(access("killed/calibration.json", F_OK), 0);
    char *before = fixture_read("killed/run-01-malloc/records.jsonl");
    struct fixture_outcome outcome = run_expecting(0, tiny);
    char *after = fixture_read("killed/run-01-malloc/records.jsonl");
    assert_int_equal(strncmp(before, after, strlen(before)), 0);
    free(before);
    free(after);
    check_directory("killed/run-01-malloc");
    check_directory("killed/run-02-null-inline");
    json_t *printed = json_loads(outcome.out, 0, NULL);
    json_t *written = json_load_file("killed/calibration.json", 0, NULL);
    check_calibration(printed);
    check_calibration(written);
    assert_string_equal(fixture_text(written, "format"), "heapmill-calibration-1");
    json_decref(printed);
    json_decref(written);
    fixture_outcome_free(&outcome);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[4];
        const char *said;
    } cases[] = {
        {{"calibrate", "--runs", "0", NULL}, "--runs 0"},
        {{"calibrate", "--rounds", "5", NULL}, "--rounds 5"},
        {{"calibrate", "--target-ms", "0.1", NULL}, "--target-ms 0.1"},
        {{"calibrate", "--seed", "-1", NULL}, "--seed -1"},
        {{"calibrate", "--ruonds", "9", NULL}, "--ruonds"},
        {{"calibrate", "somewhere", NULL, NULL}, "one argument too many"},
        {{"calibrate", "-w", "nothing", NULL}, "nothing"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture_outcome outcome = run_expecting(2, cases[i].arguments);
        if (strstr(outcome.err, cases[i].said) == NULL) {
            fail_msg("expected '%s'; it said: %s", cases[i].said, outcome.err);
        }
        fixture_outcome_free(&outcome);
    }
    struct fixture_outcome outcome =
        run_expecting(2, (const char *const[]){"calibrate", "-b", "malloc,./none.so", "--runs", "2",
                                               "-w", "pingpong", "--rounds", "6", "--target-ms",
                                               "1", "-o", "absent", "--no-plot", NULL});
    assert_non_null(strstr(outcome.err, "none.so"));
    fixture_outcome_free(&outcome);
    assert_int_not_equal(access("absent", F_OK), 0); /* before time was spent on malloc */
}

/* The row of doctor's answer, as JSON; the caller's. */
static json_t *doctor_row(const char *name)
{
    struct fixture_outcome outcome = fixture_run((const char *const[]){"doctor", "--json", NULL});
    json_t *answer = json_loads(outcome.out, 0, NULL);
    json_t *found = NULL;
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(answer, "checks"), index, row)
    {
        if (strcmp(fixture_text(row, "name"), name) == 0) {
            found = json_incref(row);
        }
    }
    json_decref(answer);
    fixture_outcome_free(&outcome);
    return found;
}

static void check_doctor(const char *name, const char *level, const char *said)
{
    json_t *row = doctor_row(name);
    assert_non_null(row);
    assert_string_equal(fixture_text(row, "level"), level);
    if (strstr(fixture_text(row, "value"), said) == NULL) {
        fail_msg("doctor says '%s', expected '%s'", fixture_text(row, "value"), said);
    }
    json_decref(row);
}

static void doctor_tells_what_was_found(void **state)
{
    (void)state;
    check_doctor("resolution", "info", "there is no results/calibration/calibration.json");
    assert_int_equal(system("mkdir -p results && cp -r killed results/calibration"), 0);
    json_t *calibration = json_load_file("results/calibration/calibration.json", 0, NULL);
    json_t *none = json_object_get(calibration, "false_positives");
    assert_non_null(none);
    (void)json_object_set_new(calibration, "resolves", json_real(5));
    (void)json_object_set_new(none, "rate", json_real(0.02));
    (void)json_object_set_new(none, "high", json_real(0.05));
    assert_int_equal(json_dump_file(calibration, "results/calibration/calibration.json", 0), 0);
    check_doctor("resolution", "ok", "a slowdown of 5% is found");
    check_doctor("false positives", "ok", "2.0%");
    (void)json_object_set_new(none, "high", json_real(0.09));
    (void)json_object_set_new(calibration, "resolves", json_null());
    assert_int_equal(json_dump_file(calibration, "results/calibration/calibration.json", 0), 0);
    check_doctor("resolution", "warning", "none of the slowdowns");
    check_doctor("false positives", "warning", "9.0");
    json_t *host = json_object_get(calibration, "host");
    (void)json_object_set_new(host, "cpu", json_string("another"));
    assert_int_equal(json_dump_file(calibration, "results/calibration/calibration.json", 0), 0);
    check_doctor("resolution", "info", "another machine");
    assert_int_equal(system("echo '{' > results/calibration/calibration.json"), 0);
    check_doctor("resolution", "warning", "no calibration of this heapmill");
    json_decref(calibration);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slowed_cells_are_copies_of_the_base),
        cmocka_unit_test(a_killed_calibration_goes_on),
        cmocka_unit_test(doctor_tells_what_was_found),
        cmocka_unit_test(mistakes_are_named),
    };
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
