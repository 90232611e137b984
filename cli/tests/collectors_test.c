/* -p collector=, `list collectors`, and what compare says of collectors, end to end with the malloc
 * worker. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"

static struct fixture_outcome run_expecting(int status, const char *const *arguments)
{
    struct fixture_outcome outcome = fixture_run(arguments);
    if (outcome.status != status) {
        fail_msg("status %d, expected %d; it said: %s", outcome.status, status, outcome.err);
    }
    return outcome;
}

static json_t *run_json(const char *const *arguments)
{
    struct fixture_outcome outcome = run_expecting(0, arguments);
    json_t *json = json_loads(outcome.out, 0, NULL);
    assert_non_null(json);
    fixture_outcome_free(&outcome);
    return json;
}

static void they_are_listed(void **state)
{
    (void)state;
    json_t *list = run_json((const char *const[]){"list", "collectors", "--json", NULL});
    size_t defaults = 0;
    size_t index;
    json_t *collector;
    json_array_foreach(json_object_get(list, "collectors"), index, collector)
    {
        assert_true(strlen(fixture_text(collector, "summary")) > 10);
        defaults += json_is_true(json_object_get(collector, "default"));
    }
    assert_true(index >= 4);
    assert_int_equal(defaults, 1);
    json_decref(list);
}

/* Each is a cell of the same group, so that they are pairs within a round; blocks have none. */
static void they_are_cells_of_one_group(void **state)
{
    (void)state;
    json_t *plan = run_json((const char *const[]){
        "bench", "-b", "malloc", "-w", "cyclic_graph,dead_shuffled,pingpong", "-p",
        "collector=none,generational-700", "-p", "n=1e3", "--dry-run", "--json", NULL});
    size_t of_objects = 0;
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        assert_string_equal(fixture_text(cell, "kind"), "objects");
        assert_true(strlen(fixture_text(cell, "collector")) > 0);
        assert_int_equal(json_object_size(json_object_get(cell, "env")), 0);
        assert_null(strstr(fixture_text(cell, "group"), "collector"));
        assert_non_null(strstr(fixture_text(cell, "id"), "{collector="));
        of_objects++;
    }
    assert_int_equal(of_objects, 2 * 4); /* two collectors, the first with two twins */
    json_decref(plan);
}

static void a_record_says_which(void **state)
{
    (void)state;
    struct fixture_outcome outcome = run_expecting(
        0, (const char *const[]){"bench", "-b", "malloc", "-w", "live_heap_growth", "-p",
                                 "collector=none,growth", "-p", "live=5e3", "--rounds", "2",
                                 "--target-ms", "1", "--no-memory", "-o", "run", NULL});
    fixture_outcome_free(&outcome);
    json_t *records = fixture_read_lines("run/records.jsonl");
    size_t index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        assert_string_equal(fixture_text(record, "status"), "ok");
        assert_string_equal(fixture_text(json_object_get(record, "gc"), "collector"),
                            fixture_text(record, "collector"));
    }
    assert_true(index >= 8);
    json_decref(records);
    json_t *comparison = run_json(
        (const char *const[]){"compare", "run", "--metric", "floating_peak", "--json", NULL});
    const json_t *cells = json_object_get(comparison, "cells");
    assert_int_equal(json_array_size(cells), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(cells, 0), "value")) > 0 ||
                         json_real_value(json_object_get(json_array_get(cells, 0), "value")) > 0,
                     1);
    json_decref(comparison);
    outcome = run_expecting(0, (const char *const[]){"explain", "run", "*collector=growth*", NULL});
    assert_non_null(strstr(outcome.out, "Collector "));
    fixture_outcome_free(&outcome);
}

static void a_wrong_name_is_refused(void **state)
{
    (void)state;
    struct fixture_outcome outcome =
        run_expecting(2, (const char *const[]){"bench", "-b", "malloc", "-w", "cyclic_graph", "-p",
                                               "collector=generational-7000", "--dry-run", NULL});
    assert_non_null(strstr(outcome.err, "generational-700"));
    fixture_outcome_free(&outcome);
}

static void a_former_name_is_taken_with_a_hint(void **state)
{
    (void)state;
    struct fixture_outcome outcome =
        run_expecting(0, (const char *const[]){"bench", "-b", "malloc", "-w", "cyclic_graph", "-p",
                                               "collector=ours", "--dry-run", NULL});
    assert_non_null(strstr(outcome.out, "malloc{collector=snapshot}"));
    assert_non_null(strstr(outcome.err, "'ours' is called 'snapshot' now"));
    fixture_outcome_free(&outcome);
}

int main(void)
{
    fixture_enter();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_listed),
        cmocka_unit_test(they_are_cells_of_one_group),
        cmocka_unit_test(a_record_says_which),
        cmocka_unit_test(a_wrong_name_is_refused),
        cmocka_unit_test(a_former_name_is_taken_with_a_hint),
    };
    return cmocka_run_group_tests_name("collectors", tests, NULL, NULL);
}
