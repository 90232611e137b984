#include "workloads/fragmentation.h"

#include <assert.h>

uint64_t fragmentation_peak(const uint64_t *values, size_t count)
{
    uint64_t peak = 0;
    for (size_t i = 0; i < count; i++) {
        peak = values[i] > peak ? values[i] : peak;
    }
    return peak;
}

/* The index of the first of the largest elements among those with live bytes; count: there is
 * none. */
static size_t fragmentation_peak_index(const struct fragmentation_series *series,
                                       const uint64_t *values)
{
    size_t peak = series->count;
    for (size_t i = 0; i < series->count; i++) {
        if (series->live_bytes[i] != 0 && (peak == series->count || values[i] > values[peak])) {
            peak = i;
        }
    }
    return peak;
}

static double fragmentation_ratio(const struct fragmentation_series *series, size_t at)
{
    return (double)series->held_bytes[at] / (double)series->live_bytes[at];
}

/* Twice the operations that the sample at `at` represents. */
static double fragmentation_weight(const struct fragmentation_series *series, size_t at)
{
    size_t before = at == 0 ? 0 : at - 1;
    size_t after = at + 1 == series->count ? at : at + 1;
    assert(series->operations[after] >= series->operations[before]);
    return (double)(series->operations[after] - series->operations[before]);
}

/* The integral of held over that of live. A mean of ratios would depend on the moments when almost
 * nothing is live: a heap that has drained to one block holds thousands of times as much. */
static double fragmentation_mean(const struct fragmentation_series *series)
{
    double held = 0;
    double live = 0;
    double operations = (double)(series->operations[series->count - 1] - series->operations[0]);
    for (size_t i = 0; i < series->count; i++) {
        /* There are no operations between samples, so all have the same weight. */
        double weight = operations > 0 ? fragmentation_weight(series, i) : 1;
        held += weight * (double)series->held_bytes[i];
        live += weight * (double)series->live_bytes[i];
    }
    return live > 0 ? held / live : 0;
}

bool fragmentation_measure(const struct fragmentation_series *series, struct fragmentation *result)
{
    *result = (struct fragmentation){0};
    size_t live_peak = fragmentation_peak_index(series, series->live_bytes);
    size_t held_peak = fragmentation_peak_index(series, series->held_bytes);
    if (live_peak == series->count) {
        return false;
    }
    uint64_t held_bytes_peak = fragmentation_peak(series->held_bytes, series->count);
    int64_t usable_bytes = (int64_t)series->usable_bytes[live_peak];
    result->mean = fragmentation_mean(series);
    result->at_live_peak = fragmentation_ratio(series, live_peak);
    result->at_held_peak = fragmentation_ratio(series, held_peak);
    result->peak_over_peak = (double)held_bytes_peak / (double)series->live_bytes[live_peak];
    result->internal_bytes = usable_bytes - (int64_t)series->live_bytes[live_peak];
    result->external_bytes = (int64_t)series->held_bytes[live_peak] - usable_bytes;
    return true;
}
