/* What documents look like, character by character, from each printer. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/host/document.h"

static const struct document_look plain = {.colour = false, .width = 0};

/* The caller frees. */
static char *text_of(const struct document *document, const struct document_look *look)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    if (look != NULL) {
        document_print(document, look, file);
    } else {
        document_print_markdown(document, file);
    }
    assert_int_equal(0, fclose(file));
    return text;
}

static void assert_prints(const struct document *document, const struct document_look *look,
                          const char *expected)
{
    char *text = text_of(document, look);
    assert_string_equal(text, expected);
    free(text);
}

static void test_columns_are_aligned_and_lines_end_without_blanks(void **state)
{
    (void)state;
    struct document *document = document_new();
    struct table *table = document_table(document, "rows");
    (void)table_column(table, NULL, "name", TABLE_LEFT);
    (void)table_column(table, NULL, "ns", TABLE_RIGHT);
    (void)table_column(table, NULL, "", TABLE_LEFT);
    table_row(table);
    table_cell(table, 0, "pymalloc-%d.%d", 3, 10);
    table_number(table, 1, "%.1f", 12.5);
    table_cell(table, 2, "last");
    table_gap(table);
    table_row(table);
    table_cell(table, 0, "bump");
    table_number(table, 1, "%.0f", 3);
    table_number(table, 2, "%.0f", (double)NAN);
    assert_prints(document, &plain,
                  "name             ns\n"
                  "pymalloc-3.10  12.5  last\n"
                  "\n"
                  "bump              3\n");
    document_free(document);
}

/* A character is one column wide, however many bytes it has, and a colour none. */
static void test_widths_are_of_characters(void **state)
{
    (void)state;
    const struct document_look coloured = {.colour = true};
    struct document *document = document_new();
    struct table *table = document_table(document, "rows");
    (void)table_column(table, "a", "", TABLE_LEFT);
    (void)table_column(table, "b", "", TABLE_LEFT);
    table_row(table);
    table_cell(table, 0, "±1");
    table_cell(table, 1, "a");
    table_row(table);
    table_cell(table, 0, "xyz");
    table_style(table, 0, CELL_BAD);
    table_cell(table, 1, "b");
    assert_prints(document, &coloured, "±1   a\n\033[31mxyz\033[0m  b\n");
    assert_prints(document, &plain, "±1   a\nxyz  b\n");
    document_free(document);
}

static void test_an_empty_table_prints_nothing(void **state)
{
    (void)state;
    struct document *document = document_new();
    struct table *table = document_table(document, "rows");
    assert_prints(document, &plain, "");
    (void)table_column(table, "a", "", TABLE_LEFT);
    assert_prints(document, &plain, "");
    document_free(document);
}

static void test_colour_needs_a_terminal(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(0, unsetenv("NO_COLOR"));
    struct document_look look = document_look_of(file);
    assert_false(look.colour);
    assert_int_equal(0, look.width);
    assert_int_equal(0, fclose(file));
}

/* One of everything. */
static struct document *sample(void)
{
    struct document *document = document_new();
    document_heading(document, 1, "churn|%d", 64);
    document_line(document, "base: malloc:inline");
    document_line(document, "rounds: %d", 7);
    document_gap(document);
    struct table *table = document_table(document, "cells");
    (void)table_column(table, "backend", "back end", TABLE_LEFT);
    (void)table_column(table, "value", "held", TABLE_RIGHT);
    (void)table_column(table, "ratio", "ratio", TABLE_RIGHT);
    (void)table_column(table, "verdict", "", TABLE_LEFT);
    (void)table_column(table, "source", "", TABLE_LEFT);
    table_row(table);
    table_cell(table, 0, "py_malloc");
    table_quantity(table, 1, 1536 * 1024, "bytes");
    table_ratio(table, 2, 0.62, 0.6, 0.642);
    table_cell(table, 3, "smaller");
    table_style(table, 3, CELL_GOOD);
    table_row(table);
    table_cell(table, 0, "bump");
    table_ratio(table, 2, 12.34, (double)NAN, (double)NAN);
    table_gap(table);
    table_row_summary(table);
    table_cell(table, 0, "mean");
    table_ratio(table, 2, (double)NAN, (double)NAN, (double)NAN);
    document_heading(document, 2, "Machine");
    document_line(document, "load 1.5");
    document_add(document, BLOCK_QUOTE, "first\nsecond");
    document_add(document, BLOCK_NOTE, "two layouts");
    document_add(document, BLOCK_WARNING, "the governor is powersave: set performance");
    document_figure(document, "plots/time.svg", "bars of time");
    document_add(document, BLOCK_PARAGRAPH, "1 warning");
    return document;
}

static void test_the_text(void **state)
{
    (void)state;
    struct document *document = sample();
    assert_prints(document, &plain,
                  "churn|64\n"
                  "  base: malloc:inline\n"
                  "  rounds: 7\n"
                  "\n"
                  "back end      held  ratio\n"
                  "py_malloc  1.5 MiB  0.620  [0.600, 0.642]  smaller\n"
                  "bump                 12.3\n"
                  "\n"
                  "mean\n"
                  "\n"
                  "Machine\n"
                  "  load 1.5\n"
                  "    | first\n"
                  "    | second\n"
                  "  note: two layouts\n"
                  "  warning: the governor is powersave: set performance\n"
                  "  plots/time.svg: bars of time\n"
                  "\n"
                  "1 warning\n");
    document_free(document);
}

static void test_the_markdown(void **state)
{
    (void)state;
    struct document *document = sample();
    assert_prints(document, NULL,
                  "## churn\\|64\n"
                  "\n"
                  "- base: malloc:inline\n"
                  "- rounds: 7\n"
                  "\n"
                  "| back end | held, bytes | ratio |  |\n"
                  "| --- | ---: | ---: | --- |\n"
                  "| py\\_malloc | 1.5729e+06 | 0.620 \\[0.600, 0.642\\] | smaller |\n"
                  "| bump |  | 12.340 |  |\n"
                  "| *mean* |  |  |  |\n"
                  "\n"
                  "### Machine\n"
                  "\n"
                  "- load 1.5\n"
                  "\n"
                  "    first\n"
                  "    second\n"
                  "\n"
                  "> Note: two layouts\n"
                  "\n"
                  "> **Warning:** the governor is powersave: set performance\n"
                  "\n"
                  "![bars of time](<plots/time.svg>)\n"
                  "\n"
                  "1 warning\n");
    document_free(document);
}

static const json_t *block_of(const json_t *json, const char *kind)
{
    size_t index;
    json_t *block;
    json_array_foreach(json_object_get(json, "blocks"), index, block)
    {
        if (strcmp(json_string_value(json_object_get(block, "kind")), kind) == 0) {
            return block;
        }
    }
    fail_msg("there is no block of the kind %s", kind);
    return NULL;
}

static void test_the_json_has_numbers(void **state)
{
    (void)state;
    struct document *document = sample();
    json_t *json = document_to_json(document);
    const json_t *table = block_of(json, "table");
    const json_t *rows = json_object_get(table, "rows");
    assert_int_equal(3, json_array_size(rows));
    const json_t *first = json_array_get(rows, 0);
    assert_true(json_number_value(json_object_get(first, "value")) == 1536 * 1024);
    assert_true(json_number_value(json_object_get(json_object_get(first, "ratio"), "low")) == 0.6);
    assert_string_equal("smaller", json_string_value(json_object_get(first, "verdict")));
    assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "value")));
    assert_true(json_is_true(json_object_get(json_array_get(rows, 2), "summary")));
    const json_t *unit = json_array_get(json_object_get(table, "columns"), 1);
    assert_string_equal("bytes", json_string_value(json_object_get(unit, "unit")));
    assert_string_equal("bars of time",
                        json_string_value(json_object_get(block_of(json, "figure"), "text")));
    json_decref(json);
    document_free(document);
}

/* On a narrow terminal the last column and the sentences are broken, at blanks. */
static void test_a_narrow_terminal(void **state)
{
    (void)state;
    const struct document_look narrow = {.width = 40};
    struct document *document = document_new();
    document_line(document, "a sentence that is longer than the forty columns that there are");
    struct table *table = document_table(document, "rows");
    (void)table_column(table, "name", "NAME", TABLE_LEFT);
    (void)table_column(table, "summary", "WHAT", TABLE_LEFT);
    table_row(table);
    table_cell(table, 0, "churn");
    table_cell(table, 1, "allocates and frees blocks of one size in random order");
    table_row(table);
    table_cell(table, 0, "batch");
    table_cell(table, 1, "short");
    assert_prints(document, &narrow,
                  "a sentence that is longer than the forty\n"
                  "columns that there are\n"
                  "NAME   WHAT\n"
                  "churn  allocates and frees blocks of one\n"
                  "       size in random order\n"
                  "batch  short\n");
    document_free(document);
}

static void test_rows_of_json(void **state)
{
    (void)state;
    json_t *rows = json_pack("[{ss s[ss] sb}, {sf}]", "name", "a", "arms", "inline", "call",
                             "threaded", 1, "name", 0.1);
    struct document *document = document_new();
    struct table *table = document_table(document, "rows");
    (void)table_column(table, "name", "NAME", TABLE_LEFT);
    (void)table_column(table, "arms", "ARMS", TABLE_LEFT);
    (void)table_column(table, "threaded", "THREADED", TABLE_LEFT);
    table_rows_of_json(table, rows);
    assert_prints(document, &plain, "NAME  ARMS          THREADED\na     inline, call  yes\n0.1\n");
    json_t *again = table_to_json(table);
    assert_true(json_equal(json_object_get(json_array_get(again, 0), "arms"),
                           json_object_get(json_array_get(rows, 0), "arms")));
    json_decref(again);
    json_decref(rows);
    document_free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_aligned_and_lines_end_without_blanks),
        cmocka_unit_test(test_widths_are_of_characters),
        cmocka_unit_test(test_an_empty_table_prints_nothing),
        cmocka_unit_test(test_colour_needs_a_terminal),
        cmocka_unit_test(test_the_text),
        cmocka_unit_test(test_the_markdown),
        cmocka_unit_test(test_the_json_has_numbers),
        cmocka_unit_test(test_a_narrow_terminal),
        cmocka_unit_test(test_rows_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
