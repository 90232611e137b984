/* Compares two searchers: which one finds sooner? */
#include <math.h>
#include <stdlib.h>

#include "common/rng.h"
#include "results/stats/survival.h"

/* The bootstrap of a mean over strata need not be finer than this: its own error at a 2.5% tail is
 * then 0.0035 of a probability. */
enum { SURVIVAL_RESAMPLES = 2000 };

/* Gehan's score of one pair: 1 if left certainly found sooner, 0 if right did, otherwise one
 * half. */
static double survival_score(struct survival_trial left, struct survival_trial right)
{
    if (left.found && right.found) {
        return left.time_s < right.time_s ? 1 : left.time_s > right.time_s ? 0 : 0.5;
    }
    if (left.found && left.time_s <= right.time_s) {
        return 1;
    }
    if (right.found && right.time_s <= left.time_s) {
        return 0;
    }
    return 0.5;
}

double survival_a12(const struct survival_pair *pair)
{
    double sum = 0;
    if (pair->left_count == 0 || pair->right_count == 0) {
        return NAN;
    }
    for (size_t i = 0; i < pair->left_count; i++) {
        for (size_t j = 0; j < pair->right_count; j++) {
            sum += survival_score(pair->left[i], pair->right[j]);
        }
    }
    return sum / ((double)pair->left_count * (double)pair->right_count);
}

static bool survival_pair_empty(const struct survival_pair *pair)
{
    return pair->left_count == 0 || pair->right_count == 0;
}

/* A12 of trials that are drawn anew on both sides; `drawn` has room for both. */
static double survival_resample(const struct survival_pair *pair, struct rng *rng,
                                struct survival_trial *drawn)
{
    struct survival_trial *right = drawn + pair->left_count;
    for (size_t i = 0; i < pair->left_count; i++) {
        drawn[i] = pair->left[rng_below(rng, pair->left_count)];
    }
    for (size_t i = 0; i < pair->right_count; i++) {
        right[i] = pair->right[rng_below(rng, pair->right_count)];
    }
    struct survival_pair anew = {drawn, pair->left_count, right, pair->right_count};
    return survival_a12(&anew);
}

/* Facts about all strata together. */
struct survival_strata {
    size_t used;
    size_t trials; /* the sum of the smaller sides */
    size_t least;  /* the smallest side */
    size_t room;   /* the largest stratum, both sides */
    double mean;
    bool overlapping; /* a pair of trials has the opposite order to the mean */
};

static struct survival_strata survival_survey(const struct survival_pair *pairs, size_t count)
{
    struct survival_strata strata = {.least = SIZE_MAX};
    bool all_left = true;
    bool all_right = true;
    for (size_t i = 0; i < count; i++) {
        if (survival_pair_empty(&pairs[i])) {
            continue;
        }
        size_t left = pairs[i].left_count;
        size_t right = pairs[i].right_count;
        size_t smaller = left < right ? left : right;
        double a12 = survival_a12(&pairs[i]);
        strata.used++;
        strata.trials += smaller;
        strata.least = smaller < strata.least ? smaller : strata.least;
        strata.room = left + right > strata.room ? left + right : strata.room;
        strata.mean += a12;
        all_left = all_left && a12 == 1;
        all_right = all_right && a12 == 0;
    }
    strata.mean /= strata.used > 0 ? (double)strata.used : NAN;
    strata.overlapping = !all_left && !all_right;
    return strata;
}

/* Samples that do not overlap give the same 0 or 1 in every resample. n trials a side can then show
 * as much as n successes in n tries, with one trial a pair, which is on the safe side: the exact
 * bound 0.025^(1/n) (Clopper and Pearson 1934). */
static void survival_widen(const struct survival_strata *strata, struct interval *interval)
{
    double bound = pow(0.025, 1.0 / (double)strata->trials);
    interval->low = strata->mean == 1 ? bound : 0;
    interval->high = strata->mean == 1 ? 1 : 1 - bound;
}

enum status survival_a12_interval(const struct survival_pair *pairs, size_t count, uint64_t seed,
                                  struct interval *interval, struct error *error)
{
    struct survival_strata strata = survival_survey(pairs, count);
    *interval = (struct interval){strata.mean, NAN, NAN};
    if (strata.used == 0 || strata.least < SURVIVAL_TRIALS_MIN) {
        return STATUS_OK;
    }
    if (!strata.overlapping) {
        survival_widen(&strata, interval);
        return STATUS_OK;
    }
    double *means = malloc(SURVIVAL_RESAMPLES * sizeof(*means));
    struct survival_trial *drawn = malloc((strata.room + 1) * sizeof(*drawn));
    if (means == NULL || drawn == NULL) {
        free(means);
        free(drawn);
        return error_set(error, STATUS_NO_MEMORY, "no memory for %d resamples", SURVIVAL_RESAMPLES);
    }
    struct rng rng;
    rng_seed(&rng, seed);
    for (size_t i = 0; i < SURVIVAL_RESAMPLES; i++) {
        means[i] = 0;
        for (size_t j = 0; j < count; j++) {
            if (!survival_pair_empty(&pairs[j])) {
                means[i] += survival_resample(&pairs[j], &rng, drawn) / (double)strata.used;
            }
        }
    }
    double tail = statistics_expanded_tail(strata.least);
    statistics_sort(means, SURVIVAL_RESAMPLES);
    interval->low = statistics_quantile(means, SURVIVAL_RESAMPLES, tail);
    interval->high = statistics_quantile(means, SURVIVAL_RESAMPLES, 1 - tail);
    free(means);
    free(drawn);
    return STATUS_OK;
}
