/* The statistics of paired rounds. docs/decisions/0003-statistics.md gives the reasons and the
 * measured coverage.
 *
 * All functions work on logarithms of ratios and are deterministic for a seed. They allocate only
 * if their comment says so, and may be called from several threads. */
#ifndef HEAPMILL_RESULTS_STATISTICS_H
#define HEAPMILL_RESULTS_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

/* With fewer pairs no interval can cover 95%: even the widest one, from the smallest value to the
 * largest, misses the median with probability 2 / 2^n, which is 6.25% at five and 3.1% at six. */
enum { STATISTICS_ROUNDS_MIN = 6 };

/* Values from which the least p of signed ranks, 2 / 2^11, is small enough for most tables. */
enum { STATISTICS_RANKS_MIN = 11 };

/* low and high are NAN if there is no interval. */
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

/* One series of a mean of medians: the value of each round, NAN if it has none. */
struct statistics_series {
    const double *values; /* [rounds] */
    double weight;        /* the weights of a mean add up to 1 */
};

/* The weighted mean of the series' medians with its 95% interval, by the expanded percentile
 * bootstrap over rounds: the same rounds are drawn in all series, since what disturbs a round
 * disturbs its neighbours too. Each series needs a value; of a single one the interval is that of
 * statistics_median_interval. It is NAN unless each series has STATISTICS_ROUNDS_MIN values. Of
 * logarithms this is a geometric mean. Allocates; STATUS_NO_MEMORY. */
enum status statistics_mean_interval(const struct statistics_series *series, size_t count,
                                     size_t rounds, uint64_t seed, struct interval *interval,
                                     struct error *error);

/* About one standard error: a quarter of a 95% interval's width, a log-ratio too. */
double statistics_standard_error(const struct interval *interval);

/* How far a pair's systematic difference is from 0, as far as chance allows to see it: the distance
 * of the interval's near end from 0; 0 if the interval contains 0. It is the smallest floor with
 * which statistics_judge does not tell the pair apart. A log-ratio, as the interval. */
double statistics_systematic(const struct interval *interval);

/* The A/A pairs of a group of cells: statistics_systematic of each, NAN for one without an
 * interval. */
struct statistics_twins {
    double first;
    double second;
};

/* Computes the noise floors of groups. With a chance of 95%, an identical program under another
 * name is not told apart by its group's floor. The floor is the first twin's distance plus the
 * amount by which second twins exceed first ones in the other groups (taken by rank, so for any
 * distribution; below 20 groups it is the largest amount, which promises less). A group's own
 * second twin does not influence its floor. If intervals alone account for all of chance, floors
 * are 0. Fills floors[count] with ratio distances: 0.012 is 1.2%; all are NAN if no first twin has
 * an interval. STATUS_NO_MEMORY. */
enum status statistics_noise_floors(const struct statistics_twins *twins, size_t count,
                                    double *floors, struct error *error);

enum statistics_verdict { STATISTICS_LESS = -1, STATISTICS_SAME = 0, STATISTICS_MORE = 1 };

/* Tells a pair apart only if the whole interval (of log-ratios) lies beyond the noise floor (a
 * ratio distance) on one side. Then it also excludes 0. Both must be known. */
enum statistics_verdict statistics_judge(const struct interval *interval, double noise_floor);

/* --- many cells at once: many.c */

/* The allowed share of wrong findings among all differences that a table tells apart. */
#define STATISTICS_DISCOVERY_LEVEL 0.05

/* P(|T| >= |t|) of Student's t with that many degrees of freedom, at least 1. */
double statistics_student_tails(double t, size_t degrees);

/* The t of which that chance is 5%. */
double statistics_student_95(size_t degrees);

/* The two-sided probability of values as far out as these if their location lay within ±reach. From
 * STATISTICS_RANKS_MIN values on it is that of statistics_middle_beyond, which agrees with the
 * interval. With fewer values ranks cannot give a p that survives a table; then it is the p of a
 * t-test of their 20% trimmed mean (Tukey and McLaughlin 1963; Yuen 1974) against the near end of
 * that range, with degrees of freedom that were simulated so that it holds far out; 0 if values
 * without any spread lie beyond the range. NAN below STATISTICS_ROUNDS_MIN values. Allocates;
 * STATUS_NO_MEMORY. */
enum status statistics_beyond(const double *values, size_t count, double reach, double *p,
                              struct error *error);

/* Finds which of many hypotheses can be rejected so that, on average, at most `level` of the
 * rejected ones are true: Benjamini and Hochberg 1995. A p of NAN is no hypothesis. kept[i] says
 * that p[i] is among the findings. *hypotheses gets the number of hypotheses. Allocates;
 * STATUS_NO_MEMORY. */
enum status statistics_discover(const double *p, size_t count, double level, bool *kept,
                                size_t *hypotheses, struct error *error);

/* --- the middle of paired differences: signed_rank.c */

/* The median of all means of two values (Hodges and Lehmann 1963), with the 95% interval that
 * inverts Wilcoxon's signed-rank test (1945), exact up to 60 values and by the normal approximation
 * beyond. It covers at least 95% where the values are symmetric about their middle, as log-ratios
 * of two alike cells are, either of which could have been the base. Of normal values it needs two
 * thirds of the rounds that a median's interval needs for the same width. count > 0; low and high
 * are NAN below STATISTICS_ROUNDS_MIN values. Allocates; STATUS_NO_MEMORY. */
enum status statistics_middle(const double *values, size_t count, struct interval *interval,
                              struct error *error);

/* The p of the same test of a middle within ±reach, two-sided: at most 5% just if the interval lies
 * beyond. NAN below STATISTICS_ROUNDS_MIN values. Allocates; STATUS_NO_MEMORY. */
enum status statistics_middle_beyond(const double *values, size_t count, double reach, double *p,
                                     struct error *error);

/* --- what a table can see: resolution.c */

/* What a row is judged by, as log-ratios: its floor, and the standard error of its figure. */
struct statistics_sight {
    double floor;
    double error;
};

/* The smallest slowdown, a ratio distance, that is found on average in this share of the rows, if a
 * row is found when it lies beyond the floor with a two-sided p of at most `level`. Errors are
 * assumed to be normal. NAN: there are no rows, or no slowdown below 16-fold is found. */
double statistics_resolved(const struct statistics_sight *rows, size_t count, double level,
                           double share);

/* --- two samples that are not paired: shift.c */

/* A shift between two samples: the median of all differences (Hodges and Lehmann 1963), with the
 * interval that inverts the rank-sum test of Mann and Whitney (1947), exact up to 60 values a side
 * and by the normal approximation beyond. It covers at least 95%. p is that test's of the shift
 * lying within ±reach. low, high and p are NAN where one side has fewer than STATISTICS_ROUNDS_MIN
 * values. Both counts > 0. Allocates; STATUS_NO_MEMORY. */
enum status statistics_shift(const double *values, size_t count, const double *base_values,
                             size_t base_count, double reach, struct interval *interval, double *p,
                             struct error *error);

/* --- shares: binomial.c */

/* The exact 95% interval of a probability of which `successes` of `trials` are known: Clopper and
 * Pearson 1934. From 0 to 1 for no trials. O(trials) a step; made for some thousand. */
void statistics_binomial_interval(size_t successes, size_t trials, double *low, double *high);

/* Trials that are alike beyond what chance makes them, as those of one kind. */
struct statistics_cluster {
    size_t successes;
    size_t trials;
};

/* The 95% interval of a probability from trials in clusters: Clopper and Pearson's of as many
 * independent trials as the spread between clusters is worth (Korn and Graubard 1998, "Confidence
 * Intervals for Proportions with Small Expected Number of Positive Counts Estimated from Survey
 * Data"), rounded to the wider side. Where all or none succeed there is no spread to go by, and
 * each cluster counts as one trial. Clusters without trials are passed over; one alone is as
 * binomial. */
void statistics_cluster_interval(const struct statistics_cluster *clusters, size_t count,
                                 double *low, double *high);

#endif
