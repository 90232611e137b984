/* `heapmill bench --against`: two libraries of one name, of which the new one is worse, better or
 * the same. Revisions are in scripts/tests/against_test.sh, as they are built. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"
#include "common/host/text.h"

/* now/libmine.so and old/libmine.so, copies of the test's libraries of those names. */
static void put_libraries(const char *now, const char *old)
{
    char *command = text_format("mkdir -p now old && cp %s/lib%s.so now/libmine.so && cp "
                                "%s/lib%s.so old/libmine.so",
                                HEAPMILL_TEST_LIBRARIES, now, HEAPMILL_TEST_LIBRARIES, old);
    assert_int_equal(system(command), 0);
    free(command);
}

static struct fixture_outcome bench(const char *metric, const char *directory)
{
    return fixture_run((const char *const[]){
        "bench", "-b", "./now/libmine.so", "--against", "./old/libmine.so", "-w", "pingpong",
        "--metric", metric, "--rounds", "1", "--target-ms", "1", "-o", directory, NULL});
}

static void assert_says(const char *output, const char *text)
{
    if (strstr(output, text) == NULL) {
        fail_msg("this does not say \"%s\":\n%s", text, output);
    }
}

static bool has_valgrind(void)
{
    return system("command -v valgrind >/dev/null") == 0;
}

static void more_instructions_are_a_regression(void **state)
{
    (void)state;
    if (!has_valgrind()) {
        print_message("SKIPPED: no valgrind\n");
        skip();
    }
    put_libraries("heavy", "lean");
    struct fixture_outcome outcome = bench("instructions", "worse");
    assert_int_equal(outcome.status, 1);
    assert_says(outcome.out, "1 worse, 0 better of 1 figures, against ./old/libmine.so");
    assert_says(outcome.out, "| instructions |");
    fixture_outcome_free(&outcome);
    /* The directory tells the same later. */
    outcome = fixture_run((const char *const[]){"compare", "worse", NULL});
    assert_int_equal(outcome.status, 0);
    assert_says(outcome.out, "base: the same back end at ./old/libmine.so");
    fixture_outcome_free(&outcome);
}

static void the_same_library_is_the_same_to_the_instruction(void **state)
{
    (void)state;
    if (!has_valgrind()) {
        print_message("SKIPPED: no valgrind\n");
        skip();
    }
    put_libraries("lean", "lean");
    struct fixture_outcome outcome = bench("instructions", "same");
    assert_int_equal(outcome.status, 0);
    assert_says(outcome.out, "0 worse, 0 better of 1 figures");
    fixture_outcome_free(&outcome);
    outcome = fixture_run((const char *const[]){"compare", "same", "--json", NULL});
    json_t *json = fixture_json(&outcome, 0);
    const json_t *cell = json_array_get(json_object_get(json, "cells"), 0);
    assert_true(json_number_value(json_object_get(cell, "ratio")) == 1.0);
    json_decref(json);
    fixture_outcome_free(&outcome);
}

static void one_round_of_time_gives_no_verdict(void **state)
{
    (void)state;
    put_libraries("heavy", "lean");
    fixture_expect(bench("time", "figures"), 4);
}

static void what_cannot_be_compared_is_refused(void **state)
{
    (void)state;
    put_libraries("lean", "lean");
    struct fixture_outcome outcome = fixture_run((const char *const[]){
        "bench", "-b", "malloc", "--against", "./old/libmine.so", "--dry-run", NULL});
    assert_int_equal(outcome.status, 2);
    assert_says(outcome.err, "name a library with -b, as in -b ./libnew.so");
    fixture_outcome_free(&outcome);
    outcome = fixture_run((const char *const[]){"bench", "-b", "./now/libmine.so", "--against",
                                                "./absent/libmine.so", "--dry-run", NULL});
    assert_int_equal(outcome.status, 2);
    assert_says(outcome.err, "./absent/libmine.so");
    fixture_outcome_free(&outcome);
    outcome = fixture_run((const char *const[]){"bench", "-b", "malloc", "--against",
                                                "no-such-revision", "--dry-run", NULL});
    assert_true(outcome.status == 2 || outcome.status == 3);
    assert_says(outcome.err, "--against");
    fixture_outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_instructions_are_a_regression),
        cmocka_unit_test(the_same_library_is_the_same_to_the_instruction),
        cmocka_unit_test(one_round_of_time_gives_no_verdict),
        cmocka_unit_test(what_cannot_be_compared_is_refused),
    };
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
