/* The four ratios on a series small enough to work out by hand. */
#include "workloads/fragmentation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A heap that fills to 100 bytes, is held at 150 when 50 are left, and never gives anything back.
 */
static const uint64_t operations[] = {0, 10, 20, 40, 100};
static const uint64_t live[] = {0, 100, 80, 50, 25};
static const uint64_t usable[] = {0, 112, 90, 60, 30};
static const uint64_t held[] = {0, 120, 120, 150, 150};

static void assert_near(double value, double expected)
{
    assert_true(fabs(value - expected) <= 1e-12);
}

static struct fragmentation measure(size_t first, size_t count)
{
    const struct fragmentation_series series = {
        .operations = operations + first,
        .live_bytes = live + first,
        .usable_bytes = usable + first,
        .held_bytes = held + first,
        .count = count,
    };
    struct fragmentation result;
    assert_true(fragmentation_measure(&series, &result));
    return result;
}

static void test_four_ratios(void **state)
{
    (void)state;
    const struct fragmentation result = measure(0, 5);
    /* With the weights (doubled) 10, 20, 30, 80, 60. */
    assert_near(result.mean, (20 * 120 + 30 * 120 + 80 * 150 + 60 * 150) /
                                 (20 * 100.0 + 30 * 80 + 80 * 50 + 60 * 25));
    assert_near(result.at_live_peak, 1.2);
    assert_near(result.at_held_peak, 3.0);
    assert_near(result.peak_over_peak, 1.5);
    assert_int_equal(result.internal_bytes, 12);
    assert_int_equal(result.external_bytes, 8);
}

/* A heap that is full nearly all of the time, at 1.2 of what is live, and then drains to one byte
 * while 1000 stay held. A mean of ratios would be above 100. */
static void test_a_heap_that_drains(void **state)
{
    (void)state;
    const uint64_t at[] = {0, 100, 900, 1000};
    const uint64_t living[] = {1000, 1000, 1, 1};
    const uint64_t holding[] = {1200, 1200, 1000, 1000};
    const struct fragmentation_series series = {.operations = at,
                                                .live_bytes = living,
                                                .usable_bytes = living,
                                                .held_bytes = holding,
                                                .count = 4};
    struct fragmentation result;
    assert_true(fragmentation_measure(&series, &result));
    assert_near(result.mean, (100 * 1200 + 900 * 1200 + 900 * 1000 + 100 * 1000) /
                                 (100 * 1000.0 + 900 * 1000 + 900 * 1 + 100 * 1));
    assert_true(result.mean < 2.3);
}

static void test_one_sample(void **state)
{
    (void)state;
    const struct fragmentation result = measure(2, 1);
    assert_near(result.mean, 1.5);
    assert_near(result.peak_over_peak, 1.5);
}

static void test_nothing_live(void **state)
{
    (void)state;
    const struct fragmentation_series series = {.operations = operations,
                                                .live_bytes = live,
                                                .usable_bytes = usable,
                                                .held_bytes = held,
                                                .count = 1};
    struct fragmentation result;
    assert_false(fragmentation_measure(&series, &result));
    assert_near(result.mean, 0);
}

/* Memory that was asked for and never touched is not held: external is then negative. */
static void test_held_below_usable(void **state)
{
    (void)state;
    const uint64_t at[] = {0, 1};
    const uint64_t wide[] = {4096, 4096};
    const uint64_t thin[] = {1024, 2048};
    const struct fragmentation_series series = {
        .operations = at, .live_bytes = wide, .usable_bytes = wide, .held_bytes = thin, .count = 2};
    struct fragmentation result;
    assert_true(fragmentation_measure(&series, &result));
    assert_int_equal(result.external_bytes, -3072);
    assert_near(result.mean, 0.375);
    assert_near(result.at_held_peak, 0.5);
}

static void test_peak_of_nothing(void **state)
{
    (void)state;
    assert_int_equal(fragmentation_peak(live, 0), 0);
    assert_int_equal(fragmentation_peak(live, 5), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_ratios),       cmocka_unit_test(test_a_heap_that_drains),
        cmocka_unit_test(test_one_sample),        cmocka_unit_test(test_nothing_live),
        cmocka_unit_test(test_held_below_usable), cmocka_unit_test(test_peak_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
