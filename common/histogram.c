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
