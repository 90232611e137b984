#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "common/rng.h"
#include "results/stats/survival.h"

enum { MANY = 40 };

static void assert_near(double value, double expected, double reach)
{
    if (!(fabs(value - expected) <= reach)) {
        fail_msg("%.9g is not within %g of %.9g", value, reach, expected);
    }
}

/* Remission in weeks under 6-mercaptopurine: Freireich and others 1963, as Gehan 1965 gives them.
 * The survival and Greenwood's errors of this sample are in every textbook. */
static const struct survival_trial remission[] = {
    {6, true},   {6, true},   {6, true},   {6, false},  {7, true},   {9, false},  {10, true},
    {10, false}, {11, false}, {13, true},  {16, true},  {17, false}, {19, false}, {20, false},
    {22, true},  {23, true},  {25, false}, {32, false}, {32, false}, {34, false}, {35, false},
};
enum { REMISSIONS = sizeof(remission) / sizeof(remission[0]) };

static void curve_is_that_of_the_textbook(void **state)
{
    static const struct {
        double time;
        size_t at_risk;
        double survival;
        double error;
    } expected[] = {{6, 21, 0.8571, 0.0764},  {7, 17, 0.8067, 0.0869},  {10, 15, 0.7529, 0.0963},
                    {13, 12, 0.6902, 0.1068}, {16, 11, 0.6275, 0.1141}, {22, 7, 0.5378, 0.1282},
                    {23, 6, 0.4482, 0.1346}};
    struct survival_curve curve;
    (void)state;
    assert_int_equal(survival_estimate(remission, REMISSIONS, &curve, NULL), STATUS_OK);
    assert_int_equal(curve.count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < curve.count; i++) {
        assert_near(curve.steps[i].time_s, expected[i].time, 0);
        assert_int_equal(curve.steps[i].at_risk, expected[i].at_risk);
        assert_near(curve.steps[i].survival, expected[i].survival, 0.00005);
        assert_near(curve.steps[i].error, expected[i].error, 0.00005);
        assert_true(curve.steps[i].low < expected[i].survival);
        assert_true(curve.steps[i].high > expected[i].survival);
    }
    /* The log-log interval of the first step, by hand: 0.857142857^exp(±1.96 * 0.0890871 /
     * 0.1541507). */
    assert_near(curve.steps[0].low, 0.6197, 0.0005);
    assert_near(curve.steps[0].high, 0.9516, 0.0005);
    assert_near(survival_median(&curve), 23, 0);
    assert_near(survival_at(&curve, 5.9), 1, 0);
    assert_near(survival_at(&curve, 12.9), 0.7529, 0.00005);
    assert_near(survival_at(&curve, 35), 0.4482, 0.00005);
    assert_true(isnan(survival_at(&curve, 35.1)));
    survival_curve_release(&curve);
}

static void without_censoring_it_is_the_share_left(void **state)
{
    struct survival_trial trials[MANY];
    struct survival_curve curve;
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        trials[i] = (struct survival_trial){(double)((i * 17) % MANY) + 1, true};
    }
    assert_int_equal(survival_estimate(trials, MANY, &curve, NULL), STATUS_OK);
    assert_int_equal(curve.count, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_near(curve.steps[i].survival, 1 - (double)(i + 1) / MANY, 1e-12);
    }
    assert_near(survival_median(&curve), MANY / 2, 0);
    assert_near(survival_at(&curve, 1e9), 0, 1e-12);
    struct interval mean;
    assert_int_equal(survival_restricted_mean(&curve, 1000, &mean, NULL), STATUS_OK);
    assert_near(mean.point, (MANY + 1) / 2.0, 1e-9); /* the plain mean */
    survival_curve_release(&curve);
}

static void nothing_found_and_nothing_tried(void **state)
{
    const struct survival_trial trials[] = {{60, false}, {60, false}};
    struct survival_curve curve;
    struct interval mean;
    struct error error;
    (void)state;
    assert_int_equal(survival_estimate(trials, 2, &curve, NULL), STATUS_OK);
    assert_int_equal(curve.count, 0);
    assert_near(survival_at(&curve, 60), 1, 0);
    assert_true(isnan(survival_median(&curve)));
    assert_int_equal(survival_restricted_mean(&curve, 60, &mean, NULL), STATUS_OK);
    assert_near(mean.point, 60, 0);
    assert_true(isnan(mean.low));
    assert_int_equal(survival_restricted_mean(&curve, 61, &mean, &error), STATUS_INVALID);
    survival_curve_release(&curve);
    assert_int_equal(survival_estimate(NULL, 0, &curve, NULL), STATUS_OK);
    assert_int_equal(curve.count, 0);
    assert_int_equal(survival_restricted_mean(&curve, 1, &mean, &error), STATUS_INVALID);
    survival_curve_release(&curve);
}

static void times_that_are_none_are_refused(void **state)
{
    const double bad[] = {-1, NAN, INFINITY};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct survival_trial trial = {bad[i], true};
        struct survival_curve curve;
        struct error error;
        assert_int_equal(survival_estimate(&trial, 1, &curve, &error), STATUS_INVALID);
    }
}

/* Found at 1 and 2, cut at 3: the area up to 3 is 1 + 2/3 + 1/3 = 2; the variance is 1 * 1/(3*2) +
 * (1/3)^2 * 1/(2*1) = 2/9, for three trials 1/3. The logit is log 2, its error √(1/3) / 3 / (2/9),
 * and Student's t with two degrees 4.302653. */
static void restricted_mean_by_hand(void **state)
{
    const struct survival_trial trials[] = {{1, true}, {2, true}, {3, false}};
    struct survival_curve curve;
    struct interval mean;
    (void)state;
    assert_int_equal(survival_estimate(trials, 3, &curve, NULL), STATUS_OK);
    assert_int_equal(survival_restricted_mean(&curve, 3, &mean, NULL), STATUS_OK);
    assert_near(mean.point, 2, 1e-12);
    double reach = 4.302653 * sqrt(1.0 / 3) / 3 / (2.0 / 9);
    assert_near(mean.low, 3 / (1 + exp(reach - log(2))), 1e-5);
    assert_near(mean.high, 3 / (1 + exp(-reach - log(2))), 1e-5);
    assert_int_equal(survival_restricted_mean(&curve, 1.5, &mean, NULL), STATUS_OK);
    assert_near(mean.point, 1 + 0.5 * 2 / 3, 1e-12);
    survival_curve_release(&curve);
}

/* Exponential times of mean 1, of a searcher who gives up at 2: the mean is 1 - exp(-2). */
static void restricted_mean_covers_with_few_trials(void **state)
{
    static const size_t counts[] = {3, 5, 10};
    enum { EXPERIMENTS = 4000 };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct rng rng;
        int covered = 0;
        rng_seed(&rng, 50 + i);
        for (int experiment = 0; experiment < EXPERIMENTS; experiment++) {
            struct survival_trial trials[10];
            struct survival_curve curve;
            struct interval mean;
            for (size_t t = 0; t < counts[i]; t++) {
                double time_s = rng_exponential(&rng, 1);
                trials[t] = (struct survival_trial){fmin(time_s, 2), time_s < 2};
            }
            assert_int_equal(survival_estimate(trials, counts[i], &curve, NULL), STATUS_OK);
            assert_int_equal(survival_restricted_mean(&curve, 2, &mean, NULL), STATUS_OK);
            bool unknown = isnan(mean.low);
            covered += unknown || (mean.low <= 1 - exp(-2) && 1 - exp(-2) <= mean.high);
            survival_curve_release(&curve);
        }
        print_message("mean of %zu trials: covered %.3f\n", counts[i],
                      covered / (double)EXPERIMENTS);
        assert_in_range(covered, EXPERIMENTS * 93 / 100, EXPERIMENTS * 98 / 100);
    }
}

static void a12_counts_pairs(void **state)
{
    const struct survival_trial a[] = {{1, true}, {2, true}, {3, true}};
    const struct survival_trial b[] = {{2, true}, {4, true}, {6, true}};
    const struct survival_trial c[] = {{1, true}, {5, false}};
    const struct survival_trial d[] = {{3, true}, {4, false}};
    (void)state;
    assert_near(survival_a12(&(struct survival_pair){a, 3, b, 3}), 7.5 / 9, 1e-12);
    assert_near(survival_a12(&(struct survival_pair){b, 3, a, 3}), 1.5 / 9, 1e-12);
    /* 1 before 3, 1 before what was cut at 4, 3 before what was cut at 5, and one unknown. */
    assert_near(survival_a12(&(struct survival_pair){c, 2, d, 2}), 2.5 / 4, 1e-12);
    assert_near(survival_a12(&(struct survival_pair){d, 2, c, 2}), 1.5 / 4, 1e-12);
    assert_true(isnan(survival_a12(&(struct survival_pair){a, 3, b, 0})));
}

static void a12_of_separate_samples_is_not_certain(void **state)
{
    struct survival_trial fast[10];
    struct survival_trial slow[10];
    struct interval interval;
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        fast[i] = (struct survival_trial){(double)i + 1, true};
        slow[i] = (struct survival_trial){300, false};
    }
    struct survival_pair pair = {fast, 10, slow, 10};
    assert_int_equal(survival_a12_interval(&pair, 1, 1, &interval, NULL), STATUS_OK);
    assert_near(interval.point, 1, 0);
    assert_near(interval.low, pow(0.025, 0.1), 1e-12);
    assert_near(interval.high, 1, 0);
    struct survival_pair few = {fast, 3, slow, 10};
    assert_int_equal(survival_a12_interval(&few, 1, 1, &interval, NULL), STATUS_OK);
    assert_near(interval.point, 1, 0);
    assert_true(isnan(interval.low));
    struct survival_pair none = {fast, 0, slow, 10};
    assert_int_equal(survival_a12_interval(&none, 1, 1, &interval, NULL), STATUS_OK);
    assert_true(isnan(interval.point));
}

static void a12_interval_is_seeded_and_moves_with_the_samples(void **state)
{
    struct survival_trial left[MANY];
    struct survival_trial right[MANY];
    struct interval once, again, strata;
    struct rng rng;
    (void)state;
    rng_seed(&rng, 7);
    for (size_t i = 0; i < MANY; i++) {
        double a = rng_exponential(&rng, 30);
        double b = rng_exponential(&rng, 120);
        left[i] = (struct survival_trial){fmin(a, 100), a < 100};
        right[i] = (struct survival_trial){fmin(b, 100), b < 100};
    }
    struct survival_pair pair = {left, MANY, right, MANY};
    assert_int_equal(survival_a12_interval(&pair, 1, 5, &once, NULL), STATUS_OK);
    assert_int_equal(survival_a12_interval(&pair, 1, 5, &again, NULL), STATUS_OK);
    assert_true(once.low == again.low && once.high == again.high);
    /* P(left sooner) is 120 / 150 for exponentials, but for the pairs that the limit hides. */
    assert_true(once.low > 0.6 && once.low < once.point && once.point < once.high);
    assert_true(once.high < 0.95);
    /* The same sample as two strata with the sides exchanged in one is a draw. */
    struct survival_pair both[] = {pair, {right, MANY, left, MANY}};
    assert_int_equal(survival_a12_interval(both, 2, 5, &strata, NULL), STATUS_OK);
    assert_near(strata.point, 0.5, 1e-12);
    assert_true(strata.low < 0.5 && strata.high > 0.5);
}

/* Of 300 experiments without a difference the interval should miss 0.5 in about 5%: below 9% with
 * near certainty. */
static void a12_interval_covers(void **state)
{
    size_t missed = 0;
    struct rng rng;
    (void)state;
    rng_seed(&rng, 11);
    for (size_t experiment = 0; experiment < 300; experiment++) {
        struct survival_trial sides[2][10];
        for (size_t i = 0; i < 20; i++) {
            double time = rng_exponential(&rng, 100);
            sides[i / 10][i % 10] = (struct survival_trial){fmin(time, 150), time < 150};
        }
        struct survival_pair pair = {sides[0], 10, sides[1], 10};
        struct interval interval;
        assert_int_equal(survival_a12_interval(&pair, 1, experiment, &interval, NULL), STATUS_OK);
        missed += interval.low > 0.5 || interval.high < 0.5;
    }
    assert_in_range(missed, 1, 27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curve_is_that_of_the_textbook),
        cmocka_unit_test(without_censoring_it_is_the_share_left),
        cmocka_unit_test(nothing_found_and_nothing_tried),
        cmocka_unit_test(times_that_are_none_are_refused),
        cmocka_unit_test(restricted_mean_by_hand),
        cmocka_unit_test(restricted_mean_covers_with_few_trials),
        cmocka_unit_test(a12_counts_pairs),
        cmocka_unit_test(a12_of_separate_samples_is_not_certain),
        cmocka_unit_test(a12_interval_is_seeded_and_moves_with_the_samples),
        cmocka_unit_test(a12_interval_covers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
