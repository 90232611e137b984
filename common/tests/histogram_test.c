/* Histograms: that buckets cover the values without gap or overlap, and how wrong a quantile is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/histogram.h"
#include "common/rng.h"

enum { VALUES = 50000 };

static void test_buckets_follow_each_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t lowest = histogram_lowest(i);
        uint64_t highest = histogram_highest(i);
        assert_true(lowest <= highest);
        assert_int_equal(histogram_bucket(lowest), i);
        assert_int_equal(histogram_bucket(highest), i);
        assert_true(i == 0 || lowest == histogram_highest(i - 1) + 1);
        assert_true((double)(highest - lowest) <= 0.03 * (double)lowest);
    }
    assert_int_equal(histogram_highest(HISTOGRAM_BUCKETS - 1),
                     (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1);
    assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static int compare_values(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* A quantile is never below the true one, nor more than a bucket's width above it. */
static void check_quantiles(uint64_t *values)
{
    static const double parts[] = {0, 0.001, 0.07, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
    struct histogram *histogram = calloc(1, sizeof(*histogram));
    assert_non_null(histogram);
    for (size_t i = 0; i < VALUES; i++) {
        histogram_add(histogram, values[i]);
    }
    qsort(values, VALUES, sizeof(*values), compare_values);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t rank = 0; /* how many values lie below the true quantile */
        while ((double)(rank + 1) < parts[i] * VALUES - 1e-6) {
            rank++;
        }
        uint64_t exact = values[rank];
        uint64_t estimate = histogram_quantile(histogram, parts[i]);
        assert_true(estimate >= exact);
        assert_true((double)estimate <= (double)exact * (1 + 1.0 / HISTOGRAM_PRECISION));
    }
    assert_int_equal(histogram_quantile(histogram, 1), values[VALUES - 1]);
    assert_int_equal(histogram->count, VALUES);
    free(histogram);
}

static void test_quantiles_are_within_a_bucket(void **state)
{
    (void)state;
    static uint64_t values[VALUES];
    struct rng rng;
    rng_seed(&rng, 5);
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = (uint64_t)rng_exponential(&rng, 300);
    }
    check_quantiles(values);
    for (size_t i = 0; i < VALUES; i++) { /* over all the powers of two */
        values[i] = (uint64_t)exp2(rng_uniform(&rng) * HISTOGRAM_VALUE_BITS);
    }
    check_quantiles(values);
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = 77;
    }
    check_quantiles(values);
}

static void test_small_values_are_exact(void **state)
{
    (void)state;
    static struct histogram histogram;
    for (uint64_t value = 1; value <= 100; value++) {
        histogram_add(&histogram, value);
    }
    for (uint64_t value = 1; value <= 100; value++) {
        assert_int_equal(histogram_quantile(&histogram, (double)value / 100), value);
    }
}

static void test_outliers_and_nothing(void **state)
{
    (void)state;
    static struct histogram histogram;
    assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
    histogram_add(&histogram, UINT64_MAX - 1);
    histogram_add(&histogram, 3);
    assert_int_equal(histogram_quantile(&histogram, 0.5), 3);
    assert_true(histogram_quantile(&histogram, 1) == UINT64_MAX - 1);
}

static void test_merge_is_as_if_added_to_one(void **state)
{
    (void)state;
    static struct histogram parts[3];
    static struct histogram whole;
    static struct histogram merged;
    struct rng rng;
    rng_seed(&rng, 9);
    for (int i = 0; i < VALUES; i++) {
        uint64_t value = (uint64_t)rng_exponential(&rng, 5000);
        histogram_add(&whole, value);
        histogram_add(&parts[i % 3], value);
    }
    for (int i = 0; i < 3; i++) {
        histogram_merge(&merged, &parts[i]);
    }
    assert_memory_equal(&merged, &whole, sizeof(whole));
}

/* The product-limit estimate of 1, 2+, 3, 4+, 5, 5+ by hand: 5/6 after 1, 5/6 · 3/4 = 0.625 after
 * 3, 0.3125 after 5. Without a cut one it is the share that has ended. */
static void test_times_that_were_cut(void **state)
{
    (void)state;
    static struct histogram ended;
    static struct histogram cut;
    uint64_t value = 0;
    assert_false(histogram_quantile_censored(&ended, &cut, 0.5, &value));
    assert_int_equal(value, 0);
    for (uint64_t i = 1; i < 6; i += 2) {
        histogram_add(&ended, i);
    }
    assert_true(histogram_quantile_censored(&ended, &cut, 0.34, &value));
    assert_int_equal(value, 3);
    histogram_add(&cut, 2);
    histogram_add(&cut, 4);
    histogram_add(&cut, 5);
    static const struct {
        double part;
        uint64_t value;
    } known[] = {{0.1, 1}, {1.0 / 6, 1}, {0.2, 3}, {0.375, 3}, {0.38, 5}, {0.6875, 5}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_true(histogram_quantile_censored(&ended, &cut, known[i].part, &value));
        assert_int_equal(value, known[i].value);
    }
    assert_false(histogram_quantile_censored(&ended, &cut, 0.7, &value));
    assert_int_equal(value, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_that_were_cut),
        cmocka_unit_test(test_buckets_follow_each_other),
        cmocka_unit_test(test_quantiles_are_within_a_bucket),
        cmocka_unit_test(test_small_values_are_exact),
        cmocka_unit_test(test_outliers_and_nothing),
        cmocka_unit_test(test_merge_is_as_if_added_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
