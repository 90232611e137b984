/* The table of metrics against itself, against the page that is made from it, and against
 * FORMAT.md. After a row has changed: HEAPMILL_WRITE_PAGES=1 ctest -R results/metrics_test writes
 * the page. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/host/text.h"
#include "results/metrics.h"
#include "results/record_private.h"

static char *read_page(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    if (file != NULL) {
        (void)fread(text, 1, (1 << 20) - 1, file);
        (void)fclose(file);
    }
    return text;
}

static bool is_sentence(const char *text)
{
    size_t length = strlen(text);
    return length > 10 && text[length - 1] == '.' && text[0] != ' ';
}

static void test_rows_are_whole(void **state)
{
    (void)state;
    static const char *const units[] = {"ns", "bytes", "objects", "operations", ""};
    for (const struct metric *metric = metric_table; metric->name != NULL; metric++) {
        bool known = false;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            known = known || strcmp(metric->unit, units[i]) == 0;
        }
        assert_true(known); /* a new unit: say in cli/ how people read it */
        assert_true(metric->summary[0] != '\0' && metric->less[0] != '\0');
        assert_string_not_equal(metric->less, metric->more);
        assert_true(is_sentence(metric->definition));
        assert_ptr_equal(metric, metric_find(metric->name));
        assert_true(metric->where[0] != '\0');
        /* Without a reader `where` is a path and no phrase. */
        assert_true(metric->read != NULL || strchr(metric->where, ' ') == NULL);
        assert_true(metric->where_smaps != NULL || metric->read_smaps == NULL);
    }
    assert_null(metric_find("no such metric"));
}

/* {"a": {"b": number}} of the path a.b, merged into record. */
static void put(json_t *record, const char *path, double number)
{
    struct text_list parts = {0};
    text_split(&parts, path, '.');
    for (size_t i = 0; i + 1 < parts.count; i++) {
        json_t *inner = json_object_get(record, parts.items[i]);
        if (inner == NULL) {
            inner = json_object();
            assert_int_equal(0, json_object_set_new(record, parts.items[i], inner));
        }
        record = inner;
    }
    assert_int_equal(0,
                     json_object_set_new(record, parts.items[parts.count - 1], json_real(number)));
    text_list_free(&parts);
}

/* Every row without a reader of its own takes the figure from where it says, and no other row's. */
static void test_a_figure_is_where_the_row_says(void **state)
{
    (void)state;
    const struct record_cell cell = {.threads = 1};
    for (int pass = 0; pass < RECORD_PASS_COUNT; pass++) {
        json_t *record = json_object();
        double figures[METRIC_FIGURES_MAX];
        double next = 1;
        for (const struct metric *metric = metric_table; metric->name != NULL; metric++) {
            if ((int)metric->pass == pass && metric->read == NULL) {
                put(record, metric->where, next++);
            }
        }
        size_t count = metric_read_record((enum record_pass)pass, record, &cell, figures);
        next = 1;
        for (const struct metric *metric = metric_table; metric->name != NULL; metric++) {
            if ((int)metric->pass == pass) {
                assert_true(metric_slot(metric) + (metric->where_smaps != NULL) < count);
            }
            if ((int)metric->pass == pass && metric->read == NULL) {
                assert_true(figures[metric_slot(metric)] == next++);
            }
        }
        json_decref(record);
    }
}

static json_t *series_record(const char *source)
{
    json_t *record = json_pack("{s{ss s{sf} s{s[iii] s[iii] s[iii]}}}", "memory", "held_source",
                               source, "fragmentation", "mean", 7.0, "series", "operations", 0, 10,
                               20, "held_smaps_bytes", 100, 300, 100, "live_bytes", 0, 100, 50);
    assert_non_null(record);
    return record;
}

/* By hand: (10 · 100 + 20 · 300 + 10 · 100) over (20 · 100 + 10 · 50). */
static void test_the_mean_over_a_series(void **state)
{
    (void)state;
    const struct record_cell cell = {.threads = 1};
    const struct metric *metric = metric_find("held_over_live");
    json_t *record = series_record("stats");
    double figures[METRIC_FIGURES_MAX];
    (void)metric_read_record(RECORD_MEMORY, record, &cell, figures);
    assert_true(figures[metric_slot(metric)] == 7.0);
    assert_true(fabs(figures[metric_slot(metric) + 1] - 3.2) < 1e-12);
    json_t *memory = json_object_get(record, "memory");
    assert_int_equal(0, json_object_del(memory, "series"));
    (void)metric_read_record(RECORD_MEMORY, record, &cell, figures);
    assert_true(isnan(figures[metric_slot(metric) + 1]));
    assert_int_equal(0, json_object_set_new(memory, "held_source", json_string("smaps")));
    (void)metric_read_record(RECORD_MEMORY, record, &cell, figures);
    assert_true(figures[metric_slot(metric) + 1] == 7.0);
    json_decref(record);
}

static void test_time_of_threads(void **state)
{
    (void)state;
    const struct record_cell two = {.threads = 2};
    const struct record_cell one = {.threads = 1};
    const struct metric *time = metric_find("time");
    json_t *record =
        json_pack("{sf sf sf}", "wall_ns", 500.0, "operations", 100.0, "cpu_ns_per_op", 3.0);
    double figures[METRIC_FIGURES_MAX];
    (void)metric_read_record(RECORD_TIME, record, &two, figures);
    assert_true(figures[metric_slot(time)] == 10);
    (void)metric_read_record(RECORD_TIME, record, &one, figures);
    assert_true(figures[metric_slot(time)] == 3);
    assert_int_equal(0, json_object_set_new(record, "ns_per_op", json_real(4)));
    (void)metric_read_record(RECORD_TIME, record, &two, figures);
    assert_true(figures[metric_slot(time)] == 4);
    json_decref(record);
}

/* docs/metrics.md as the table has it. */
static char *page_text(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    (void)fputs("# Metrics\n\n"
                "What `heapmill compare --metric` takes, and what the figures mean. Of every "
                "metric less is better.\nThis page is `results/metrics.c` as text: "
                "`results/tests/metrics_test.c` writes it.\n",
                file);
    for (const struct metric *metric = metric_table; metric->name != NULL; metric++) {
        (void)fprintf(file, "\n## %s\n%s\n\n", metric->name, metric->definition);
        (void)fprintf(file, "- Unit: %s\n", metric->unit[0] != '\0' ? metric->unit : "none");
        (void)fprintf(file, "- Verdicts: %s, %s\n", metric->less, metric->more);
        (void)fprintf(file, "- In a record of the %s pass: %s\n", record_pass_word(metric->pass),
                      metric->where);
        if (metric->where_smaps != NULL) {
            (void)fprintf(
                file,
                "- As the kernel sees it: %s. A pair takes both sides from the back ends' "
                "own counts, or both from the kernel, and never one of each.\n",
                metric->where_smaps);
        }
        if (metric->deterministic) {
            (void)fputs("- The same in every repetition: intervals are from the least to the "
                        "greatest record, and one round is enough for a verdict.\n",
                        file);
        }
        if (metric->presence == METRIC_OPTIONAL) {
            (void)fputs(strncmp(metric->where, "command.", strlen("command.")) == 0
                            ? "- Of a user's command: `heapmill try`.\n"
                            : "- Of workloads of objects whose collector ran.\n",
                        file);
        }
    }
    (void)fclose(file);
    return text;
}

static void test_the_page_is_the_table(void **state)
{
    (void)state;
    static const char path[] = HEAPMILL_SOURCE_DIRECTORY "/docs/metrics.md";
    char *wanted = page_text();
    if (getenv("HEAPMILL_WRITE_PAGES") != NULL) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        (void)fputs(wanted, file);
        (void)fclose(file);
    }
    char *found = read_page(path);
    assert_string_equal(found, wanted);
    free(found);
    free(wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_a_figure_is_where_the_row_says),
        cmocka_unit_test(test_the_mean_over_a_series),
        cmocka_unit_test(test_time_of_threads),
        cmocka_unit_test(test_the_page_is_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
