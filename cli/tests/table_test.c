/* What tables look like, character by character. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "cli/table.h"

static void assert_prints(struct table *table, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    table_print(table, file);
    assert_int_equal(0, fclose(file));
    assert_string_equal(expected, text);
    free(text);
    table_free(table);
}

static void test_columns_are_aligned_and_lines_end_without_blanks(void **state)
{
    (void)state;
    struct table *table = table_new(3);
    table_column(table, 0, "name", TABLE_LEFT);
    table_column(table, 1, "ns", TABLE_RIGHT);
    table_row(table);
    table_cell(table, 0, "pymalloc-%d.%d", 3, 10);
    table_cell(table, 1, "%.1f", 12.5);
    table_cell(table, 2, "last");
    table_line(table, "--");
    table_row(table);
    table_cell(table, 0, "bump");
    table_cell(table, 1, "3");
    assert_prints(table, "name             ns\n"
                         "pymalloc-3.10  12.5  last\n"
                         "--\n"
                         "bump              3\n");
}

/* A character is one column wide, however many bytes it has, and a colour none. */
static void test_widths_are_of_characters(void **state)
{
    (void)state;
    assert_int_equal(3, table_text_width("±µx"));
    struct table *table = table_new(2);
    table_row(table);
    table_cell(table, 0, "±1");
    table_cell(table, 1, "a");
    table_row(table);
    table_cell(table, 0, "xyz");
    table_cell_style(table, 0, "\033[31m", "\033[0m");
    table_cell(table, 1, "b");
    assert_prints(table, "±1   a\n\033[31mxyz\033[0m  b\n");
}

static void test_an_empty_table_prints_nothing(void **state)
{
    (void)state;
    assert_prints(table_new(2), "");
}

static void test_colour_needs_a_terminal(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(0, unsetenv("NO_COLOR"));
    assert_false(table_colour_allowed(file));
    assert_int_equal(0, fclose(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_aligned_and_lines_end_without_blanks),
        cmocka_unit_test(test_widths_are_of_characters),
        cmocka_unit_test(test_an_empty_table_prints_nothing),
        cmocka_unit_test(test_colour_needs_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
