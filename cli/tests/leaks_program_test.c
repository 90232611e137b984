/* `heapmill leaks -- CMD`, as a user calls it: what is lost is found to the byte, what can be
 * reached is not called lost, and an end without exit is no clean bill. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"

/* heapmill leaks --json -- leaking COUNT END, and its answer. */
static json_t *leaks_ask(const char *backend, const char *count, const char *end, int status)
{
    const char *with[] = {"leaks",          "--json", "-b", backend, "--",
                          HEAPMILL_LEAKING, count,    end,  NULL};
    const char *without[] = {"leaks", "--json", "--", HEAPMILL_LEAKING, count, end, NULL};
    struct fixture_outcome outcome = fixture_run(backend != NULL ? with : without);
    if (outcome.status != status) {
        fail_msg("%s %s: status %d: %s", count, end, outcome.status, outcome.err);
    }
    json_t *answer = json_loads(outcome.out, 0, NULL);
    assert_non_null(answer);
    fixture_outcome_free(&outcome);
    return answer;
}

static void leaks_expect(const char *backend, const char *count, const char *end, int blocks)
{
    json_t *answer = leaks_ask(backend, count, end, blocks > 0 ? 1 : 0);
    assert_true(json_is_true(json_object_get(answer, "judged")));
    assert_int_equal(blocks, json_integer_value(json_object_get(answer, "leaked_blocks")));
    assert_int_equal(blocks * 104, json_integer_value(json_object_get(answer, "leaked_bytes")));
    json_decref(answer);
}

static void leaks_clean_program_is_clean(void **state)
{
    (void)state;
    leaks_expect(NULL, "0", "exit", 0);
    leaks_expect(NULL, "0", "thread", 0);
    leaks_expect(NULL, "0", "fork", 0);
}

static void leaks_lost_blocks_are_counted(void **state)
{
    (void)state;
    leaks_expect(NULL, "1", "exit", 1);
    leaks_expect(NULL, "37", "exit", 37);
    leaks_expect(NULL, "5", "status", 5);
    leaks_expect(NULL, "10", "thread", 40);
    leaks_expect(NULL, "6", "fork", 6);
}

static void leaks_are_found_in_pools(void **state)
{
    (void)state;
    leaks_expect("pymalloc-3.10", "0", "exit", 0);
    leaks_expect("pymalloc-3.10", "37", "exit", 37);
}

static void leaks_site_is_named(void **state)
{
    (void)state;
    struct fixture_outcome outcome =
        fixture_run((const char *const[]){"leaks", "--", HEAPMILL_LEAKING, "8", "exit", NULL});
    assert_int_equal(1, outcome.status);
    assert_non_null(strstr(outcome.out, "bytes in 8 blocks are lost"));
    assert_non_null(
        strstr(outcome.out, "leaking")); /* the program; its function where addr2line is */
    fixture_outcome_free(&outcome);
}

static void leaks_ends_without_exit_are_not_judged(void **state)
{
    (void)state;
    json_t *answer = leaks_ask(NULL, "3", "abort", 3);
    assert_int_equal(6, json_integer_value(json_object_get(answer, "signal")));
    json_decref(answer);
    json_decref(leaks_ask(NULL, "3", "_exit", 3));
    struct fixture_outcome outcome =
        fixture_run((const char *const[]){"leaks", "--", "./no-such-program", NULL});
    assert_int_equal(3, outcome.status);
    assert_non_null(strstr(outcome.err, "./no-such-program: No such file"));
    fixture_outcome_free(&outcome);
}

/* What was there before an exec is gone; the program that came is judged. */
static void leaks_exec_is_followed(void **state)
{
    (void)state;
    struct fixture_outcome outcome = fixture_run((const char *const[]){
        "leaks", "--", HEAPMILL_LEAKING, "3", "exec", HEAPMILL_LEAKING, "2", "exit", NULL});
    assert_int_equal(1, outcome.status);
    assert_non_null(strstr(outcome.out, "bytes in 2 blocks are lost"));
    assert_non_null(strstr(outcome.out, "replaced itself by exec"));
    fixture_outcome_free(&outcome);
}

static void leaks_growth_is_shown_and_no_finding(void **state)
{
    (void)state;
    json_t *answer = leaks_ask(NULL, "0", "grow", 0);
    json_t *sites =
        json_object_get(json_array_get(json_object_get(answer, "processes"), 0), "sites");
    size_t i, growing = 0;
    json_t *site;
    json_array_foreach(sites, i, site)
    {
        growing += json_is_true(json_object_get(site, "grows"));
    }
    assert_int_equal(1, growing);
    json_decref(answer);
}

static void leaks_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    struct fixture_outcome outcome = fixture_run((const char *const[]){"leaks", "true", NULL});
    assert_int_equal(2, outcome.status);
    fixture_outcome_free(&outcome);
    outcome = fixture_run((const char *const[]){"leaks", "-b", "null", "--", "true", NULL});
    assert_int_equal(2, outcome.status);
    assert_non_null(strstr(outcome.err, "no back end that can be preloaded"));
    fixture_outcome_free(&outcome);
}

int main(void)
{
#ifdef HEAPMILL_SANITIZED
    (void)fputs("SKIPPED: a sanitizer replaces malloc itself; nothing can be preloaded\n", stderr);
    return 77;
#endif
    fixture_enter();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaks_clean_program_is_clean),
        cmocka_unit_test(leaks_lost_blocks_are_counted),
        cmocka_unit_test(leaks_are_found_in_pools),
        cmocka_unit_test(leaks_site_is_named),
        cmocka_unit_test(leaks_ends_without_exit_are_not_judged),
        cmocka_unit_test(leaks_exec_is_followed),
        cmocka_unit_test(leaks_growth_is_shown_and_no_finding),
        cmocka_unit_test(leaks_refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
