#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "results/name_filter.h"

static void test_globs_choose(void **state)
{
    (void)state;
    assert_true(name_filter_matches(NULL, "malloc"));
    assert_true(name_filter_matches("", "malloc"));
    assert_true(name_filter_matches("jemalloc,malloc", "malloc"));
    assert_false(name_filter_matches("jemalloc,mallo", "malloc"));
    assert_true(name_filter_matches(" pymalloc-3.* , malloc ", "pymalloc-3.10"));
    assert_false(name_filter_matches("pymalloc-3.*", "pymalloc-256"));
}

static void test_exclamation_mark_takes_away(void **state)
{
    (void)state;
    assert_false(name_filter_matches("!tbb*", "tbbmalloc"));
    assert_true(name_filter_matches("!tbb*", "malloc"));
    assert_false(name_filter_matches("!tbb*,tbbmalloc", "tbbmalloc"));
    assert_false(name_filter_matches("mimalloc,!tbb*", "malloc"));
    assert_true(name_filter_matches("*,!tbb*", "malloc"));
}

static void test_environment_belongs_to_the_name(void **state)
{
    (void)state;
    const char *name = "mimalloc{A=1,B=2}";
    assert_true(name_filter_matches("mimalloc{A=1,B=2}", name));
    assert_true(name_filter_matches("mimalloc", name));
    assert_false(name_filter_matches("mimalloc{A=1}", name));
    assert_false(name_filter_matches("mimalloc{A=1,B=2}", "mimalloc"));
    assert_false(name_filter_matches("jemalloc,mimalloc{A=1,B=3}", name));
}

static void test_any_of_several_names(void **state)
{
    (void)state;
    const char *const names[] = {"pymalloc-3.10", "pymalloc-3.10:call"};
    assert_true(name_filter_matches_any("pymalloc*:call", names, 2));
    assert_true(name_filter_matches_any("pymalloc-3.10", names, 2));
    assert_false(name_filter_matches_any("pymalloc*:inline", names, 2));
    assert_false(name_filter_matches_any("pymalloc*,!*:call", names, 2));
}

static void test_items_are_stepped_through(void **state)
{
    (void)state;
    const char *rest = "a{x,y}, b,,c";
    const char *const expected[] = {"a{x,y}", "b", "", "c"};
    const char *item;
    size_t length;
    for (size_t i = 0; i < 4; i++) {
        assert_true(name_filter_next(&rest, &item, &length));
        assert_int_equal(strlen(expected[i]), length);
        assert_memory_equal(expected[i], item, length);
    }
    assert_false(name_filter_next(&rest, &item, &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_globs_choose),
        cmocka_unit_test(test_exclamation_mark_takes_away),
        cmocka_unit_test(test_environment_belongs_to_the_name),
        cmocka_unit_test(test_any_of_several_names),
        cmocka_unit_test(test_items_are_stepped_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
