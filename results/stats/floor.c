/* The noise floors of a run, from its A/A pairs. */
#include <math.h>
#include <stdlib.h>

#include "results/stats/statistics.h"

#define FLOOR_QUANTILE 0.95

double statistics_standard_error(const struct interval *interval)
{
    return (interval->high - interval->low) / 4;
}

double statistics_systematic(const struct interval *interval)
{
    return fmax(0, fmax(interval->low, -interval->high));
}

/* One more of the same kind exceeds the k-th least of n with the chance 1 - k / (n + 1), whatever
 * the distribution: from 19 on there is a k that makes it 5%. From 1. */
static size_t floor_rank(size_t count)
{
    size_t rank = (size_t)ceil(FLOOR_QUANTILE * (double)(count + 1));
    return rank < count ? rank : count;
}

/* The value of that rank among the others, of which one equal to `own` is taken out; 0 if there are
 * no others. */
static double floor_of_others(const double *sorted, size_t count, double own)
{
    if (count < 2) {
        return 0;
    }
    size_t rank = floor_rank(count - 1);
    return own <= sorted[rank - 1] ? sorted[rank] : sorted[rank - 1];
}

/* What the pairs of all groups have in common, sorted. */
struct floor_sample {
    double *firsts;
    double *excesses; /* of second twins over their first */
    size_t first_count;
    size_t excess_count;
};

static void floor_collect(struct floor_sample *sample, const struct statistics_twins *twins,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (isnan(twins[i].first)) {
            continue;
        }
        sample->firsts[sample->first_count++] = twins[i].first;
        if (!isnan(twins[i].second)) {
            sample->excesses[sample->excess_count++] = fmax(0, twins[i].second - twins[i].first);
        }
    }
    statistics_sort(sample->firsts, sample->first_count);
    statistics_sort(sample->excesses, sample->excess_count);
}

/* A group without a first twin has no luck of its own to go by: any of the others' may be its. */
static double floor_of_group(const struct floor_sample *sample,
                             const struct statistics_twins *twins)
{
    if (isnan(twins->first)) {
        return sample->firsts[floor_rank(sample->first_count) - 1];
    }
    if (isnan(twins->second)) {
        return twins->first + (sample->excess_count > 0
                                   ? sample->excesses[floor_rank(sample->excess_count) - 1]
                                   : 0);
    }
    double own = fmax(0, twins->second - twins->first);
    return twins->first + floor_of_others(sample->excesses, sample->excess_count, own);
}

enum status statistics_noise_floors(const struct statistics_twins *twins, size_t count,
                                    double *floors, struct error *error)
{
    double *figures = calloc(2 * count + 1, sizeof(*figures));
    if (figures == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu A/A pairs", count);
    }
    struct floor_sample sample = {.firsts = figures, .excesses = &figures[count]};
    floor_collect(&sample, twins, count);
    for (size_t i = 0; i < count; i++) {
        floors[i] =
            sample.first_count > 0 ? expm1(floor_of_group(&sample, &twins[i])) : (double)NAN;
    }
    free(figures);
    return STATUS_OK;
}
