/* The statistics of paired rounds. docs/decisions/0003-statistics.md says why these, and what
 * coverage they were measured to have.
 *
 * Everything works on logarithms of ratios, is deterministic for a seed, allocates only where it
 * says so, and may be called from several threads. */
#ifndef HEAPMILL_RESULTS_STATISTICS_H
#define HEAPMILL_RESULTS_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

/* Below this many pairs no interval can cover 95%: the widest that there is, from the least to the
 * greatest, misses the median with probability 2 / 2^n, which is 6.25% at five and 3.1% at six. */
enum { STATISTICS_ROUNDS_MIN = 6 };

/* NAN in low and high: no interval. */
struct interval {
    double point;
    double low;
    double high;
};

/* The p-quantile, 0 <= p <= 1, with linear interpolation between order statistics (type 7 of
 * Hyndman and Fan 1996). sorted is ascending, count > 0. */
double statistics_quantile(const double *sorted, size_t count, double p);

/* The median of values, which it reorders; count > 0. O(count). */
double statistics_median(double *values, size_t count);

void statistics_sort(double *values, size_t count);

/* The tail that a percentile bootstrap over count values must leave on each side to cover 95%: 2.5%
 * for a large count, less for a small one (Hesterberg 2015, section 3.3: the expanded percentile
 * interval). count >= 2. */
double statistics_expanded_tail(size_t count);

/* How many resamples a bootstrap over count values draws: never below 2000. */
size_t statistics_resamples(size_t count);

/* The median of the values with its 95% interval, by interpolated order statistics (Hettmansperger
 * and Sheather 1986): nearly exact for any continuous distribution and any count from
 * STATISTICS_ROUNDS_MIN on, below which low and high are NAN. count > 0. Allocates;
 * STATUS_NO_MEMORY. */
enum status statistics_median_interval(const double *values, size_t count,
                                       struct interval *interval, struct error *error);

/* One series of a mean of medians: the value of each round, NAN where it has none. */
struct statistics_series {
    const double *values; /* [rounds] */
    double weight;        /* all weights of a mean add up to 1 */
};

/* The weighted mean of the series' medians with its 95% interval, by the expanded percentile
 * bootstrap over rounds: the same rounds are drawn in all series, since what disturbs a round
 * disturbs its neighbours too. Each series needs a value; of a single one the interval is that of
 * statistics_median_interval. It is NAN unless each series has STATISTICS_ROUNDS_MIN values. Of
 * logarithms this is a geometric mean. Allocates; STATUS_NO_MEMORY. */
enum status statistics_mean_interval(const struct statistics_series *series, size_t count,
                                     size_t rounds, uint64_t seed, struct interval *interval,
                                     struct error *error);

/* The noise floor: the distance from 0 that 95% of the A/A medians keep (below twenty of them:
 * all). medians are of log-ratios, one an A/A pair. Returns a ratio distance: 0.012 is 1.2%. NAN if
 * count is 0. Allocates nothing; reorders the medians. */
double statistics_noise_floor(double *medians, size_t count);

enum statistics_verdict { STATISTICS_LESS = -1, STATISTICS_SAME = 0, STATISTICS_MORE = 1 };

/* Tells apart only if the whole interval (of log-ratios) lies beyond the noise floor (a ratio
 * distance) on one side, and so excludes 0 too. Both must be known. */
enum statistics_verdict statistics_judge(const struct interval *interval, double noise_floor);

#endif
