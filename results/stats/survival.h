/* How long it takes until something is found: statistics of times, some of which are only known to
 * be longer than the trial lasted (right-censored).
 *
 * A fuzzing trial that found nothing within its limit says "longer than that". Leaving it out, or
 * counting the limit as its time, would favour the engine that finds least. So curves are those of
 * Kaplan and Meier, means are restricted to a horizon, and comparisons count pairs. A curve assumes
 * that trials were cut for reasons that say nothing about the time to find; the limit is such a
 * reason.
 *
 * All of it is deterministic for a seed, and may be called from several threads. Times are in
 * seconds of any one clock; heapmill fuzz score uses CPU seconds. */
#ifndef HEAPMILL_RESULTS_SURVIVAL_H
#define HEAPMILL_RESULTS_SURVIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "results/stats/statistics.h"

/* With fewer trials on one side a comparison is a point without an interval. */
enum { SURVIVAL_TRIALS_MIN = 4 };

struct survival_trial {
    double time_s; /* until it was found; if it was not, how long the trial lasted */
    bool found;
};

/* One step of the curve; it holds until the time of the next step. */
struct survival_step {
    double time_s;   /* a time at which something was found */
    size_t at_risk;  /* trials that had neither found nor ended just before */
    size_t found;    /* trials that found at this time */
    double survival; /* the share that takes longer than this */
    double error;    /* its standard error, by Greenwood's formula (1926) */
    double low;      /* 95% by the log-log transform (Kalbfleisch and Prentice 1980), which stays */
    double high;     /* within 0 and 1; NAN where the survival is 0 */
};

struct survival_curve {
    struct survival_step *steps; /* by time; before the first the survival is 1 */
    size_t count;
    double end_s; /* the longest trial: beyond it nothing is known unless the survival is 0 */
};

/* The product-limit estimate (Kaplan and Meier 1958). A trial that was cut at the time at which
 * another found still counts as at risk, as is the convention. On success the caller calls
 * survival_curve_release. STATUS_INVALID: a negative or infinite time. STATUS_NO_MEMORY. */
enum status survival_estimate(const struct survival_trial *trials, size_t count,
                              struct survival_curve *curve, struct error *error);
void survival_curve_release(struct survival_curve *curve);

/* The share that takes longer than time_s; NAN beyond the curve's end. */
double survival_at(const struct survival_curve *curve, double time_s);

/* The time by which half of the trials have found; NAN if half never did. */
double survival_median(const struct survival_curve *curve);

/* The mean time to find, of a searcher who gives up at the horizon: the area below the curve up to
 * there (Royston and Parmar 2013, section 2), with a 95% interval of the logit of mean / horizon by
 * Greenwood's variance and Student's t. Simulated with 3 to 20 trials of exponential times it
 * covers 93 to 97%, of times with a standard deviation of twice their mean 87 to 98%; the normal
 * interval, which it was, covers 71 to 92% and 58 to 92%. Low and high are NAN when the variance is
 * not estimable. STATUS_INVALID: nothing is known up to that horizon. */
enum status survival_restricted_mean(const struct survival_curve *curve, double horizon_s,
                                     struct interval *mean, struct error *error);

/* Two samples of one stratum (a bug). Borrowed. */
struct survival_pair {
    const struct survival_trial *left;
    size_t left_count;
    const struct survival_trial *right;
    size_t right_count;
};

/* The probability that left finds sooner than right; ties, and pairs that cannot be ordered, count
 * half. This is Vargha and Delaney's A12 (2000) with Gehan's scores for censored pairs (1965). 0.5
 * is no difference. NAN if a side is empty. */
double survival_a12(const struct survival_pair *pair);

/* The mean of A12 over the strata, with its 95% interval by the expanded percentile bootstrap:
 * trials are drawn anew within each side of each stratum. Strata with an empty side are left out.
 * low and high are NAN if a side has fewer than SURVIVAL_TRIALS_MIN trials. If the two sides never
 * overlap, the bootstrap alone would claim certainty; the interval is then widened to what the
 * number of trials can show: see survival_a12.c. STATUS_NO_MEMORY. */
enum status survival_a12_interval(const struct survival_pair *pairs, size_t count, uint64_t seed,
                                  struct interval *interval, struct error *error);

#endif
