/* Exports of a run whose content is known. */
#include "results/tests/synthetic.h"

#include <math.h>
#ifdef HEAPMILL_SQLITE
#include <sqlite3.h>
#endif

#include "results/export/export.h"

enum { ROUNDS = 7 };

static const char *const ids[] = {
    "churn/size=64/t1/malloc:preload", "churn/size=64/t1/malloc:preload~1",
    "churn/size=64/t1/malloc:preload~2", "churn/size=64/t1/pools|x:inline"};

struct fixture {
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set;
    struct comparison *comparison;
    struct export_source source;
};

/* Round r takes 10 + r ns of malloc, and 5 + r / 2 of pools|x, which fails in round 6 if asked to,
 * for a reason with a comma, quotes and a line's end. */
static void open_fixture(struct fixture *fixture, bool fails)
{
    json_t *plan = synthetic_plan();
    struct error error = {0};
    for (int twin = 0; twin <= 2; twin++) {
        synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", twin);
    }
    synthetic_add_cell(plan, "churn", "steady", "pools|x", "inline", 0);
    synthetic_directory(fixture->directory);
    struct store *store = synthetic_create(fixture->directory, plan);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 4; i++) {
            bool failed = fails && i == 3 && round == 6;
            double time_ns = (10 + round) * (i == 3 ? 0.5 : 1);
            json_t *record = synthetic_record(ids[i], round, failed ? "failed" : "ok", time_ns);
            if (failed) {
                (void)json_object_set_new(record, "reason", json_string("no, \"never\"\nagain"));
            } else {
                (void)json_object_set_new(record, "operations", json_integer(1000));
                (void)json_object_set_new(record, "wall_ns", json_real(time_ns * 2000));
                (void)json_object_set_new(record, "process",
                                          json_pack("{s:i}", "rss_bytes_peak", 4096));
            }
            synthetic_append(store, record);
        }
    }
    store_close(store);
    assert_int_equal(STATUS_OK, store_load(fixture->directory, &fixture->set, &error));
    const struct comparison_options options = {.seed = 1};
    assert_int_equal(STATUS_OK,
                     comparison_build(fixture->set, &options, &fixture->comparison, &error));
    fixture->source = (struct export_source){fixture->set, &fixture->comparison, 1};
}

static void close_fixture(struct fixture *fixture)
{
    comparison_free(fixture->comparison);
    record_set_free(fixture->set);
    synthetic_remove(fixture->directory);
}

/* What an exporter wrote, as text that the caller frees. */
#define EXPORTED(text, call)                                                                       \
    do {                                                                                           \
        size_t length_ = 0;                                                                        \
        FILE *file = open_memstream(&(text), &length_);                                            \
        struct error error = {0};                                                                  \
        assert_non_null(file);                                                                     \
        assert_int_equal(STATUS_OK, call);                                                         \
        assert_int_equal(0, fclose(file));                                                         \
    } while (0)

static void assert_says(const char *output, const char *text)
{
    if (strstr(output, text) == NULL) {
        fail_msg("this does not say \"%s\":\n%s", text, output);
    }
}

static void assert_near(double expected, double actual, double tolerance)
{
    if (!(fabs(expected - actual) <= tolerance)) {
        fail_msg("expected %.17g, got %.17g", expected, actual);
    }
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    while ((text = strstr(text, what)) != NULL) {
        count++;
        text += strlen(what);
    }
    return count;
}

static void test_csv(void **state)
{
    (void)state;
    struct fixture fixture;
    char *text = NULL;
    open_fixture(&fixture, true);
    EXPORTED(text, export_csv(&fixture.source, export_records(), file, &error));
    assert_int_equal(1 + ROUNDS * 4 + 1, count_of(text, "\n")); /* one is inside quotes */
    assert_says(text, "cell,group_id,workload,params,");
    assert_says(text, "\"no, \"\"never\"\"\nagain\"");
    assert_says(text, "churn/size=64/t1/malloc:preload~2,churn/size=64/t1,churn,size=64,1,malloc,"
                      "preload,2,time,3,ok,13,0,");
    assert_says(text, ",4096,");
    free(text);
    EXPORTED(text, export_csv(&fixture.source, &export_comparison, file, &error));
    assert_int_equal(2, count_of(text, "\n"));
    assert_says(text, ",failed,0,");
    free(text);
    close_fixture(&fixture);
}

static void test_markdown(void **state)
{
    (void)state;
    struct fixture fixture;
    char *text = NULL;
    open_fixture(&fixture, false);
    EXPORTED(text, export_markdown(&fixture.source, file, &error));
    assert_says(text,
                "| churn | size=64 | pools\\|x | inline | 6.5 | 13 | 0.500 \\[0.500, 0.500\\] "
                "| faster |");
    assert_says(text, "geometric mean");
    /* Each line of the table has its nine bars, those that are escaped not counted. */
    for (const char *line = strstr(text, "\n| "); line != NULL; line = strstr(line + 1, "\n| ")) {
        size_t bars = 0;
        for (const char *at = line + 1; *at != '\n'; at++) {
            bars += *at == '|' && at[-1] != '\\';
        }
        assert_int_equal(9, bars);
    }
    free(text);
    close_fixture(&fixture);
}

/* What report.py asks of an entry, the same names as in another run, and figures by hand. */
static void test_benchmark_json(void **state)
{
    (void)state;
    struct fixture fixture;
    char *text = NULL;
    open_fixture(&fixture, true);
    EXPORTED(text, export_benchmark(&fixture.source, file, &error));
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_true(json_is_object(json_object_get(json, "context")));
    const json_t *entries = json_object_get(json, "benchmarks");
    /* Two cells: 7 and 6 ok rounds, each with three aggregates; no twins. */
    assert_int_equal(7 + 3 + 6 + 3, json_array_size(entries));
    size_t index;
    json_t *entry;
    json_array_foreach(entries, index, entry)
    {
        assert_true(json_is_number(json_object_get(entry, "real_time")));
        assert_true(json_is_number(json_object_get(entry, "cpu_time")));
        assert_true(json_is_integer(json_object_get(entry, "iterations")));
        assert_string_equal("ns", json_string_value(json_object_get(entry, "time_unit")));
        assert_null(strchr(json_string_value(json_object_get(entry, "name")), '~'));
    }
    entry = json_array_get(entries, 2);
    assert_string_equal(ids[0], json_string_value(json_object_get(entry, "name")));
    assert_string_equal("iteration", json_string_value(json_object_get(entry, "run_type")));
    assert_near(12, json_number_value(json_object_get(entry, "cpu_time")), 1e-9);
    assert_near(24, json_number_value(json_object_get(entry, "real_time")), 1e-9);
    static const double figures[] = {13, 2.160246899469287, 13}; /* of 10 … 16 */
    static const char *const names[] = {"mean", "stddev", "median"};
    for (size_t i = 0; i < 3; i++) {
        entry = json_array_get(entries, 7 + i);
        assert_string_equal(names[i], json_string_value(json_object_get(entry, "aggregate_name")));
        assert_near(figures[i], json_number_value(json_object_get(entry, "cpu_time")), 1e-9);
        assert_near(2 * figures[i], json_number_value(json_object_get(entry, "real_time")), 1e-9);
    }
    json_decref(json);
    free(text);
    close_fixture(&fixture);
}

#ifdef HEAPMILL_SQLITE
static double ask(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(database, sql, -1, &statement, NULL));
    assert_int_equal(SQLITE_ROW, sqlite3_step(statement));
    double answer = sqlite3_column_double(statement, 0);
    (void)sqlite3_finalize(statement);
    return answer;
}

static void test_sqlite(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error;
    char path[SYNTHETIC_PATH_MAX];
    sqlite3 *database = NULL;
    open_fixture(&fixture, true);
    synthetic_file(path, fixture.directory, "run.db");
    assert_int_equal(STATUS_OK, export_sqlite(&fixture.source, path, &error));
    assert_int_equal(STATUS_OK, export_sqlite(&fixture.source, path, &error)); /* anew */
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &database));
    assert_near(28, ask(database, "SELECT count(*) FROM records"), 0);
    assert_near(27, ask(database, "SELECT count(time_ns) FROM records"), 0); /* a NULL */
    assert_near(13,
                ask(database, "SELECT avg(time_ns) FROM records WHERE backend = "
                              "'malloc' AND twin = 0"),
                1e-9);
    assert_near(1,
                ask(database, "SELECT count(*) FROM comparison WHERE verdict = 'failed' "
                              "AND ratio IS NULL"),
                0);
    assert_near(7, ask(database, "SELECT value FROM run WHERE key = 'seed'"), 0);
    assert_int_equal(SQLITE_OK, sqlite3_close(database));
    close_fixture(&fixture);
}
#else
static void test_sqlite(void **state)
{
    (void)state;
    const struct export_source source = {0};
    struct error error;
    assert_int_equal(STATUS_UNSUPPORTED, export_sqlite(&source, "x.db", &error));
    assert_non_null(strstr(error.message, "libsqlite3-dev"));
}
#endif

/* A file that was there stays as it was until the new one is whole, and nothing else is left. */
static void test_files_are_whole_or_not_there(void **state)
{
    (void)state;
    struct fixture fixture;
    struct export_file file;
    struct error error;
    char path[SYNTHETIC_PATH_MAX];
    open_fixture(&fixture, false);
    synthetic_write(fixture.directory, "out.csv", "old", 3);
    synthetic_file(path, fixture.directory, "out.csv");
    assert_int_equal(STATUS_OK, export_file_open(&file, path, &error));
    assert_true(fputs("new", file.file) >= 0);
    assert_int_equal(0, fflush(file.file));
    char *text = synthetic_read(fixture.directory, "out.csv", NULL);
    assert_string_equal("old", text);
    free(text);
    export_file_discard(&file);
    assert_int_not_equal(0, access(file.temporary, F_OK));
    assert_int_equal(STATUS_OK, export_file_open(&file, path, &error));
    assert_true(fputs("new", file.file) >= 0);
    assert_int_equal(STATUS_OK, export_file_commit(&file, &error));
    text = synthetic_read(fixture.directory, "out.csv", NULL);
    assert_string_equal("new", text);
    free(text);
    assert_int_not_equal(0, access(file.temporary, F_OK));
    assert_int_equal(STATUS_IO, export_file_open(&file, "/nowhere/at/all.csv", &error));
    assert_non_null(strstr(error.message, "/nowhere/at/all.csv"));
    close_fixture(&fixture);
}

/* /dev/full takes nothing: every exporter says so. */
static void test_a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error;
    open_fixture(&fixture, false);
    for (int i = 0; i < 3; i++) {
        FILE *file = fopen("/dev/full", "w");
        assert_non_null(file);
        (void)setvbuf(file, NULL, _IONBF, 0);
        enum status status = i == 0   ? export_csv(&fixture.source, export_records(), file, &error)
                             : i == 1 ? export_markdown(&fixture.source, file, &error)
                                      : export_benchmark(&fixture.source, file, &error);
        assert_int_equal(STATUS_IO, status);
        (void)fclose(file);
    }
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_benchmark_json),
        cmocka_unit_test(test_sqlite),
        cmocka_unit_test(test_files_are_whole_or_not_there),
        cmocka_unit_test(test_a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
