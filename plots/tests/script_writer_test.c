/* What users' names become in scripts and tables: never anything but text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/gnuplot.h"

/* What write(file, text) writes; the caller's. */
static char *written(void (*write)(FILE *, const char *), const char *text)
{
    char *result = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&result, &size);
    assert_non_null(file);
    write(file, text);
    assert_int_equal(0, fclose(file));
    return result;
}

static void write_variable(FILE *file, const char *text)
{
    script_string(file, "name", text);
}

static void check(void (*write)(FILE *, const char *), const char *text, const char *expected)
{
    char *result = written(write, text);
    assert_string_equal(result, expected);
    free(result);
}

static void test_script_strings_cannot_end_early(void **state)
{
    (void)state;
    check(write_variable, "plain_{name}^2", "name = 'plain_{name}^2'\n");
    check(write_variable, "it's `date` @macro $1 \\n \"x\"",
          "name = 'it''s `date` @macro $1 \\n \"x\"'\n");
    check(write_variable, "'; system 'rm x'; '", "name = '''; system ''rm x''; '''\n");
    check(write_variable, "two\nlines\t\x7f", "name = 'two?lines?\?'\n");
    check(write_variable, "", "name = ''\n");
}

static void test_only_utf8_passes(void **state)
{
    (void)state;
    check(write_variable, "±≈»😀", "name = '±≈»😀'\n");
    check(write_variable, "\xff|\xc0\xaf|\xe0\x80\xaf|\xed\xa0\x80|\xf5\x80\x80\x80|\xe2\x82",
          "name = '?|??|???|???|????|?\?'\n");
}

static void test_table_fields(void **state)
{
    (void)state;
    check(tsv_text, "", "-");
    check(tsv_text, "a\tb\n#", "a?b?#");
    check(tsv_text, "\"quoted\"", "'quoted'");
    check(script_comment_text, "one\nsystem 'x'", "one?system 'x'");
}

static void write_arrays(FILE *file, const char *text)
{
    const char *const texts[] = {text, "b"};
    const double numbers[] = {NAN, 0.25};
    const uint32_t colors[] = {0xff};
    script_strings(file, "s", texts, 2);
    script_strings(file, "none", texts, 0);
    script_numbers(file, "n", numbers, 2);
    script_numbers(file, "no", numbers, 0);
    script_colors(file, "c", colors, 1);
    script_number(file, "x", NAN);
    tsv_number(file, 1.0 / 3);
}

static void test_arrays(void **state)
{
    (void)state;
    check(write_arrays, "a'b",
          "s_count = 2\narray s[2] = ['a''b', 'b']\n"
          "none_count = 0\narray none[1] = ['']\n"
          "n_count = 2\narray n[2] = [NaN, 0.25]\n"
          "no_count = 0\narray no[1] = [0]\n"
          "c_count = 1\narray c[1] = [0x0000ff]\n"
          "x = NaN\n0.333333333");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script_strings_cannot_end_early),
        cmocka_unit_test(test_only_utf8_passes),
        cmocka_unit_test(test_table_fields),
        cmocka_unit_test(test_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
