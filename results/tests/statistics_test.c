/* Known answers, and what the intervals really cover: measured by simulation, seeded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "common/rng.h"
#include "results/stats/statistics.h"

enum { EXPERIMENTS = 2000, ROUNDS_MAX = 64, SERIES = 6, PAIRS = 8 };

static void assert_near(double expected, double actual, double tolerance)
{
    if (!(fabs(expected - actual) <= tolerance)) {
        fail_msg("expected %.6g ± %.2g, got %.6g", expected, tolerance, actual);
    }
}

static void test_quantiles_and_medians(void **state)
{
    (void)state;
    const double sorted[] = {1, 2, 4, 8};
    assert_near(1, statistics_quantile(sorted, 4, 0), 0);
    assert_near(8, statistics_quantile(sorted, 4, 1), 0);
    assert_near(3, statistics_quantile(sorted, 4, 0.5), 0);
    assert_near(1.75, statistics_quantile(sorted, 4, 0.25),
                1e-12); /* R: quantile(c(1,2,4,8), .25) */
    double odd[] = {5, 1, 4, 2, 3};
    double even[] = {4, 1, 3, 2};
    double same[] = {7, 7, 7, 7, 7, 7};
    double one[] = {3};
    assert_near(3, statistics_median(odd, 5), 0);
    assert_near(2.5, statistics_median(even, 4), 0);
    assert_near(7, statistics_median(same, 6), 0);
    assert_near(3, statistics_median(one, 1), 0);
}

/* Selection against sorting, over many sizes and many equal values. */
static void test_median_is_that_of_the_sorted(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 3);
    for (size_t count = 1; count <= ROUNDS_MAX; count++) {
        double values[ROUNDS_MAX];
        double sorted[ROUNDS_MAX];
        for (size_t i = 0; i < count; i++) {
            values[i] = sorted[i] = (double)rng_below(&rng, 10);
        }
        statistics_sort(sorted, count);
        assert_near((sorted[(count - 1) / 2] + sorted[count / 2]) / 2,
                    statistics_median(values, count), 0);
    }
}

/* Student's 97.5% points from its tables: 2.4469 at 6 degrees, 2.1448 at 14, 1.9623 at 1000; the
 * tail is the normal distribution's beyond t·sqrt(n / (n − 1)). */
static void test_expanded_tail(void **state)
{
    (void)state;
    assert_near(erfc(2.4469 * sqrt(7.0 / 6) / sqrt(2)) / 2, statistics_expanded_tail(7), 2e-5);
    assert_near(erfc(2.1448 * sqrt(15.0 / 14) / sqrt(2)) / 2, statistics_expanded_tail(15), 2e-5);
    assert_near(erfc(1.9623 * sqrt(1001.0 / 1000) / sqrt(2)) / 2, statistics_expanded_tail(1001),
                2e-5);
    assert_true(statistics_resamples(6) >= 2000 && statistics_resamples(100000) >= 2000);
}

/* Worked by hand. Six values: depth 1 covers 1 − 2/64 = 0.96875, depth 2 1 − 14/64 = 0.78125; the
 * share is 0.01875 / 0.1875 = 0.1, and the bounds move inwards by 5 · 0.1 / (1 + 4 · 0.1) =
 * 0.357143 of a gap. Seven: 126/128 and 112/128; share 0.034375 / 0.109375 = 0.3142857, inwards 6 ·
 * share / (1 + 5 · share). */
static void test_median_interval_known(void **state)
{
    (void)state;
    const double six[] = {6, 1, 2, 10, 4, 5};
    struct interval interval;
    assert_int_equal(STATUS_OK, statistics_median_interval(six, 6, &interval, NULL));
    assert_near(4.5, interval.point, 0);
    assert_near(1 + 0.357142857, interval.low, 1e-8);
    assert_near(10 - 4 * 0.357142857, interval.high, 1e-8);
    const double seven[] = {7, 6, 5, 4, 3, 2, 1};
    double inwards = 6 * 0.314285714 / (1 + 5 * 0.314285714);
    assert_int_equal(STATUS_OK, statistics_median_interval(seven, 7, &interval, NULL));
    assert_near(4, interval.point, 0);
    assert_near(1 + inwards, interval.low, 1e-8);
    assert_near(7 - inwards, interval.high, 1e-8);
}

static void test_five_values_have_no_interval(void **state)
{
    (void)state;
    const double five[] = {1, 2, 3, 4, 5};
    struct interval interval;
    assert_int_equal(STATUS_OK, statistics_median_interval(five, 5, &interval, NULL));
    assert_near(3, interval.point, 0);
    assert_true(isnan(interval.low) && isnan(interval.high));
}

/* The mean of medians, its weights, a missing value, and equal answers for equal seeds. */
static void test_mean_interval(void **state)
{
    (void)state;
    const double first[] = {1, 1.1, 0.9, 1, 1.05, 0.95, 1};
    const double second[] = {3, 3.2, 2.8, 3, (double)NAN, 3.1, 2.9};
    const struct statistics_series series[] = {{first, 0.75}, {second, 0.25}};
    struct interval interval;
    struct interval again;
    struct interval other;
    assert_int_equal(STATUS_OK, statistics_mean_interval(series, 2, 7, 1, &interval, NULL));
    assert_int_equal(STATUS_OK, statistics_mean_interval(series, 2, 7, 1, &again, NULL));
    assert_int_equal(STATUS_OK, statistics_mean_interval(series, 2, 7, 99, &other, NULL));
    assert_near(0.75 * 1 + 0.25 * 3, interval.point, 1e-12);
    assert_true(interval.low < interval.point && interval.point < interval.high);
    assert_true(interval.low > 1.35 && interval.high < 1.65);
    assert_true(interval.low == again.low && interval.high == again.high);
    assert_near(interval.low, other.low, 0.03);
}

static void floors_of(const struct statistics_twins *twins, size_t count, double *floors)
{
    struct error error = {.message = ""};
    assert_int_equal(STATUS_OK, statistics_noise_floors(twins, count, floors, &error));
}

/* Each group's own first twin, and the greatest excess of a second twin over a first in the others.
 */
static void test_noise_floors(void **state)
{
    (void)state;
    const struct statistics_twins twins[] = {{0.01, 0.012}, {0.03, 0.02}, {0.02, 0.025}};
    double floors[3];
    floors_of(twins, 3, floors);
    assert_near(expm1(0.01 + 0.005), floors[0], 1e-12);
    assert_near(expm1(0.03 + 0.005), floors[1], 1e-12);
    assert_near(expm1(0.02 + 0.002), floors[2], 1e-12);
    floors_of(twins, 1, floors);
    assert_near(expm1(0.01), floors[0], 1e-12);
}

/* Of 40 excesses, 0.1% to 4%, one more is within the 38th least of the 39 others with a chance
 * of 38 / 40. */
static void test_noise_floors_of_many_groups(void **state)
{
    (void)state;
    struct statistics_twins twins[40];
    double floors[40];
    for (int i = 0; i < 40; i++) {
        twins[i] = (struct statistics_twins){0.01, 0.01 + (i * 37 % 40 + 1) / 1000.0};
    }
    floors_of(twins, 40, floors);
    for (int i = 0; i < 40; i++) {
        bool of_the_greatest = i * 37 % 40 + 1 > 38; /* without it the 38th is the 38th of all */
        assert_near(expm1(0.01 + (of_the_greatest ? 0.038 : 0.039)), floors[i], 1e-12);
    }
}

static void test_noise_floors_without_twins(void **state)
{
    (void)state;
    const double none = (double)NAN;
    const struct statistics_twins twins[] = {
        {0.01, 0.013}, {0.03, none}, {none, 0.5}, {none, none}};
    double floors[4];
    floors_of(twins, 4, floors);
    assert_near(expm1(0.01), floors[0], 1e-12);         /* there is no other excess */
    assert_near(expm1(0.03 + 0.003), floors[1], 1e-12); /* its own is not known */
    assert_near(expm1(0.03), floors[2], 1e-12);         /* the greatest first twin */
    assert_near(expm1(0.03), floors[3], 1e-12);
    floors_of(&twins[2], 2, floors);
    assert_true(isnan(floors[0]) && isnan(floors[1]));
}

/* With 20 groups whose layouts matter more or less, a second twin stays within its group's floor in
 * 19 of 20 cases. */
static void test_the_floor_bounds_the_second_twin(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 11);
    size_t beyond = 0;
    for (int trial = 0; trial < 20000; trial++) {
        struct statistics_twins twins[20];
        double floors[20];
        for (int i = 0; i < 20; i++) {
            double layout = -log1p(-rng_uniform(&rng)); /* exponential: a long tail */
            twins[i] =
                (struct statistics_twins){layout + rng_uniform(&rng), layout + rng_uniform(&rng)};
        }
        floors_of(twins, 20, floors);
        beyond += log1p(floors[7]) < twins[7].second;
    }
    assert_in_range(beyond, 1000 - 125, 1000 + 125); /* four standard deviations */
}

static void test_what_chance_explains_is_not_systematic(void **state)
{
    (void)state;
    assert_near(0.03, statistics_systematic(&(struct interval){0.05, 0.03, 0.07}), 1e-12);
    assert_near(0.03, statistics_systematic(&(struct interval){-0.05, -0.07, -0.03}), 1e-12);
    assert_near(0, statistics_systematic(&(struct interval){0.01, -0.04, 0.06}), 1e-12);
}

static void test_binomial_interval(void **state)
{
    (void)state;
    /* None of n: the upper bound is 1 - 0.025^(1/n). The others: sums of exact binomials, inverted.
     */
    static const struct {
        size_t successes, trials;
        double low, high;
    } known[] = {{0, 20, 0, 0.16843},
                 {20, 20, 0.83157, 1},
                 {5, 200, 0.0081662, 0.0573744},
                 {1, 2, 0.0125791, 0.9874209},
                 {0, 0, 0, 1}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        double low;
        double high;
        statistics_binomial_interval(known[i].successes, known[i].trials, &low, &high);
        assert_near(known[i].low, low, 1e-5);
        assert_near(known[i].high, high, 1e-5);
    }
}

static void test_judge_needs_the_whole_interval_beyond_the_floor(void **state)
{
    (void)state;
    const double edge = log1p(0.02);
    const struct interval more = {0.05, edge + 1e-9, 0.06};
    const struct interval reaches_in = {0.05, edge - 1e-9, 0.06};
    const struct interval less = {-0.05, -0.06, -edge - 1e-9};
    const struct interval holds_zero = {0.3, -0.01, 0.6};
    const struct interval unknown = {0.3, (double)NAN, (double)NAN};
    assert_int_equal(STATISTICS_MORE, statistics_judge(&more, 0.02));
    assert_int_equal(STATISTICS_SAME, statistics_judge(&reaches_in, 0.02));
    assert_int_equal(STATISTICS_LESS, statistics_judge(&less, 0.02));
    assert_int_equal(STATISTICS_SAME, statistics_judge(&holds_zero, 0));
    assert_int_equal(STATISTICS_SAME, statistics_judge(&unknown, 0.02));
}

/* Three shapes of noise with median 0: normal; one round in ten disturbed tenfold; skewed. */
static double noise(struct rng *rng, int shape)
{
    if (shape == 2) {
        return rng_exponential(rng, 1) - log(2);
    }
    double scale = shape == 1 && rng_uniform(rng) < 0.1 ? 10 : 1;
    return scale * rng_normal(rng);
}

static double covered_by_median_interval(size_t rounds, int shape)
{
    struct rng rng;
    rng_seed(&rng, 1000 + rounds);
    int covered = 0;
    for (int i = 0; i < EXPERIMENTS; i++) {
        double values[ROUNDS_MAX];
        for (size_t round = 0; round < rounds; round++) {
            values[round] = noise(&rng, shape);
        }
        struct interval interval;
        assert_int_equal(STATUS_OK, statistics_median_interval(values, rounds, &interval, NULL));
        covered += interval.low <= 0 && 0 <= interval.high;
    }
    return covered / (double)EXPERIMENTS;
}

/* The bounds are 95% ± four standard deviations of 2000 Bernoulli trials (0.49% each). */
static void test_median_interval_covers_95_percent(void **state)
{
    (void)state;
    static const size_t rounds[] = {6, 7, 8, 10, 11, 15, 19, 31, 60};
    for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
        for (int shape = 0; shape < 3; shape++) {
            double covered = covered_by_median_interval(rounds[i], shape);
            print_message("median of %zu rounds, noise %d: covered %.4f\n", rounds[i], shape,
                          covered);
            assert_near(0.95, covered, 0.0195);
        }
    }
}

/* Six values: the 21 means of two are 1 1.5 2 2.5 3 3 3.5 3.5 4 4 4.5 5 5 5.5 5.5 6 6 7 7.5 8 10 of
 * 1 2 4 5 6 10; the 11th is the estimate, and the whole range the interval (1 / 2^6 on each side).
 * Seven values 1 to 7: P(T <= 2) = 3 / 128 is within 2.5%, P(T <= 3) = 5 / 128 is not, so the third
 * least and third greatest means of 1 1.5 2 2 2.5 … bound it. */
static void test_middle_known(void **state)
{
    (void)state;
    const double six[] = {6, 1, 2, 10, 4, 5};
    const double seven[] = {7, 6, 5, 4, 3, 2, 1};
    struct interval interval;
    double p;
    assert_int_equal(STATUS_OK, statistics_middle(six, 6, &interval, NULL));
    assert_near(4.5, interval.point, 1e-12);
    assert_near(1, interval.low, 1e-12);
    assert_near(10, interval.high, 1e-12);
    assert_int_equal(STATUS_OK, statistics_middle(seven, 7, &interval, NULL));
    assert_near(4, interval.point, 1e-12);
    assert_near(2, interval.low, 1e-12);
    assert_near(6, interval.high, 1e-12);
    assert_int_equal(STATUS_OK, statistics_middle(seven, 5, &interval, NULL));
    assert_near(5, interval.point, 1e-12);
    assert_true(isnan(interval.low) && isnan(interval.high));
    /* All 28 means lie above 0.5: 2 / 128. Of those to 1.6 there are two, 1 and 1.5: 2 · 3 / 128.
     */
    assert_int_equal(STATUS_OK, statistics_middle_beyond(seven, 7, 0.5, &p, NULL));
    assert_near(2 / 128.0, p, 1e-12);
    assert_int_equal(STATUS_OK, statistics_middle_beyond(seven, 7, 1.6, &p, NULL));
    assert_near(6 / 128.0, p, 1e-12);
    assert_int_equal(STATUS_OK, statistics_middle_beyond(seven, 7, 9, &p, NULL));
    assert_near(1, p, 0);
    assert_int_equal(STATUS_OK, statistics_middle_beyond(seven, 5, 0, &p, NULL));
    assert_true(isnan(p));
}

/* Shapes as in noise, but two records to a pair, as pairs have them: skewed noise is then
 * symmetric. *width: the mean width of the intervals. */
static double covered_by_middle(size_t rounds, int shape, double *width)
{
    struct rng rng;
    int covered = 0;
    *width = 0;
    rng_seed(&rng, 4000 + rounds);
    for (int i = 0; i < EXPERIMENTS; i++) {
        double values[ROUNDS_MAX];
        struct interval interval;
        double p;
        for (size_t round = 0; round < rounds; round++) {
            values[round] = noise(&rng, shape) - noise(&rng, shape);
        }
        assert_int_equal(STATUS_OK, statistics_middle(values, rounds, &interval, NULL));
        assert_int_equal(STATUS_OK, statistics_middle_beyond(values, rounds, 0, &p, NULL));
        bool covers = interval.low <= 0 && 0 <= interval.high;
        assert_true(covers == (p > 0.05));
        covered += covers;
        *width += (interval.high - interval.low) / EXPERIMENTS;
    }
    return covered / (double)EXPERIMENTS;
}

/* At least 95%, less four standard deviations, and little more from seven values on; 61 and more by
 * the normal approximation. */
static void test_middle_covers_95_percent(void **state)
{
    (void)state;
    static const size_t rounds[] = {6, 7, 10, 15, 20, 40, 60, 61, 64};
    for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
        for (int shape = 0; shape < 3; shape++) {
            double width;
            double covered = covered_by_middle(rounds[i], shape, &width);
            print_message("middle of %zu pairs, noise %d: covered %.4f, width %.3f\n", rounds[i],
                          shape, covered, width);
            assert_true(covered >= 0.95 - 0.0195 && covered <= 0.985);
        }
    }
}

/* Rows of known errors and floors, and the slowdown that resolution names: how often is it told? */
static void test_the_resolution_is_what_is_found_in_nine_rows_of_ten(void **state)
{
    (void)state;
    enum { ROWS = 40, ROUNDS = 40 };
    struct statistics_sight rows[ROWS];
    struct rng rng;
    int found = 0;
    int trials = 0;
    rng_seed(&rng, 21);
    for (int i = 0; i < ROWS; i++) {
        rows[i] =
            (struct statistics_sight){i % 4 == 0 ? 0.01 : 0, (0.02 + 0.001 * i) / sqrt(ROUNDS)};
    }
    double resolved = log1p(statistics_resolved(rows, ROWS, 0.02, 0.9));
    for (int trial = 0; trial < 50; trial++) {
        for (int i = 0; i < ROWS; i++) {
            double values[ROUNDS];
            double p;
            for (int j = 0; j < ROUNDS; j++) {
                values[j] = resolved + rows[i].error * sqrt(ROUNDS) * rng_normal(&rng);
            }
            (void)statistics_middle_beyond(values, ROUNDS, rows[i].floor, &p, NULL);
            found += p <= 0.02;
            trials++;
        }
    }
    print_message("resolution of %.2f%%: found in %.1f%% of rows\n", 100 * expm1(resolved),
                  100.0 * found / trials);
    assert_near(0.89, found / (double)trials, 0.03); /* ranks take a little of what is normal */
    assert_true(isnan(statistics_resolved(rows, 0, 0.02, 0.9)));
}

static double covered_by_mean_interval(size_t rounds)
{
    struct rng rng;
    rng_seed(&rng, 2000 + rounds);
    int covered = 0;
    for (int i = 0; i < EXPERIMENTS / 4; i++) {
        double values[SERIES][ROUNDS_MAX];
        struct statistics_series series[SERIES];
        for (size_t j = 0; j < SERIES; j++) {
            for (size_t round = 0; round < rounds; round++) {
                values[j][round] = (double)(1 + j % 3) * noise(&rng, (int)(j % 2));
            }
            series[j] = (struct statistics_series){values[j], 1.0 / SERIES};
        }
        struct interval interval;
        assert_int_equal(STATUS_OK, statistics_mean_interval(series, SERIES, rounds, (uint64_t)i,
                                                             &interval, NULL));
        covered += interval.low <= 0 && 0 <= interval.high;
    }
    return covered / (EXPERIMENTS / 4.0);
}

/* Conservative at few rounds, where a resampled median spreads more than the median does. */
static void test_mean_interval_covers_at_least_95_percent(void **state)
{
    (void)state;
    static const size_t rounds[] = {6, 7, 15, 31};
    for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
        double covered = covered_by_mean_interval(rounds[i]);
        print_message("mean of %d medians of %zu rounds: covered %.4f\n", SERIES, rounds[i],
                      covered);
        assert_true(covered >= 0.945 && covered < 1);
    }
}

static struct interval twin_interval(struct rng *rng, size_t rounds, double difference)
{
    double values[ROUNDS_MAX];
    struct interval interval;
    for (size_t i = 0; i < rounds; i++) {
        values[i] = difference + 0.02 * noise(rng, 0);
    }
    assert_int_equal(STATUS_OK, statistics_middle(values, rounds, &interval, NULL));
    return interval;
}

/* Runs of eight groups: twins set the floors, and a pair of the first group that differs by
 * `difference` is judged by its floor. */
static double told_apart(size_t rounds, double difference)
{
    struct rng rng;
    rng_seed(&rng, 3000 + rounds);
    int judged_different = 0;
    for (int i = 0; i < EXPERIMENTS; i++) {
        struct statistics_twins twins[PAIRS];
        double floors[PAIRS];
        for (size_t j = 0; j < PAIRS; j++) {
            struct interval first = twin_interval(&rng, rounds, 0);
            struct interval second = twin_interval(&rng, rounds, 0);
            twins[j] = (struct statistics_twins){statistics_systematic(&first),
                                                 statistics_systematic(&second)};
        }
        floors_of(twins, PAIRS, floors);
        struct interval judged = twin_interval(&rng, rounds, difference);
        judged_different += statistics_judge(&judged, floors[0]) != STATISTICS_SAME;
    }
    return judged_different / (double)EXPERIMENTS;
}

static void test_verdicts_are_seldom_wrong_and_often_there(void **state)
{
    (void)state;
    double false_few = told_apart(7, 0);
    double false_many = told_apart(15, 0);
    double found_few = told_apart(7, 0.10);
    double found_many = told_apart(15, 0.05);
    print_message(
        "A/A told apart: %.4f at 7 rounds, %.4f at 15; noise 2%% a round: 10%% found at 7 rounds "
        "%.3f, 5%% at 15 %.3f\n",
        false_few, false_many, found_few, found_many);
    assert_true(false_few <= 0.05 && false_many <= 0.05);
    assert_true(found_few >= 0.9 && found_many >= 0.7);
}

/* Nine kinds of five: all alike they are 45 trials and no more, all or nothing a kind nine at most;
 * and where everything is found nine, of which 1 - 0.025^(1/9) = 0.336 may be missed. */
static void test_cluster_interval(void **state)
{
    (void)state;
    struct statistics_cluster clusters[10] = {{0, 0}};
    double low, high, exact_low, exact_high;
    for (size_t i = 0; i < 9; i++) {
        clusters[i] = (struct statistics_cluster){4, 5};
    }
    statistics_cluster_interval(clusters, 10, &low, &high);
    statistics_binomial_interval(36, 45, &exact_low, &exact_high);
    assert_near(exact_low, low, 1e-9);
    assert_near(exact_high, high, 1e-9);
    for (size_t i = 0; i < 9; i++) {
        clusters[i].successes = i < 7 ? 5 : 0;
    }
    statistics_cluster_interval(clusters, 10, &low, &high);
    statistics_binomial_interval(7, 9, &exact_low, &exact_high);
    assert_true(low < exact_low + 1e-9 && high > exact_high - 1e-9 && high < 1);
    for (size_t i = 0; i < 9; i++) {
        clusters[i].successes = 5;
    }
    statistics_cluster_interval(clusters, 10, &low, &high);
    assert_near(1 - 0.336, low, 1e-3);
    assert_near(1, high, 0);
    statistics_cluster_interval(clusters, 1, &low, &high);
    statistics_binomial_interval(5, 5, &exact_low, &exact_high);
    assert_near(exact_low, low, 1e-9);
    statistics_cluster_interval(clusters, 0, &low, &high);
    assert_near(0, low, 0);
    assert_near(1, high, 0);
}

/* Kinds that differ: each has a chance of its own, drawn from all alike to all or nothing. The
 * truth is the mean chance; taking the trials for independent ones covers it far too seldom. */
static void test_cluster_interval_covers(void **state)
{
    (void)state;
    enum { EXPERIMENTS_OF_KINDS = 1500, KINDS = 9, SEEDS = 5 };
    static const double spreads[] = {0, 0.3, 0.6};
    struct rng rng;
    rng_seed(&rng, 91);
    for (size_t s = 0; s < sizeof(spreads) / sizeof(spreads[0]); s++) {
        int covered = 0;
        for (int e = 0; e < EXPERIMENTS_OF_KINDS; e++) {
            struct statistics_cluster clusters[KINDS] = {{0, 0}};
            double low, high;
            for (size_t k = 0; k < KINDS; k++) {
                /* 0.7 on average: mostly all, else nothing, mixed with 0.7 itself. */
                double extreme = rng_uniform(&rng) < 0.7 ? 1 : 0;
                double p = (1 - spreads[s]) * 0.7 + spreads[s] * extreme;
                clusters[k].trials = SEEDS;
                for (size_t i = 0; i < SEEDS; i++) {
                    clusters[k].successes += rng_uniform(&rng) < p;
                }
            }
            statistics_cluster_interval(clusters, KINDS, &low, &high);
            covered += low <= 0.7 && 0.7 <= high;
        }
        print_message("kinds that differ by %.1f: covered %.1f%%\n", spreads[s],
                      100.0 * covered / EXPERIMENTS_OF_KINDS);
        assert_true(covered >= 0.94 * EXPERIMENTS_OF_KINDS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cluster_interval),
        cmocka_unit_test(test_cluster_interval_covers),
        cmocka_unit_test(test_quantiles_and_medians),
        cmocka_unit_test(test_median_is_that_of_the_sorted),
        cmocka_unit_test(test_expanded_tail),
        cmocka_unit_test(test_median_interval_known),
        cmocka_unit_test(test_five_values_have_no_interval),
        cmocka_unit_test(test_mean_interval),
        cmocka_unit_test(test_noise_floors),
        cmocka_unit_test(test_noise_floors_of_many_groups),
        cmocka_unit_test(test_noise_floors_without_twins),
        cmocka_unit_test(test_the_floor_bounds_the_second_twin),
        cmocka_unit_test(test_what_chance_explains_is_not_systematic),
        cmocka_unit_test(test_binomial_interval),
        cmocka_unit_test(test_judge_needs_the_whole_interval_beyond_the_floor),
        cmocka_unit_test(test_median_interval_covers_95_percent),
        cmocka_unit_test(test_middle_known),
        cmocka_unit_test(test_middle_covers_95_percent),
        cmocka_unit_test(test_the_resolution_is_what_is_found_in_nine_rows_of_ten),
        cmocka_unit_test(test_mean_interval_covers_at_least_95_percent),
        cmocka_unit_test(test_verdicts_are_seldom_wrong_and_often_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
