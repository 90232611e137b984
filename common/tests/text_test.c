/* Times, numbers, and what a person most likely meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/host/text.h"

static void nearest_finds_slips_and_beginnings(void **state)
{
    (void)state;
    static const char *const names[] = {"bench", "compare", "doctor",
                                        "list",  "plot",    "pymalloc-3.10"};
    const size_t count = sizeof(names) / sizeof(names[0]);
    assert_string_equal(text_nearest("bnech", names, count), "bench"); /* one exchange */
    assert_string_equal(text_nearest("compair", names, count), "compare");
    assert_string_equal(text_nearest("docter", names, count), "doctor");
    assert_string_equal(text_nearest("comp", names, count), "compare");
    assert_string_equal(text_nearest("pymaloc3.10", names, count), "pymalloc-3.10");
    assert_null(text_nearest("xyzzy", names, count));
    assert_null(text_nearest("", names, count));
    assert_null(text_nearest("bench", names, 0));
}

static void seconds_have_units(void **state)
{
    (void)state;
    double seconds = 0;
    assert_true(text_to_seconds("90", &seconds) && seconds == 90);
    assert_true(text_to_seconds("1.5m", &seconds) && seconds == 90);
    assert_true(text_to_seconds("2h", &seconds) && seconds == 7200);
    assert_false(text_to_seconds("0s", &seconds));
    assert_false(text_to_seconds("5mm", &seconds));
    assert_false(text_to_seconds("5d", &seconds));
    assert_false(text_to_seconds("inf", &seconds));
    assert_false(text_to_seconds("", &seconds));
}

static void numbers_are_whole_texts(void **state)
{
    (void)state;
    double number = 0;
    uint64_t whole = 0;
    assert_true(text_to_double("1e3", &number) && number == 1000);
    assert_false(text_to_double("1e3x", &number));
    assert_false(text_to_double("nan", &number));
    assert_true(text_to_u64("18446744073709551615", &whole) && whole == UINT64_MAX);
    assert_false(text_to_u64("18446744073709551616", &whole));
    assert_false(text_to_u64("-1", &whole));
}

static void values_are_written_short_and_exact(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {{1000000, "1000000"}, {0.1, "0.1"}, {1.0 / 3, "0.3333333333333333"}, {-5, "-5"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *value = json_real(cases[i].number);
        char *text = text_of_json(value);
        assert_string_equal(text, cases[i].text);
        assert_true(strtod(text, NULL) == cases[i].number);
        free(text);
        json_decref(value);
    }
}

static void lines_are_cut_at_blanks(void **state)
{
    (void)state;
    struct text_list lines = {0};
    text_wrap(&lines, "  one two ±±±± four/five/six", 8);
    assert_int_equal(lines.count, 4);
    assert_string_equal(lines.items[0], "one two");
    assert_string_equal(lines.items[1], "±±±±");
    assert_string_equal(lines.items[2], "four/fiv"); /* a word that fits nowhere is cut */
    assert_string_equal(lines.items[3], "e/six");
    text_list_free(&lines);
    assert_int_equal(text_width("±≈»"), 3);
}

static void bytes_and_counts_are_for_people(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(text_of_bytes(text, sizeof(text), 0, 3), "0 B");
    assert_string_equal(text_of_bytes(text, sizeof(text), 999, 3), "999 B");
    assert_string_equal(text_of_bytes(text, sizeof(text), 1000, 3), "0.977 KiB");
    assert_string_equal(text_of_bytes(text, sizeof(text), 1000, 4), "1000 B");
    assert_string_equal(text_of_bytes(text, sizeof(text), 1536, 3), "1.5 KiB");
    assert_string_equal(text_of_bytes(text, sizeof(text), 1.15 * 1024 * 1024 * 1024, 3),
                        "1.15 GiB");
    assert_string_equal(text_of_count(text, sizeof(text), 1234567), "1 234 567");
    assert_string_equal(text_of_count(text, sizeof(text), -123), "-123");
    assert_string_equal(text_of_count(text, sizeof(text), 999), "999");
}

static void durations_read_well(void **state)
{
    (void)state;
    char text[32];
    text_of_seconds(text, sizeof(text), 0.2);
    assert_string_equal(text, "1 s");
    text_of_seconds(text, sizeof(text), 250);
    assert_string_equal(text, "4 min 10 s");
    text_of_seconds(text, sizeof(text), 7500);
    assert_string_equal(text, "2 h 05 min");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_finds_slips_and_beginnings),
        cmocka_unit_test(seconds_have_units),
        cmocka_unit_test(numbers_are_whole_texts),
        cmocka_unit_test(values_are_written_short_and_exact),
        cmocka_unit_test(lines_are_cut_at_blanks),
        cmocka_unit_test(bytes_and_counts_are_for_people),
        cmocka_unit_test(durations_read_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
