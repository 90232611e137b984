/* heapmill leaks: a small matrix, resumed, and what it makes of records that are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/leaks_matrix.h"
#include "cli/tests/cli_fixture.h"
#include "common/host/json.h"
#include "leaks/leaks.h"
#include "plots/leaks_figure.h"

/* A run's directory has its records and its lock, and nothing else. */
static void matrix_remove(const char *directory)
{
    static const char *const names[] = {"records.jsonl", "lock"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(0, rmdir(directory));
}

static json_t *matrix_record(const char *detector, int seed, bool clean, const char *site)
{
    json_t *leaks = json_array();
    if (site != NULL) {
        (void)json_array_append_new(leaks, json_pack("{s:s, s:i}", "site", site, "count", 1));
    }
    return json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:i, s:f, s:{s:[s]}, s:{s:o}}", "detector",
                     detector, "kind", "lost_block", "backend", "malloc", "annotated", 0,
                     "applicable", 1, "clean", (int)clean, "seed", seed, "seconds",
                     strcmp(detector, "none") == 0 ? 1.0 : 1.5, "truth", "sites", "a.c:1", "answer",
                     "leaks", leaks);
}

static const json_t *matrix_row(const json_t *score, const char *detector)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(score, "rows"), index, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "detector")), detector) == 0) {
            return row;
        }
    }
    return NULL;
}

/* The ledger finds one of two, names a wrong place once, and suspects one of two twins; growth
 * finds the other. */
static void matrix_scores_what_is_known(void **state)
{
    (void)state;
    json_t *records = json_array();
    for (int seed = 1; seed <= 3; seed++) {
        (void)json_array_append_new(records, matrix_record("none", seed, false, NULL));
    }
    (void)json_array_append_new(records, matrix_record("ledger", 1, false, "a.c:1"));
    (void)json_array_append_new(records, matrix_record("ledger", 2, false, NULL));
    (void)json_array_append_new(records, matrix_record("ledger", 3, false, "b.c:9"));
    (void)json_array_append_new(records, matrix_record("ledger", 1, true, "a.c:1"));
    (void)json_array_append_new(records, matrix_record("ledger", 2, true, NULL));
    (void)json_array_append_new(records, matrix_record("growth", 2, false, ""));
    json_t *score = leaks_score(records);
    const json_t *row = matrix_row(score, "ledger");
    assert_float_equal(1.0 / 3, json_number_at(row, "recall", 0), 1e-9);
    assert_float_equal(1.0 / 3, json_number_at(row, "precision", 0), 1e-9);
    assert_float_equal(1.5, json_number_at(row, "slowdown", 0), 1e-9);
    assert_int_equal(1, (int)json_number_at(row, "suspected", 0));
    assert_true(json_number_at(row, "low", 0) < 1.0 / 3 &&
                json_number_at(row, "high", 0) > 1.0 / 3);
    row = matrix_row(score, "own together");
    assert_float_equal(2.0 / 3, json_number_at(row, "recall", 0), 1e-9);
    assert_int_equal(2, (int)json_number_at(row, "clean", 0));
    json_decref(score);
    json_decref(records);
}

/* A detector from outside that names the right place, but fewer blocks than leaked, has not found
 * the leak; its costs are those of whole processes. */
static void matrix_weighs_answers_from_outside(void **state)
{
    (void)state;
    json_t *records = json_array();
    for (int seed = 1; seed <= 2; seed++) {
        json_t *bare = matrix_record("none", seed, false, NULL);
        (void)json_object_set_new(bare, "process_s", json_real(2));
        (void)json_object_set_new(bare, "peak_rss_bytes", json_integer(100));
        (void)json_array_append_new(records, bare);
        json_t *record = matrix_record("memcheck", seed, false, "a.c:1");
        (void)json_object_set_new(record, "needed", json_integer(seed));
        (void)json_object_set_new(record, "process_s", json_real(50));
        (void)json_object_set_new(record, "peak_rss_bytes", json_integer(300));
        (void)json_object_set_new(record, "first_report_s", json_real(7));
        (void)json_array_append_new(records, record);
    }
    json_t *score = leaks_score(records);
    const json_t *row = matrix_row(score, "memcheck");
    assert_float_equal(0.5, json_number_at(row, "recall", 0), 1e-9);
    assert_float_equal(1, json_number_at(row, "precision", 0), 1e-9);
    assert_float_equal(25, json_number_at(row, "slowdown", 0), 1e-9);
    assert_float_equal(3, json_number_at(row, "rss_ratio", 0), 1e-9);
    assert_float_equal(7, json_number_at(row, "first_report_s", 0), 1e-9);
    json_decref(score);
    json_decref(records);
}

/* LeakSanitizer and memcheck on a pool: told of its blocks they find a lost one, and suspect no
 * twin; not told they find nothing. Skipped where a tool or a build of the worker is absent. */
static void matrix_asks_detectors_from_outside(void **state)
{
    (void)state;
#ifdef HEAPMILL_SANITIZED
    print_message("SKIPPED: detectors from outside have builds of their own; this one has a "
                  "sanitizer\n");
    skip();
#endif
    char directory[] = "/tmp/heapmill-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    const char *const command[] = {"leaks",
                                   "-n",
                                   "1",
                                   "-b",
                                   "pymalloc-3.10",
                                   "-k",
                                   "live_pool",
                                   "-d",
                                   "lsan,memcheck",
                                   "-o",
                                   directory,
                                   "--json",
                                   NULL};
    struct fixture_outcome outcome = fixture_run(command);
    json_t *score = json_loads(outcome.out, 0, NULL);
    if (outcome.status == 4) {
        print_message("SKIPPED in part: %s", outcome.err);
    }
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(score, "rows"), index, row)
    {
        bool told = json_is_true(json_object_get(row, "annotated"));
        if (json_number_at(row, "planted", 0) > 0) {
            assert_int_equal(told, (int)json_number_at(row, "found", 0));
            assert_true(json_number_at(row, "slowdown", 0) > 1);
        }
        assert_int_equal(0, (int)json_number_at(row, "suspected", 0));
    }
    assert_true(index > 0 || outcome.status == 4);
    json_decref(score);
    fixture_outcome_free(&outcome);
    matrix_remove(directory);
}

/* The picture's table has a line for the kind and one for the clean programs, whether or not there
 * is a gnuplot that draws it. */
static void matrix_is_drawn(void **state)
{
    (void)state;
    char directory[] = "/tmp/heapmill-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    json_t *records = json_array();
    (void)json_array_append_new(records, matrix_record("ledger", 1, false, "a.c:1"));
    (void)json_array_append_new(records, matrix_record("ledger", 2, false, NULL));
    (void)json_array_append_new(records, matrix_record("ledger", 3, true, "a.c:1"));
    json_t *score = leaks_score(records);
    struct error error = {.message = ""};
    enum status status = leaks_figure_draw(score, directory, "heapmill leaks", &error);
    assert_true(status == STATUS_OK || status == STATUS_UNSUPPORTED);
    static const char *const names[] = {"leaks.tsv", "leaks.gp", "leaks.svg", "leaks.png"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        if (i == 0) {
            char *table = fixture_read(path);
            assert_non_null(strstr(table, "1\t1\t0.5\t"));
            assert_non_null(strstr(table, "2\t1\t4\t"));
            free(table);
        }
        assert_true(unlink(path) == 0 || status == STATUS_UNSUPPORTED);
    }
    assert_int_equal(0, rmdir(directory));
    json_t *none = json_array();
    json_t *nothing = leaks_score(none);
    assert_int_equal(STATUS_INVALID,
                     leaks_figure_draw(nothing, directory, "heapmill leaks", &error));
    json_decref(nothing);
    json_decref(none);
    json_decref(score);
    json_decref(records);
}

static void matrix_runs_and_resumes(void **state)
{
    (void)state;
    char directory[] = "/tmp/heapmill-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    const char *const command[] = {"leaks",
                                   "-n",
                                   "1",
                                   "-b",
                                   "malloc",
                                   "-k",
                                   "lost_block,growing_cache,immortals",
                                   "-d",
                                   "ledger,collector,growth",
                                   "-o",
                                   directory,
                                   "--json",
                                   NULL};
    struct fixture_outcome first = fixture_run(command);
    assert_int_equal(0, first.status);
    struct fixture_outcome second = fixture_run(command);
    assert_int_equal(0, second.status);
    assert_string_equal(first.out, second.out); /* the times too: nothing was done again */
    json_t *score = json_loads(first.out, 0, NULL);
    const json_t *row = matrix_row(score, "own together");
    assert_int_equal(2, (int)json_number_at(row, "planted", 0));
    assert_float_equal(1, json_number_at(row, "recall", 0), 1e-9);
    assert_float_equal(1, json_number_at(row, "precision", 0), 1e-9);
    json_decref(score);
    fixture_outcome_free(&first);
    fixture_outcome_free(&second);
    matrix_remove(directory);
}

static void matrix_refuses_unknown_names(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {{"-k", "los_block"}, {"-b", "jemalloc"}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *const command[] = {"leaks", wrong[i][0],     wrong[i][1],
                                       "-o",    "unknown-names", NULL};
        struct fixture_outcome outcome = fixture_run(command);
        assert_int_equal(2, outcome.status);
        assert_non_null(strstr(outcome.err, wrong[i][1]));
        fixture_outcome_free(&outcome);
    }
    matrix_remove("unknown-names");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrix_scores_what_is_known),
        cmocka_unit_test(matrix_weighs_answers_from_outside),
        cmocka_unit_test(matrix_asks_detectors_from_outside),
        cmocka_unit_test(matrix_is_drawn),
        cmocka_unit_test(matrix_runs_and_resumes),
        cmocka_unit_test(matrix_refuses_unknown_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
