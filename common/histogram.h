/* How values are distributed, in fixed memory: a log-linear histogram.
 *
 * The idea is that of Gil Tene's HdrHistogram: every power of two is divided into equally many
 * buckets. With 64 of them, values below 128 have buckets of their own, and above that a bucket is
 * at most 1/64 (1.6%) of its values wide; so is the error of a quantile. Values of 2^42 and more
 * share the last bucket; max is exact whatever they are.
 *
 * 19 KB each, all zeros when new: static storage needs no set-up. Nothing here allocates. */
#ifndef HEAPMILL_COMMON_HISTOGRAM_H
#define HEAPMILL_COMMON_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_PRECISION_BITS = 6,
    HISTOGRAM_PRECISION = 1 << HISTOGRAM_PRECISION_BITS, /* buckets for each power of two */
    HISTOGRAM_VALUE_BITS = 42,                           /* as ns an hour and more */
    HISTOGRAM_BUCKETS = HISTOGRAM_PRECISION * (HISTOGRAM_VALUE_BITS - HISTOGRAM_PRECISION_BITS + 1),
};

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* The bucket that a value belongs to. */
static inline size_t histogram_bucket(uint64_t value)
{
    const uint64_t highest = (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1;
    value = value < highest ? value : highest;
    if (value < HISTOGRAM_PRECISION) {
        return (size_t)value;
    }
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_PRECISION_BITS;
    return (size_t)shift * HISTOGRAM_PRECISION + (size_t)(value >> shift);
}

/* The smallest and the largest value of a bucket. */
uint64_t histogram_lowest(size_t bucket);
uint64_t histogram_highest(size_t bucket);

/* Counts a value. From any number of threads at once; readers wait until these have ended. */
static inline void histogram_add(struct histogram *histogram, uint64_t value)
{
    (void)__atomic_fetch_add(&histogram->buckets[histogram_bucket(value)], 1, __ATOMIC_RELAXED);
    (void)__atomic_fetch_add(&histogram->count, 1, __ATOMIC_RELAXED);
    uint64_t max = __atomic_load_n(&histogram->max, __ATOMIC_RELAXED);
    while (value > max && !__atomic_compare_exchange_n(&histogram->max, &max, value, 1,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

/* Adds the counts of another one. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/* The value that the given part (0 to 1) of all values does not exceed: the largest of the bucket
 * in which that value lies, so it is at most 1.6% too large and never too small; 1 gives max.
 * 0 of an empty histogram. */
uint64_t histogram_quantile(const struct histogram *histogram, double part);

/* The same of times until something ends, of which those in `cut` are only known to be longer, as
 * nobody looked any more (right-censored): the product-limit estimate (Kaplan and Meier 1958) over
 * buckets, a cut one being still there when others of its bucket end. False: the given part never
 * ended as far as was looked, and *value is the longest time that was seen, or 0. */
bool histogram_quantile_censored(const struct histogram *ended, const struct histogram *cut,
                                 double part, uint64_t *value);

#endif
