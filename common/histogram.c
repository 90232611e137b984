#include "common/histogram.h"

#include <math.h>

uint64_t histogram_lowest(size_t bucket)
{
    if (bucket < HISTOGRAM_PRECISION) {
        return bucket;
    }
    size_t shift = bucket / HISTOGRAM_PRECISION - 1;
    return (uint64_t)(bucket - shift * HISTOGRAM_PRECISION) << shift;
}

uint64_t histogram_highest(size_t bucket)
{
    return histogram_lowest(bucket + 1) - 1;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        histogram->buckets[i] += other->buckets[i];
    }
    histogram->count += other->count;
    histogram->max = other->max > histogram->max ? other->max : histogram->max;
}

uint64_t histogram_quantile(const struct histogram *histogram, double part)
{
    /* 0.07 * 100 is 7.000000000000001: such a remainder must not ask for an eighth value. */
    double wanted = part * (double)histogram->count;
    double rank = ceil(wanted - wanted * 1e-12);
    uint64_t below = 0;
    for (size_t i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        below += histogram->buckets[i];
        if (below > 0 && (double)below >= rank) {
            uint64_t highest = histogram_highest(i);
            return highest < histogram->max ? highest : histogram->max;
        }
    }
    return histogram->max;
}

bool histogram_quantile_censored(const struct histogram *ended, const struct histogram *cut,
                                 double part, uint64_t *value)
{
    uint64_t at_risk = ended->count + cut->count;
    double survival = 1;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS && at_risk > 0; i++) {
        survival *= (double)(at_risk - ended->buckets[i]) / (double)at_risk;
        at_risk -= ended->buckets[i] + cut->buckets[i];
        /* A product of fractions may miss the part by a rounding. */
        if (ended->buckets[i] > 0 && survival <= 1 - part + 1e-12) {
            uint64_t highest = histogram_highest(i);
            *value = highest < ended->max ? highest : ended->max;
            return true;
        }
    }
    *value = ended->max > cut->max ? ended->max : cut->max;
    return false;
}
