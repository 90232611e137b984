/* `heapmill bench --threads`, what `list` says of threads, and `heapmill figures`, end to end with
 * the workers of malloc and null. */
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

static int64_t member(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* Only the threaded workload has the dimension; the other has one thread, once. */
static void threads_are_a_dimension(void **state)
{
    (void)state;
    json_t *plan =
        run_json((const char *const[]){"bench", "-b", "malloc,null", "-w", "pingpong,larson",
                                       "--threads", "1,2,4,2", "--dry-run", "--json", NULL});
    const json_t *cells = json_object_get(plan, "cells");
    size_t of_threads[5] = {0};
    size_t index;
    json_t *cell;
    json_array_foreach(cells, index, cell)
    {
        int64_t threads = member(cell, "threads");
        char tail[8];
        (void)snprintf(tail, sizeof(tail), "/t%d", (int)threads);
        const char *group = fixture_text(cell, "group");
        assert_string_equal(group + strlen(group) - strlen(tail), tail);
        of_threads[threads]++;
    }
    /* malloc with two twins, and null: four a group. */
    assert_int_equal(of_threads[1], 8);
    assert_int_equal(of_threads[2], 4);
    assert_int_equal(of_threads[4], 4);
    assert_int_equal(json_array_size(cells), 16);
    json_decref(plan);
}

static void single_threaded_back_ends_are_not_applicable(void **state)
{
    (void)state;
    struct fixture_outcome outcome = run_expecting(
        0, (const char *const[]){"bench", "-b", "malloc,null", "-w", "larson", "--threads", "1,2",
                                 "--rounds", "1", "--target-ms", "1", "-o", "run", NULL});
    fixture_outcome_free(&outcome);
    json_t *records = fixture_read_lines("run/records.jsonl");
    size_t index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        bool single = strcmp(fixture_text(record, "backend"), "null") == 0;
        bool applies = !single || member(record, "threads") == 1;
        assert_string_equal(fixture_text(record, "status"), applies ? "ok" : "not_applicable");
        assert_string_equal(fixture_text(record, "thread_support"),
                            single ? "single-threaded" : "yes");
        bool timed = applies && strcmp(fixture_text(record, "pass"), "time") == 0;
        assert_int_equal(json_array_size(json_object_get(record, "thread_wall_ns")),
                         timed ? member(record, "threads") : 0);
        if (!applies) {
            assert_non_null(strstr(fixture_text(record, "reason"), "null is single-threaded"));
        }
    }
    assert_int_equal(json_array_size(records), 2 * (4 + 2));
    json_decref(records);
    json_t *comparison = run_json((const char *const[]){"compare", "run", "--json", NULL});
    const json_t *cells = json_object_get(comparison, "cells");
    assert_int_equal(json_array_size(cells), 2);
    assert_int_equal(fixture_count_records(cells, "verdict", "not applicable"), 1);
    json_decref(comparison);
}

static void a_bad_list_of_threads_is_refused(void **state)
{
    (void)state;
    static const char *const lists[] = {"0", "1,", "two", "1000", "-1", "1.5"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct fixture_outcome outcome =
            run_expecting(2, (const char *const[]){"bench", "-b", "malloc", "-w", "larson",
                                                   "--threads", lists[i], "--dry-run", NULL});
        assert_non_null(strstr(outcome.err, "--threads"));
        fixture_outcome_free(&outcome);
    }
}

static void list_says_who_can_thread(void **state)
{
    (void)state;
    json_t *list =
        run_json((const char *const[]){"list", "backends", "arms", "workloads", "--json", NULL});
    size_t index;
    json_t *row;
    size_t locked = 0;
    json_array_foreach(json_object_get(list, "backends"), index, row)
    {
        const char *threads = fixture_text(row, "threads");
        const char *name = fixture_text(row, "name");
        if (strcmp(name, "malloc") == 0 || strcmp(name, "null") == 0) {
            assert_string_equal(threads, name[0] == 'm' ? "yes" : "single-threaded");
        }
    }
    json_array_foreach(json_object_get(list, "arms"), index, row)
    {
        const char *preload = fixture_text(row, "preload");
        bool ours = strncmp(preload, "libheapmill-", strlen("libheapmill-")) == 0;
        bool whole = strncmp(fixture_text(row, "backend"), "pools", strlen("pools")) == 0;
        const char *threads = fixture_text(row, "threads");
        /* "": that library was not built. */
        assert_true(!ours || threads[0] == '\0' ||
                    strcmp(threads, whole ? "yes" : "single lock") == 0);
        locked += ours && !whole && threads[0] != '\0';
    }
#ifndef HEAPMILL_SANITIZED
    assert_true(locked > 0);
#endif
    json_array_foreach(json_object_get(list, "workloads"), index, row)
    {
        if (strcmp(fixture_text(row, "name"), "larson") == 0) {
            assert_true(json_is_true(json_object_get(row, "threaded")));
        } else if (strcmp(fixture_text(row, "name"), "pingpong") == 0) {
            assert_true(json_is_false(json_object_get(row, "threaded")));
        }
    }
    json_decref(list);
}

static void figures_are_printed(void **state)
{
    (void)state;
    struct fixture_outcome outcome = run_expecting(
        0, (const char *const[]){"bench", "-b", "malloc", "-w", "robson,pingpong", "-p",
                                 "robson.live=1e5", "-p", "largest=1024", "--rounds", "1",
                                 "--target-ms", "1", "-o", "figures", NULL});
    fixture_outcome_free(&outcome);
    json_t *json = run_json((const char *const[]){"figures", "figures", "--json", NULL});
    const json_t *cells = json_object_get(json, "cells");
    assert_int_equal(json_array_size(cells), 1);
    const json_t *figures = json_object_get(json_array_get(cells, 0), "figures");
    assert_true(json_number_value(json_object_get(figures, "half_log2_n")) == 3);
    assert_true(json_number_value(json_object_get(figures, "live_bytes")) == 1e5);
    assert_true(json_number_value(json_object_get(figures, "blow_up")) >= 1);
    json_decref(json);
    outcome = run_expecting(0, (const char *const[]){"figures", "figures", NULL});
    assert_non_null(strstr(outcome.out, "half_log2_n  blow_up"));
    assert_non_null(strstr(outcome.out, "malloc:preload"));
    assert_null(strstr(outcome.out, "pingpong"));
    fixture_outcome_free(&outcome);
    outcome = run_expecting(0, (const char *const[]){"figures", "figures", "-w", "pingpong", NULL});
    assert_non_null(strstr(outcome.err, "report no figures of their own"));
    fixture_outcome_free(&outcome);
    static const char *const wrong[][3] = {{"figures", "nowhere", NULL}, {"figures", NULL, NULL}};
    for (size_t i = 0; i < 2; i++) {
        outcome = run_expecting(2, wrong[i]);
        assert_non_null(strstr(outcome.err, "heapmill figures: "));
        fixture_outcome_free(&outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_a_dimension),
        cmocka_unit_test(single_threaded_back_ends_are_not_applicable),
        cmocka_unit_test(a_bad_list_of_threads_is_refused),
        cmocka_unit_test(list_says_who_can_thread),
        cmocka_unit_test(figures_are_printed),
    };
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
