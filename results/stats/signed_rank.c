/* Where the middle of paired differences lies: Hodges and Lehmann's estimate, with the interval and
 * the test of Wilcoxon's signed ranks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/stats/statistics.h"

/* Above this many values the normal approximation is closer than 1e-4. */
enum { RANKS_EXACT_MAX = 60, RANKS_BISECTIONS_MAX = 200 };

#define RANKS_LEVEL 0.05

/* Walsh averages are the means of all pairs of values, each with itself too; their median is the
 * estimate. The sum of the ranks of the values below a point is the number of averages below it. */
struct ranks {
    double *sorted;
    size_t count;
    double
        *below; /* below[t]: P(T <= t) if the point is right, t up to the averages; NULL: normal */
};

static size_t ranks_averages(size_t count)
{
    return count * (count + 1) / 2;
}

/* Fills below: each rank is in the sum or not, with the same chance. */
static void ranks_tabulate(struct ranks *ranks)
{
    size_t averages = ranks_averages(ranks->count);
    double *ways = ranks->below;
    ways[0] = 1;
    for (size_t rank = 1; rank <= ranks->count; rank++) {
        for (size_t t = ranks_averages(rank) + 1; t-- > 0;) {
            ways[t] = (ways[t] + (t >= rank ? ways[t - rank] : 0)) / 2;
        }
    }
    for (size_t t = 1; t <= averages; t++) {
        ways[t] += ways[t - 1];
    }
}

static enum status ranks_open(struct ranks *ranks, const double *values, size_t count,
                              struct error *error)
{
    bool exact = count <= RANKS_EXACT_MAX;
    size_t chances = exact ? ranks_averages(count) + 1 : 0;
    *ranks = (struct ranks){.count = count, .sorted = calloc(count + chances, sizeof(double))};
    if (ranks->sorted == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory to rank %zu values", count);
    }
    memcpy(ranks->sorted, values, count * sizeof(*values));
    statistics_sort(ranks->sorted, count);
    if (exact) {
        ranks->below = ranks->sorted + count;
        ranks_tabulate(ranks);
    }
    return STATUS_OK;
}

/* P(T <= t) if the point is right. */
static double ranks_chance(const struct ranks *ranks, size_t t)
{
    if (ranks->below != NULL) {
        return ranks->below[t];
    }
    double n = (double)ranks->count;
    double sigma = sqrt(n * (n + 1) * (2 * n + 1) / 24);
    return erfc((n * (n + 1) / 4 - (double)t - 0.5) / sigma / sqrt(2)) / 2;
}

/* How many Walsh averages are at most `value`. */
static size_t ranks_count(const struct ranks *ranks, double value)
{
    size_t count = 0;
    size_t end = ranks->count; /* the values before it make such an average with the i-th */
    for (size_t i = 0; i < ranks->count; i++) {
        while (end > 0 && (ranks->sorted[i] + ranks->sorted[end - 1]) / 2 > value) {
            end--;
        }
        count += end > i ? end - i : 0;
    }
    return count;
}

/* The average of a rank, 0 being the least, by bisection over values: there are too many to list.
 */
static double ranks_select(const struct ranks *ranks, size_t rank)
{
    double low = ranks->sorted[0];
    double high = ranks->sorted[ranks->count - 1];
    if (ranks_count(ranks, low) > rank) {
        return low;
    }
    for (int i = 0; i < RANKS_BISECTIONS_MAX; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high) {
            break;
        }
        if (ranks_count(ranks, middle) > rank) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}

enum status statistics_middle(const double *values, size_t count, struct interval *interval,
                              struct error *error)
{
    struct ranks ranks;
    enum status status = ranks_open(&ranks, values, count, error);
    if (status != STATUS_OK) {
        return status;
    }
    size_t averages = ranks_averages(count);
    *interval = (struct interval){0, (double)NAN, (double)NAN};
    interval->point =
        (ranks_select(&ranks, (averages - 1) / 2) + ranks_select(&ranks, averages / 2)) / 2;
    if (count >= STATISTICS_ROUNDS_MIN) {
        size_t rank = 0; /* at six values the least average is improbable enough: 1 / 2^6 */
        while (ranks_chance(&ranks, rank + 1) <= RANKS_LEVEL / 2) {
            rank++;
        }
        interval->low = ranks_select(&ranks, rank);
        interval->high = ranks_select(&ranks, averages - 1 - rank);
    }
    free(ranks.sorted);
    return STATUS_OK;
}

enum status statistics_middle_beyond(const double *values, size_t count, double reach, double *p,
                                     struct error *error)
{
    struct ranks ranks;
    *p = (double)NAN;
    if (count < STATISTICS_ROUNDS_MIN) {
        return STATUS_OK;
    }
    enum status status = ranks_open(&ranks, values, count, error);
    if (status != STATUS_OK) {
        return status;
    }
    size_t up = ranks_count(&ranks, reach); /* few: the values lie beyond reach */
    /* The largest number below −reach counts what is at least −reach: few if they lie before it. */
    size_t down = ranks_averages(count) - ranks_count(&ranks, nextafter(-reach, -HUGE_VAL));
    *p = fmin(1, 2 * ranks_chance(&ranks, up < down ? up : down));
    free(ranks.sorted);
    return STATUS_OK;
}
