/* Tables of many cells, and samples that are not paired: known answers, and what is really found,
 * by simulation, seeded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "common/rng.h"
#include "results/stats/statistics.h"

enum { CELLS = 100, ROUNDS_MAX = 100, TABLES = 800, EXPERIMENTS = 2000 };

static void assert_near(double expected, double actual, double tolerance)
{
    if (!(fabs(expected - actual) <= tolerance)) {
        fail_msg("expected %.8g ± %.2g, got %.8g", expected, tolerance, actual);
    }
}

/* Noise of a pair of rounds: 0 normal; 1 one round in ten disturbed tenfold; 2 skewed, as a
 * difference of two exponential times is not, but a run against another may be. */
static double noise(struct rng *rng, int kind)
{
    if (kind == 1 && rng_below(rng, 10) == 0) {
        return 10 * rng_normal(rng);
    }
    return kind == 2 ? -log(1 - rng_uniform(rng)) - log(2) : rng_normal(rng);
}

/* From the tables: t of 2.5706 at 5 degrees and of 2.2281 at 10 leave 5%, 63.657 at 1 leaves 1%,
 * 5.8934 at 7 is 0.06%. */
static void test_student_tails(void **state)
{
    (void)state;
    assert_near(0.05, statistics_student_tails(2.5706, 5), 1e-5);
    assert_near(0.05, statistics_student_tails(-2.2281, 10), 1e-5);
    assert_near(0.01, statistics_student_tails(63.657, 1), 1e-6);
    assert_near(0.05, statistics_student_tails(4.3027, 2), 1e-5);
    assert_near(0.01, statistics_student_tails(5.8409, 3), 1e-5);
    assert_near(erfc(2 / sqrt(2)), statistics_student_tails(2, 1000000), 1e-6);
    assert_near(1, statistics_student_tails(0, 4), 1e-15);
}

/* Seven values, one trimmed on each side: mean 3 of 1.4 … 4.6, Winsorized squares 2(1.6² + 1.6² +
 * 0.8²) = 11.52 over 5 · 4: t = (3 − 1) / √0.576 = 2.6352 with 3 degrees. */
static void test_beyond_known(void **state)
{
    (void)state;
    const double values[] = {3, 100, 2.2, 1.4, 3.8, 4.6, -50};
    double p;
    assert_int_equal(STATUS_OK, statistics_beyond(values, 7, 1, &p, NULL));
    assert_near(statistics_student_tails(2.635231, 3), p, 1e-6);
    assert_int_equal(STATUS_OK, statistics_beyond(values, 7, 3.1, &p, NULL));
    assert_near(1, p, 0);
    assert_int_equal(STATUS_OK, statistics_beyond(values, 5, 1, &p, NULL));
    assert_true(isnan(p));
    const double same[] = {2, 2, 2, 2, 2, 2};
    assert_int_equal(STATUS_OK, statistics_beyond(same, 6, 1, &p, NULL));
    assert_near(0, p, 0);
}

/* The fifteen p of Benjamini and Hochberg's own example (1995, section 3.2): four are found at 5%.
 */
static void test_discover_known(void **state)
{
    (void)state;
    const double p[] = {1.0000, 0.0001, 0.0298, 0.0004, 0.7590, 0.0019, 0.0201, 0.0095,
                        0.5719, 0.0278, 0.6528, 0.0344, 0.4262, 0.0459, 0.3240, (double)NAN};
    bool kept[16];
    size_t hypotheses;
    size_t found = 0;
    assert_int_equal(STATUS_OK, statistics_discover(p, 16, 0.05, kept, &hypotheses, NULL));
    for (size_t i = 0; i < 16; i++) {
        found += kept[i];
        assert_int_equal(p[i] <= 0.0095, kept[i]);
    }
    assert_int_equal(15, hypotheses);
    assert_int_equal(4, found);
    assert_int_equal(STATUS_OK, statistics_discover(p, 0, 0.05, kept, &hypotheses, NULL));
    assert_int_equal(0, hypotheses);
}

/* What a table of CELLS cells says, `differing` of which differ by 10%. */
struct tally {
    double found;           /* of those that differ */
    double false_share;     /* of all that are told apart, averaged over tables */
    double false_share_raw; /* the same without control */
    double found_by_sign;   /* were the sign test's p used: the least is 2 / 2^rounds */
};

static double share(int part, int all)
{
    return all > 0 ? part / (double)all : 0;
}

/* P of the sign test that lies as far out as the interval does: all signs alike or not. */
static double sign_p(const double *values, size_t count)
{
    size_t above = 0;
    double below = 0;
    double chance = pow(0.5, (double)count);
    for (size_t i = 0; i < count; i++) {
        above += values[i] > 0;
    }
    above = above < count - above ? above : count - above;
    for (size_t i = 0; i <= above; i++) {
        below += chance;
        chance *= (double)(count - i) / (double)(i + 1);
    }
    return fmin(1, 2 * below);
}

static struct tally simulate(size_t rounds, size_t differing, int kind, double reach)
{
    struct tally tally = {0};
    struct rng rng;
    rng_seed(&rng, 5000 + rounds * 10 + differing + (uint64_t)kind);
    for (int table = 0; table < TABLES; table++) {
        double p[CELLS];
        double by_sign[CELLS];
        bool raw[CELLS];
        bool kept[CELLS];
        bool kept_by_sign[CELLS];
        size_t hypotheses;
        for (size_t cell = 0; cell < CELLS; cell++) {
            double values[ROUNDS_MAX];
            struct interval interval;
            for (size_t i = 0; i < rounds; i++) {
                values[i] = (cell < differing ? log(1.1) : 0) + 0.02 * noise(&rng, kind);
            }
            (void)statistics_middle(values, rounds, &interval, NULL);
            (void)statistics_beyond(values, rounds, reach, &p[cell], NULL);
            by_sign[cell] = sign_p(values, rounds);
            raw[cell] = statistics_judge(&interval, expm1(reach)) != STATISTICS_SAME;
        }
        (void)statistics_discover(p, CELLS, STATISTICS_DISCOVERY_LEVEL, kept, &hypotheses, NULL);
        (void)statistics_discover(by_sign, CELLS, STATISTICS_DISCOVERY_LEVEL, kept_by_sign,
                                  &hypotheses, NULL);
        int found = 0, wrong = 0, raw_all = 0, raw_wrong = 0, found_by_sign = 0;
        for (size_t cell = 0; cell < CELLS; cell++) {
            bool told = raw[cell] && kept[cell];
            found += told && cell < differing;
            wrong += told && cell >= differing;
            raw_all += raw[cell];
            raw_wrong += raw[cell] && cell >= differing;
            found_by_sign += raw[cell] && kept_by_sign[cell] && cell < differing;
        }
        tally.found += share(found, (int)differing) / TABLES;
        tally.found_by_sign += share(found_by_sign, (int)differing) / TABLES;
        tally.false_share += share(wrong, wrong + found) / TABLES;
        tally.false_share_raw += share(raw_wrong, raw_all) / TABLES;
    }
    return tally;
}

/* p below a level comes at most that often where there is nothing to find, also far out. */
static void test_p_is_honest_far_out(void **state)
{
    (void)state;
    static const size_t rounds[] = {6, 7, 10, 11, 12, 15, 40};
    static const double levels[] = {0.05, 0.01, 0.001};
    enum { DRAWS = 100000 };
    struct rng rng;
    rng_seed(&rng, 17);
    for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
        int below[3] = {0};
        for (int draw = 0; draw < DRAWS; draw++) {
            double values[ROUNDS_MAX];
            double p = 1;
            for (size_t j = 0; j < rounds[i]; j++) {
                values[j] = rng_normal(&rng);
            }
            (void)statistics_beyond(values, rounds[i], 0, &p, NULL);
            for (size_t j = 0; j < 3; j++) {
                below[j] += p <= levels[j];
            }
        }
        for (size_t j = 0; j < 3; j++) {
            double expected = levels[j] * DRAWS;
            print_message("%zu rounds: p <= %g came %.2f times as often as it may\n", rounds[i],
                          levels[j], below[j] / expected);
            assert_true(below[j] <= expected + 3 * sqrt(expected));
        }
    }
}

/* With no floor to help (reach 0), which is when control is needed. Few, half, or most cells
 * differ, or none: then every verdict is wrong, and the share is that of tables with one. */
static void test_the_share_of_wrong_verdicts(void **state)
{
    (void)state;
    static const size_t rounds[] = {7, 10, 20};
    static const size_t differing[] = {0, 3, 10, 50, 90};
    for (int kind = 0; kind <= 1; kind++) {
        for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
            for (size_t j = 0; j < sizeof(differing) / sizeof(differing[0]); j++) {
                struct tally tally = simulate(rounds[i], differing[j], kind, 0);
                print_message("%zu rounds, %2zu of %d cells differ by 10%%, noise %d: found %.3f, "
                              "wrong %.4f (uncontrolled %.3f); by signs found %.3f\n",
                              rounds[i], differing[j], CELLS, kind, tally.found, tally.false_share,
                              tally.false_share_raw, tally.found_by_sign);
                assert_true(tally.false_share <= 0.075); /* 5%, and three errors of 800 tables */
                assert_true(tally.false_share <= tally.false_share_raw);
                double least = kind == 1 ? 0.6 : 0.8;
                assert_true(differing[j] < 10 || rounds[i] < 10 || tally.found >= least);
            }
        }
    }
}

/* Why the p is not the sign test's: at seven rounds that would withdraw everything unless a third
 * of the table differs. */
static void test_power_at_seven_rounds(void **state)
{
    (void)state;
    struct tally tally = simulate(7, 10, 0, 0.01);
    assert_true(tally.found >= 0.7);
    assert_true(tally.found_by_sign <= 0.3);
    assert_true(tally.false_share <= 0.05);
}

/* {1.1, 2.2, …} against {1, 2, …}: worked by hand. Six and six: P(U <= 5) = 19/924 = 0.0206, and
 * P(U <= 6) = 30/924: the interval begins at the sixth least of the 36 differences. */
static void test_shift_known(void **state)
{
    (void)state;
    const double a[] = {10, 20, 30, 40, 50, 60};
    const double b[] = {0, 1, 2, 3, 4, 5};
    struct interval interval;
    double p;
    assert_int_equal(STATUS_OK, statistics_shift(a, 6, b, 6, 0, &interval, &p, NULL));
    assert_near(32.5, interval.point, 1e-9); /* the middle ones are 30 and 35 − … : 32 and 33 */
    assert_near(10, interval.low, 1e-9);     /* 5 6 7 8 9 10 … */
    assert_near(55, interval.high, 1e-9);
    assert_near(2.0 / 924, p, 1e-12);
    assert_int_equal(STATUS_OK, statistics_shift(a, 6, b, 6, 10.5, &interval, &p, NULL));
    assert_near(2 * 30.0 / 924, p, 1e-12); /* six differences do not exceed 10.5 */
    assert_int_equal(STATUS_OK, statistics_shift(a, 5, b, 6, 0, &interval, &p, NULL));
    assert_near(27.5, interval.point, 1e-9);
    assert_true(isnan(interval.low) && isnan(interval.high) && isnan(p));
    /* Turned round. */
    assert_int_equal(STATUS_OK, statistics_shift(b, 6, a, 6, 0, &interval, &p, NULL));
    assert_near(-32.5, interval.point, 1e-9);
    assert_near(-55, interval.low, 1e-9);
    assert_near(2.0 / 924, p, 1e-12);
}

/* The exact distribution and the normal approximation agree where one becomes the other. */
static void test_shift_is_smooth_at_its_bound(void **state)
{
    (void)state;
    double a[61];
    double b[61];
    double p[2];
    struct interval interval[2];
    struct rng rng;
    rng_seed(&rng, 5);
    for (size_t i = 0; i < 61; i++) {
        a[i] = rng_normal(&rng) + 0.4;
        b[i] = rng_normal(&rng);
    }
    a[60] = a[59]; /* one more value that changes little */
    b[60] = b[59];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(STATUS_OK,
                         statistics_shift(a, 60 + i, b, 60 + i, 0, &interval[i], &p[i], NULL));
    }
    assert_near(interval[0].low, interval[1].low, 0.03);
    assert_near(interval[0].high, interval[1].high, 0.03);
    assert_near(1, p[0] / p[1], 0.3);
}

/* Coverage of a true shift, the second sample twice as noisy and of another size at last. */
static double covered_by_shift(size_t count, size_t base_count, int kind, double scale)
{
    struct rng rng;
    rng_seed(&rng, 9000 + count + base_count + (uint64_t)kind);
    int covered = 0;
    for (int i = 0; i < EXPERIMENTS; i++) {
        double a[ROUNDS_MAX];
        double b[ROUNDS_MAX];
        struct interval interval;
        double p;
        for (size_t j = 0; j < count; j++) {
            a[j] = 3 + noise(&rng, kind);
        }
        for (size_t j = 0; j < base_count; j++) {
            b[j] = scale * noise(&rng, kind);
        }
        assert_int_equal(STATUS_OK,
                         statistics_shift(a, count, b, base_count, 0, &interval, &p, NULL));
        covered += interval.low <= 3 && 3 <= interval.high;
        assert_int_equal(p <= 0.05, interval.low > 0 || interval.high < 0);
    }
    return covered / (double)EXPERIMENTS;
}

static void test_shift_covers_95_percent(void **state)
{
    (void)state;
    static const size_t counts[][2] = {{6, 6}, {7, 7}, {7, 20}, {15, 15}, {70, 90}};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (int kind = 0; kind <= 2; kind++) {
            double covered = covered_by_shift(counts[i][0], counts[i][1], kind, 1);
            print_message("shift, %zu against %zu, noise %d: covered %.4f\n", counts[i][0],
                          counts[i][1], kind, covered);
            assert_true(covered >= 0.938 && covered < 1);
        }
    }
    double covered = covered_by_shift(10, 10, 0, 2);
    print_message("shift, one side twice as noisy: covered %.4f\n", covered);
    assert_true(covered >= 0.925);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_student_tails),
        cmocka_unit_test(test_beyond_known),
        cmocka_unit_test(test_discover_known),
        cmocka_unit_test(test_p_is_honest_far_out),
        cmocka_unit_test(test_the_share_of_wrong_verdicts),
        cmocka_unit_test(test_power_at_seven_rounds),
        cmocka_unit_test(test_shift_known),
        cmocka_unit_test(test_shift_is_smooth_at_its_bound),
        cmocka_unit_test(test_shift_covers_95_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
