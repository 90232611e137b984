#include "results/stats/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "common/rng.h"

/* The normal distribution's 97.5% point. */
#define STATISTICS_NORMAL_975 1.959963984540054
#define STATISTICS_COVERAGE 0.95

enum {
    STATISTICS_RESAMPLES_FEW = 5000, /* for tails below 1%, which need more draws to be steady */
    STATISTICS_RESAMPLES_MANY = 2000,
    STATISTICS_MANY = 32, /* values from which STATISTICS_RESAMPLES_MANY will do */
};

static int statistics_compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

void statistics_sort(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), statistics_compare);
}

double statistics_quantile(const double *sorted, size_t count, double p)
{
    double position = p * (double)(count - 1);
    size_t below = (size_t)position;
    size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

/* The value of a rank (0: the least), by Hoare's FIND (Algorithm 65, CACM 4, 1961). Afterwards no
 * value before it is greater and none after it is less. */
static double statistics_select(double *values, size_t count, size_t rank_wanted)
{
    ptrdiff_t rank = (ptrdiff_t)rank_wanted;
    ptrdiff_t low = 0;
    ptrdiff_t high = (ptrdiff_t)count - 1;
    while (low < high) {
        double pivot = values[rank];
        ptrdiff_t i = low;
        ptrdiff_t j = high;
        while (i <= j) {
            while (values[i] < pivot) {
                i++;
            }
            while (pivot < values[j]) {
                j--;
            }
            if (i <= j) {
                double value = values[i];
                values[i++] = values[j];
                values[j--] = value;
            }
        }
        low = j < rank ? i : low;
        high = rank < i ? j : high;
    }
    return values[rank];
}

double statistics_median(double *values, size_t count)
{
    double upper = statistics_select(values, count, count / 2);
    if (count % 2 == 1) {
        return upper;
    }
    double lower = values[0];
    for (size_t i = 1; i < count / 2; i++) {
        lower = values[i] > lower ? values[i] : lower;
    }
    return (lower + upper) / 2;
}

double statistics_expanded_tail(size_t count)
{
    /* Student's 97.5% point by its expansion about the normal one: Abramowitz and Stegun
     * 1964, 26.7.5, first three terms; off by less than 0.003 from five degrees of freedom on. */
    double degrees = (double)count - 1;
    double z = STATISTICS_NORMAL_975;
    double z2 = z * z;
    double student = z + z * (z2 + 1) / (4 * degrees) +
                     z * ((5 * z2 + 16) * z2 + 3) / (96 * degrees * degrees) +
                     z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * pow(degrees, 3));
    double expanded = student * sqrt((double)count / degrees);
    return erfc(expanded / sqrt(2)) / 2;
}

size_t statistics_resamples(size_t count)
{
    return count < STATISTICS_MANY ? STATISTICS_RESAMPLES_FEW : STATISTICS_RESAMPLES_MANY;
}

/* A value and the round that it is of. */
struct ranked {
    double value;
    uint32_t round;
};

static int statistics_compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    int order = (a->value > b->value) - (a->value < b->value);
    return order != 0 ? order : (a->round > b->round) - (a->round < b->round);
}

/* Draws `rounds` rounds with replacement; times[r] is how often round r was drawn. */
static void statistics_draw(struct rng *rng, uint32_t *times, size_t rounds)
{
    for (size_t i = 0; i < rounds; i++) {
        times[i] = 0;
    }
    for (size_t i = 0; i < rounds; i += 2) {
        /* Two draws from one number: rounds are fewer than 2^31, the bias is below rounds / 2^32.
         */
        uint64_t bits = rng_next(rng);
        times[((bits & UINT32_MAX) * rounds) >> 32]++;
        if (i + 1 < rounds) {
            times[((bits >> 32) * rounds) >> 32]++;
        }
    }
}

/* The median of a resample: of the ascending values, each as often as its round was drawn.
 * `otherwise` if none of their rounds was. */
static double statistics_resampled_median(const struct ranked *ranked, size_t count,
                                          const uint32_t *times, size_t drawn, double otherwise)
{
    if (drawn == 0) {
        return otherwise;
    }
    size_t lower_rank = (drawn - 1) / 2;
    size_t upper_rank = drawn / 2;
    size_t passed = 0;
    size_t i = 0;
    while (i < count && passed + times[ranked[i].round] <= lower_rank) {
        passed += times[ranked[i++].round];
    }
    double lower = ranked[i].value;
    while (i < count && passed + times[ranked[i].round] <= upper_rank) {
        passed += times[ranked[i++].round];
    }
    return (lower + ranked[i].value) / 2;
}

static double statistics_ranked_median(const struct ranked *ranked, size_t count)
{
    return (ranked[(count - 1) / 2].value + ranked[count / 2].value) / 2;
}

/* A series' values by rank, and what resampling needs to know of it. */
struct ranked_series {
    struct ranked *ranked; /* [count], ascending */
    size_t count;
    double median;
    double weight;
};

/* The memory of a bootstrap, in one piece. */
struct bootstrap {
    struct ranked_series *series;
    struct ranked *ranked;
    uint32_t *times;
    double *figures; /* [resamples] */
    size_t series_count;
    size_t rounds;
    size_t resamples;
};

static void bootstrap_close(struct bootstrap *bootstrap)
{
    free(bootstrap->series);
    free(bootstrap->ranked);
    free(bootstrap->times);
    free(bootstrap->figures);
}

static enum status bootstrap_open(struct bootstrap *bootstrap, size_t series_count, size_t rounds,
                                  size_t resamples, struct error *error)
{
    *bootstrap =
        (struct bootstrap){.series_count = series_count, .rounds = rounds, .resamples = resamples};
    bootstrap->series = calloc(series_count, sizeof(*bootstrap->series));
    bootstrap->ranked = calloc(series_count * rounds, sizeof(*bootstrap->ranked));
    bootstrap->times = calloc(rounds, sizeof(*bootstrap->times));
    bootstrap->figures = calloc(resamples, sizeof(*bootstrap->figures));
    if (bootstrap->series == NULL || bootstrap->ranked == NULL || bootstrap->times == NULL ||
        bootstrap->figures == NULL) {
        bootstrap_close(bootstrap);
        return error_set(error, STATUS_NO_MEMORY, "no memory for the bootstrap of %zu rounds",
                         rounds);
    }
    return STATUS_OK;
}

/* Ranks the values of series number index; those that are NAN are left out. */
static void bootstrap_rank(struct bootstrap *bootstrap, size_t index, const double *values,
                           double weight)
{
    struct ranked_series *series = &bootstrap->series[index];
    series->ranked = &bootstrap->ranked[index * bootstrap->rounds];
    series->weight = weight;
    for (size_t round = 0; round < bootstrap->rounds; round++) {
        if (!isnan(values[round])) {
            series->ranked[series->count++] = (struct ranked){values[round], (uint32_t)round};
        }
    }
    qsort(series->ranked, series->count, sizeof(*series->ranked), statistics_compare_ranked);
    series->median = statistics_ranked_median(series->ranked, series->count);
}

/* How many of the series' values this resample has. */
static size_t bootstrap_drawn(const struct bootstrap *bootstrap, const struct ranked_series *series)
{
    if (series->count == bootstrap->rounds) {
        return bootstrap->rounds;
    }
    size_t drawn = 0;
    for (size_t i = 0; i < series->count; i++) {
        drawn += bootstrap->times[series->ranked[i].round];
    }
    return drawn;
}

/* Fills figures with the weighted mean of medians of each resample. */
static void bootstrap_run(struct bootstrap *bootstrap, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    for (size_t i = 0; i < bootstrap->resamples; i++) {
        statistics_draw(&rng, bootstrap->times, bootstrap->rounds);
        double mean = 0;
        for (size_t j = 0; j < bootstrap->series_count; j++) {
            const struct ranked_series *series = &bootstrap->series[j];
            size_t drawn = bootstrap_drawn(bootstrap, series);
            mean += series->weight * statistics_resampled_median(series->ranked, series->count,
                                                                 bootstrap->times, drawn,
                                                                 series->median);
        }
        bootstrap->figures[i] = mean;
    }
}

/* The bounds that leave the tail on each side, rounded outwards to figures that were drawn. */
static void bootstrap_bounds(struct bootstrap *bootstrap, double tail, struct interval *interval)
{
    size_t outside = (size_t)(tail * (double)bootstrap->resamples);
    size_t last = bootstrap->resamples - 1;
    interval->low = statistics_select(bootstrap->figures, bootstrap->resamples, outside);
    interval->high = statistics_select(bootstrap->figures, bootstrap->resamples, last - outside);
}

/* The chance of exactly `heads` heads in `count` fair coin flips. */
static double statistics_binomial(size_t count, size_t heads)
{
    double n = (double)count;
    double k = (double)heads;
    int sign;
    return exp(lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign) -
               n * log(2));
}

/* Bounds of the median of ascending values, between the two pairs of order statistics whose exact
 * coverages lie on either side of 95%: Hettmansperger and Sheather 1986, "Confidence intervals
 * based on interpolated order statistics". */
static void statistics_order_bounds(const struct ranked *ranked, size_t count,
                                    struct interval *interval)
{
    /* From the depth-th least to the depth-th greatest covers 1 − 2 P(fewer than depth heads). */
    size_t depth = 1;
    double outer = 1 - 2 * statistics_binomial(count, 0);
    double inner = outer - 2 * statistics_binomial(count, 1);
    while (inner >= STATISTICS_COVERAGE) {
        outer = inner;
        inner -= 2 * statistics_binomial(count, ++depth);
    }
    double share = (outer - STATISTICS_COVERAGE) / (outer - inner);
    double n = (double)count;
    double d = (double)depth;
    double inwards = (n - d) * share / (d + (n - 2 * d) * share);
    const struct ranked *lower = &ranked[depth - 1];
    const struct ranked *upper = &ranked[count - depth];
    interval->low = lower[0].value + inwards * (lower[1].value - lower[0].value);
    interval->high = upper[0].value + inwards * (upper[-1].value - upper[0].value);
}

enum status statistics_mean_interval(const struct statistics_series *series, size_t count,
                                     size_t rounds, uint64_t seed, struct interval *interval,
                                     struct error *error)
{
    struct bootstrap bootstrap;
    enum status status =
        bootstrap_open(&bootstrap, count, rounds, statistics_resamples(rounds), error);
    if (status != STATUS_OK) {
        return status;
    }
    *interval = (struct interval){0, (double)NAN, (double)NAN};
    size_t fewest = rounds;
    for (size_t i = 0; i < count; i++) {
        bootstrap_rank(&bootstrap, i, series[i].values, series[i].weight);
        interval->point += series[i].weight * bootstrap.series[i].median;
        fewest = bootstrap.series[i].count < fewest ? bootstrap.series[i].count : fewest;
    }
    if (fewest >= STATISTICS_ROUNDS_MIN && count == 1) {
        statistics_order_bounds(bootstrap.series[0].ranked, fewest, interval);
    } else if (fewest >= STATISTICS_ROUNDS_MIN) {
        bootstrap_run(&bootstrap, seed);
        bootstrap_bounds(&bootstrap, statistics_expanded_tail(fewest), interval);
    }
    bootstrap_close(&bootstrap);
    return STATUS_OK;
}

enum status statistics_median_interval(const double *values, size_t count,
                                       struct interval *interval, struct error *error)
{
    const struct statistics_series series = {values, 1};
    return statistics_mean_interval(&series, 1, count, 0, interval, error);
}

enum statistics_verdict statistics_judge(const struct interval *interval, double noise_floor)
{
    double reach = log1p(noise_floor);
    if (interval->low > reach) {
        return STATISTICS_MORE;
    }
    return interval->high < -reach ? STATISTICS_LESS : STATISTICS_SAME;
}
