/* How far one sample lies from another: Hodges and Lehmann's estimate, with Mann and Whitney's
 * interval and test. It is for two runs, whose rounds are not pairs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/stats/statistics.h"

/* Above this many values on either side the normal approximation is closer than 1e-4. */
enum { SHIFT_EXACT_MAX = 60, SHIFT_BISECTIONS_MAX = 200 };

#define SHIFT_LEVEL 0.05

/* Two ascending samples. A difference is a value of a minus a value of b. */
struct shift {
    double *a;
    double *b;
    size_t a_count;
    size_t b_count;
    double *below; /* below[u]: P(U <= u) if the samples are alike, u up to pairs; NULL: normal */
};

static size_t shift_pairs(const struct shift *shift)
{
    return shift->a_count * shift->b_count;
}

static enum status shift_open(struct shift *shift, const double *a, size_t a_count, const double *b,
                              size_t b_count, struct error *error)
{
    *shift = (struct shift){.a_count = a_count, .b_count = b_count};
    bool exact = a_count <= SHIFT_EXACT_MAX && b_count <= SHIFT_EXACT_MAX;
    size_t chances = exact ? a_count * b_count + 1 : 0;
    shift->a = calloc(a_count + b_count + chances, sizeof(*shift->a));
    if (shift->a == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory to compare %zu with %zu values",
                         a_count, b_count);
    }
    shift->b = shift->a + a_count;
    shift->below = exact ? shift->b + b_count : NULL;
    memcpy(shift->a, a, a_count * sizeof(*a));
    memcpy(shift->b, b, b_count * sizeof(*b));
    statistics_sort(shift->a, a_count);
    statistics_sort(shift->b, b_count);
    return STATUS_OK;
}

/* Fills below. The number of ways to a sum u is the coefficient of q^u in the Gaussian binomial
 * (a + b over a), the product over i of (1 − q^(b+i)) / (1 − q^i): each factor is multiplied in and
 * divided out in place. Ways are kept as shares of all, so that nothing overflows. */
static void shift_tabulate(struct shift *shift)
{
    size_t pairs = shift_pairs(shift);
    double *ways = shift->below;
    ways[0] = 1;
    for (size_t i = 1; i <= shift->a_count; i++) {
        size_t up = shift->b_count + i;
        for (size_t u = pairs; u >= up; u--) {
            ways[u] -= ways[u - up];
        }
        for (size_t u = i; u <= pairs; u++) {
            ways[u] += ways[u - i];
        }
        double share = (double)i / (double)up; /* the number of ways grows by (b + i) / i */
        for (size_t u = 0; u <= pairs; u++) {
            ways[u] *= share;
        }
    }
    for (size_t u = 1; u <= pairs; u++) {
        ways[u] += ways[u - 1];
    }
}

/* P(U <= u) if the samples are alike. */
static double shift_chance(const struct shift *shift, size_t u)
{
    if (shift->below != NULL) {
        return shift->below[u] > 0 ? shift->below[u]
                                   : 0; /* in the far tail there are only rounding errors */
    }
    double pairs = (double)shift_pairs(shift);
    double sigma = sqrt(pairs * (double)(shift->a_count + shift->b_count + 1) / 12);
    return erfc((pairs / 2 - (double)u - 0.5) / sigma / sqrt(2)) / 2;
}

/* How many of the differences are at most `value`; both samples are ascending. */
static size_t shift_count(const struct shift *shift, double value)
{
    size_t count = 0;
    size_t first = 0; /* the differences with b's values from this one on are at most value */
    for (size_t i = 0; i < shift->a_count; i++) {
        while (first < shift->b_count && shift->a[i] - shift->b[first] > value) {
            first++;
        }
        count += shift->b_count - first;
    }
    return count;
}

/* The difference of that rank, 0 being the smallest. It bisects over values, because there may be
 * too many differences to list. It ends at neighbouring doubles, or when the bounds differ by
 * nothing visible. */
static double shift_select(const struct shift *shift, size_t rank)
{
    double low = shift->a[0] - shift->b[shift->b_count - 1];
    double high = shift->a[shift->a_count - 1] - shift->b[0];
    if (shift_count(shift, low) > rank) {
        return low;
    }
    for (int i = 0; i < SHIFT_BISECTIONS_MAX; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high) {
            break;
        }
        if (shift_count(shift, middle) > rank) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}

/* The rank of the interval's lower end. The interval misses the shift on this side only if at most
 * `rank` differences are as large as the shift or smaller. From STATISTICS_ROUNDS_MIN values a side
 * on, rank 0 is improbable enough. */
static size_t shift_lower_rank(const struct shift *shift)
{
    size_t rank = 0;
    while (shift_chance(shift, rank + 1) <= SHIFT_LEVEL / 2) {
        rank++;
    }
    return rank;
}

/* The smaller of both sides' one-sided p at the near end of ±reach, doubled. */
static double shift_test(const struct shift *shift, double reach)
{
    size_t up = shift_count(shift, reach); /* small if a lies beyond reach */
    /* nextafter gives the largest number below −reach, so this counts the differences that are at
     * least −reach: few if a lies below. */
    size_t down = shift_pairs(shift) - shift_count(shift, nextafter(-reach, -HUGE_VAL));
    double p = 2 * shift_chance(shift, up < down ? up : down);
    return p < 1 ? p : 1;
}

enum status statistics_shift(const double *values, size_t count, const double *base_values,
                             size_t base_count, double reach, struct interval *interval, double *p,
                             struct error *error)
{
    struct shift shift;
    enum status status = shift_open(&shift, values, count, base_values, base_count, error);
    if (status != STATUS_OK) {
        return status;
    }
    size_t pairs = shift_pairs(&shift);
    *interval = (struct interval){0, (double)NAN, (double)NAN};
    *p = (double)NAN;
    interval->point = (shift_select(&shift, (pairs - 1) / 2) + shift_select(&shift, pairs / 2)) / 2;
    if (count >= STATISTICS_ROUNDS_MIN && base_count >= STATISTICS_ROUNDS_MIN) {
        if (shift.below != NULL) {
            shift_tabulate(&shift);
        }
        size_t rank = shift_lower_rank(&shift);
        interval->low = shift_select(&shift, rank);
        interval->high = shift_select(&shift, pairs - 1 - rank);
        *p = shift_test(&shift, reach);
    }
    free(shift.a);
    return STATUS_OK;
}
