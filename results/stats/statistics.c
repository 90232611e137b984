#include "results/stats/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/rng.h"

/* The normal distribution's 97.5% point. */
#define STATISTICS_NORMAL_975 1.959963984540054
#define STATISTICS_COVERAGE 0.95

enum {
    STATISTICS_RESAMPLES_FEW = 5000, /* for tails below 1%, which need more draws to be steady */
    STATISTICS_RESAMPLES_MANY = 2000,
    STATISTICS_MANY = 32, /* from this many values on STATISTICS_RESAMPLES_MANY are enough */
};

static int statistics_compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

void statistics_sort(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), statistics_compare);
}

double statistics_quantile(const double *sorted, size_t count, double p)
{
    double position = p * (double)(count - 1);
    size_t below = (size_t)position;
    size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

/* Returns the value of a rank (0: the smallest), by Hoare's FIND (Algorithm 65, CACM 4, 1961).
 * Afterwards no value before it is greater and no value after it is smaller. */
static double statistics_select(double *values, size_t count, size_t rank_wanted)
{
    ptrdiff_t rank = (ptrdiff_t)rank_wanted;
    ptrdiff_t low = 0;
    ptrdiff_t high = (ptrdiff_t)count - 1;
    while (low < high) {
        double pivot = values[rank];
        ptrdiff_t i = low;
        ptrdiff_t j = high;
        while (i <= j) {
            while (values[i] < pivot) {
                i++;
            }
            while (pivot < values[j]) {
                j--;
            }
            if (i <= j) {
                double value = values[i];
                values[i++] = values[j];
                values[j--] = value;
            }
        }
        low = j < rank ? i : low;
        high = rank < i ? j : high;
    }
    return values[rank];
}

double statistics_median(double *values, size_t count)
{
    double upper = statistics_select(values, count, count / 2);
    if (count % 2 == 1) {
        return upper;
    }
    double lower = values[0];
    for (size_t i = 1; i < count / 2; i++) {
        lower = values[i] > lower ? values[i] : lower;
    }
    return (lower + upper) / 2;
}

double statistics_expanded_tail(size_t count)
{
    /* Student's 97.5% point by its expansion about the normal one: Abramowitz and Stegun
     * 1964, 26.7.5, first three terms; off by less than 0.003 from five degrees of freedom on. */
    double degrees = (double)count - 1;
    double z = STATISTICS_NORMAL_975;
    double z2 = z * z;
    double student = z + z * (z2 + 1) / (4 * degrees) +
                     z * ((5 * z2 + 16) * z2 + 3) / (96 * degrees * degrees) +
                     z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * pow(degrees, 3));
    double expanded = student * sqrt((double)count / degrees);
    return erfc(expanded / sqrt(2)) / 2;
}

size_t statistics_resamples(size_t count)
{
    return count < STATISTICS_MANY ? STATISTICS_RESAMPLES_FEW : STATISTICS_RESAMPLES_MANY;
}

/* A value and the round that it is of. */
struct ranked {
    double value;
    uint32_t round;
};

static int statistics_compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    int order = (a->value > b->value) - (a->value < b->value);
    return order != 0 ? order : (a->round > b->round) - (a->round < b->round);
}

/* Draws `rounds` rounds with replacement; times[r] is how often round r was drawn. */
static void statistics_draw(struct rng *rng, uint32_t *times, size_t rounds)
{
    for (size_t i = 0; i < rounds; i++) {
        times[i] = 0;
    }
    for (size_t i = 0; i < rounds; i += 2) {
        /* Two draws from one number: rounds are fewer than 2^31, the bias is below rounds / 2^32.
         */
        uint64_t bits = rng_next(rng);
        times[((bits & UINT32_MAX) * rounds) >> 32]++;
        if (i + 1 < rounds) {
            times[((bits >> 32) * rounds) >> 32]++;
        }
    }
}

/* The median of a resample: each of the ascending values counts as often as its round was drawn.
 * `otherwise` if none of their rounds was drawn. */
static double statistics_resampled_median(const struct ranked *ranked, size_t count,
                                          const uint32_t *times, size_t drawn, double otherwise)
{
    if (drawn == 0) {
        return otherwise;
    }
    size_t lower_rank = (drawn - 1) / 2;
    size_t upper_rank = drawn / 2;
    size_t passed = 0;
    size_t i = 0;
    while (i < count && passed + times[ranked[i].round] <= lower_rank) {
        passed += times[ranked[i++].round];
    }
    double lower = ranked[i].value;
    while (i < count && passed + times[ranked[i].round] <= upper_rank) {
        passed += times[ranked[i++].round];
    }
    return (lower + ranked[i].value) / 2;
}

static double statistics_ranked_median(const struct ranked *ranked, size_t count)
{
    return (ranked[(count - 1) / 2].value + ranked[count / 2].value) / 2;
}

/* A series' values by rank, with what resampling needs. */
struct ranked_series {
    struct ranked *ranked; /* [count], ascending */
    size_t count;
    double median;
    double weight;
};

/* The memory of a bootstrap, allocated at once. */
struct bootstrap {
    struct ranked_series *series;
    struct ranked *ranked;
    uint32_t *times;
    double *figures; /* [resamples] */
    size_t series_count;
    size_t rounds;
    size_t resamples;
};

static void bootstrap_close(struct bootstrap *bootstrap)
{
    free(bootstrap->series);
    free(bootstrap->ranked);
    free(bootstrap->times);
    free(bootstrap->figures);
}

static enum status bootstrap_open(struct bootstrap *bootstrap, size_t series_count, size_t rounds,
                                  size_t resamples, struct error *error)
{
    *bootstrap =
        (struct bootstrap){.series_count = series_count, .rounds = rounds, .resamples = resamples};
    bootstrap->series = calloc(series_count, sizeof(*bootstrap->series));
    bootstrap->ranked = calloc(series_count * rounds, sizeof(*bootstrap->ranked));
    bootstrap->times = calloc(rounds, sizeof(*bootstrap->times));
    bootstrap->figures = calloc(resamples, sizeof(*bootstrap->figures));
    if (bootstrap->series == NULL || bootstrap->ranked == NULL || bootstrap->times == NULL ||
        bootstrap->figures == NULL) {
        bootstrap_close(bootstrap);
        return error_set(error, STATUS_NO_MEMORY, "no memory for the bootstrap of %zu rounds",
                         rounds);
    }
    return STATUS_OK;
}

/* Ranks the values of series number index; those that are NAN are left out. */
static void bootstrap_rank(struct bootstrap *bootstrap, size_t index, const double *values,
                           double weight)
{
    struct ranked_series *series = &bootstrap->series[index];
    series->ranked = &bootstrap->ranked[index * bootstrap->rounds];
    series->weight = weight;
    for (size_t round = 0; round < bootstrap->rounds; round++) {
        if (!isnan(values[round])) {
            series->ranked[series->count++] = (struct ranked){values[round], (uint32_t)round};
        }
    }
    qsort(series->ranked, series->count, sizeof(*series->ranked), statistics_compare_ranked);
    series->median = statistics_ranked_median(series->ranked, series->count);
}

/* Counts the series' values in this resample. */
static size_t bootstrap_drawn(const struct bootstrap *bootstrap, const struct ranked_series *series)
{
    if (series->count == bootstrap->rounds) {
        return bootstrap->rounds;
    }
    size_t drawn = 0;
    for (size_t i = 0; i < series->count; i++) {
        drawn += bootstrap->times[series->ranked[i].round];
    }
    return drawn;
}

/* Fills figures with the weighted mean of medians of every resample. */
static void bootstrap_run(struct bootstrap *bootstrap, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    for (size_t i = 0; i < bootstrap->resamples; i++) {
        statistics_draw(&rng, bootstrap->times, bootstrap->rounds);
        double mean = 0;
        for (size_t j = 0; j < bootstrap->series_count; j++) {
            const struct ranked_series *series = &bootstrap->series[j];
            size_t drawn = bootstrap_drawn(bootstrap, series);
            mean += series->weight * statistics_resampled_median(series->ranked, series->count,
                                                                 bootstrap->times, drawn,
                                                                 series->median);
        }
        bootstrap->figures[i] = mean;
    }
}

/* Finds the bounds with the tail on each side, rounded outwards to drawn figures. */
static void bootstrap_bounds(struct bootstrap *bootstrap, double tail, struct interval *interval)
{
    size_t outside = (size_t)(tail * (double)bootstrap->resamples);
    size_t last = bootstrap->resamples - 1;
    interval->low = statistics_select(bootstrap->figures, bootstrap->resamples, outside);
    interval->high = statistics_select(bootstrap->figures, bootstrap->resamples, last - outside);
}

/* The chance of exactly `heads` heads in `count` fair coin flips. */
static double statistics_binomial(size_t count, size_t heads)
{
    double n = (double)count;
    double k = (double)heads;
    int sign;
    return exp(lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign) -
               n * log(2));
}

/* Bounds of the median of ascending values, between the two pairs of order statistics whose exact
 * coverages lie on either side of 95%: Hettmansperger and Sheather 1986, "Confidence intervals
 * based on interpolated order statistics". */
static void statistics_order_bounds(const struct ranked *ranked, size_t count,
                                    struct interval *interval)
{
    /* The interval from the depth-th smallest to the depth-th largest covers 1 − 2 P(fewer than
     * depth heads). */
    size_t depth = 1;
    double outer = 1 - 2 * statistics_binomial(count, 0);
    double inner = outer - 2 * statistics_binomial(count, 1);
    while (inner >= STATISTICS_COVERAGE) {
        outer = inner;
        inner -= 2 * statistics_binomial(count, ++depth);
    }
    double share = (outer - STATISTICS_COVERAGE) / (outer - inner);
    double n = (double)count;
    double d = (double)depth;
    double inwards = (n - d) * share / (d + (n - 2 * d) * share);
    const struct ranked *lower = &ranked[depth - 1];
    const struct ranked *upper = &ranked[count - depth];
    interval->low = lower[0].value + inwards * (lower[1].value - lower[0].value);
    interval->high = upper[0].value + inwards * (upper[-1].value - upper[0].value);
}

enum status statistics_mean_interval(const struct statistics_series *series, size_t count,
                                     size_t rounds, uint64_t seed, struct interval *interval,
                                     struct error *error)
{
    struct bootstrap bootstrap;
    enum status status =
        bootstrap_open(&bootstrap, count, rounds, statistics_resamples(rounds), error);
    if (status != STATUS_OK) {
        return status;
    }
    *interval = (struct interval){0, (double)NAN, (double)NAN};
    size_t fewest = rounds;
    for (size_t i = 0; i < count; i++) {
        bootstrap_rank(&bootstrap, i, series[i].values, series[i].weight);
        interval->point += series[i].weight * bootstrap.series[i].median;
        fewest = bootstrap.series[i].count < fewest ? bootstrap.series[i].count : fewest;
    }
    if (fewest >= STATISTICS_ROUNDS_MIN && count == 1) {
        statistics_order_bounds(bootstrap.series[0].ranked, fewest, interval);
    } else if (fewest >= STATISTICS_ROUNDS_MIN) {
        bootstrap_run(&bootstrap, seed);
        bootstrap_bounds(&bootstrap, statistics_expanded_tail(fewest), interval);
    }
    bootstrap_close(&bootstrap);
    return STATUS_OK;
}

enum status statistics_median_interval(const double *values, size_t count,
                                       struct interval *interval, struct error *error)
{
    const struct statistics_series series = {values, 1};
    return statistics_mean_interval(&series, 1, count, 0, interval, error);
}

enum statistics_verdict statistics_judge(const struct interval *interval, double noise_floor)
{
    double reach = log1p(noise_floor);
    if (interval->low > reach) {
        return STATISTICS_MORE;
    }
    return interval->high < -reach ? STATISTICS_LESS : STATISTICS_SAME;
}

/* How certain a share of successes is. */

#define BINOMIAL_TAIL 0.025
enum { BINOMIAL_BISECTIONS = 60 }; /* bisections of [0, 1] down to below a double's last bit */

/* The chance of at least `successes` successes in `trials` trials with probability p each. */
static double statistics_binomial_at_least(size_t successes, size_t trials, double p)
{
    double sum = 0;
    int sign;
    double n = (double)trials;
    for (size_t i = successes; i <= trials; i++) {
        double k = (double)i;
        sum += exp(lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign) +
                   k * log(p) + (n - k) * log1p(-p));
    }
    return sum;
}

/* The p for which at least so many successes have the chance `tail`, which grows with p. */
static double binomial_invert(size_t successes, size_t trials, double tail)
{
    double low = 0;
    double high = 1;
    for (int i = 0; i < BINOMIAL_BISECTIONS; i++) {
        double middle = (low + high) / 2;
        if (statistics_binomial_at_least(successes, trials, middle) < tail) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (low + high) / 2;
}

void statistics_binomial_interval(size_t successes, size_t trials, double *low, double *high)
{
    *low = successes > 0 ? binomial_invert(successes, trials, BINOMIAL_TAIL) : 0;
    *high = successes < trials ? binomial_invert(successes + 1, trials, 1 - BINOMIAL_TAIL) : 1;
}

/* The t that Student's distribution exceeds on both sides together with a chance of 5%. */
double statistics_student_95(size_t degrees)
{
    double low = 0;
    double high = 13; /* one degree's is 12.7 */
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (statistics_student_tails(middle, degrees) > 0.05) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

/* How many independent trials the clusters are worth. */
static double cluster_effective(const struct statistics_cluster *clusters, size_t count,
                                size_t successes, size_t trials)
{
    double p = (double)successes / (double)trials;
    double squares = 0;
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        double off = (double)clusters[i].successes - p * (double)clusters[i].trials;
        squares += off * off;
        filled += clusters[i].trials > 0;
    }
    if (filled < 2) {
        return (double)trials;
    }
    if (successes == 0 || successes == trials) {
        return (double)filled;
    }
    double variance =
        squares * (double)filled / (double)(filled - 1) / ((double)trials * (double)trials);
    double ratio = statistics_student_95(trials - 1) / statistics_student_95(filled - 1);
    double effective = variance > 0 ? p * (1 - p) / variance * ratio * ratio : (double)trials;
    return fmin(fmax(effective, 1), (double)trials);
}

void statistics_cluster_interval(const struct statistics_cluster *clusters, size_t count,
                                 double *low, double *high)
{
    size_t successes = 0;
    size_t trials = 0;
    double unused;
    for (size_t i = 0; i < count; i++) {
        successes += clusters[i].successes;
        trials += clusters[i].trials;
    }
    if (trials == 0) {
        statistics_binomial_interval(0, 0, low, high);
        return;
    }
    double effective = floor(cluster_effective(clusters, count, successes, trials));
    double worth = (double)successes / (double)trials * effective;
    statistics_binomial_interval((size_t)(worth + 1e-9), (size_t)effective, low, &unused);
    statistics_binomial_interval((size_t)ceil(worth - 1e-9), (size_t)effective, &unused, high);
}

/* Where the middle of paired differences lies: Hodges and Lehmann's estimate, with the interval and
 * the test of Wilcoxon's signed ranks. */

/* Above this many values the normal approximation is closer than 1e-4. */
enum { RANKS_EXACT_MAX = 60, RANKS_BISECTIONS_MAX = 200 };

#define RANKS_LEVEL 0.05

/* Walsh averages are the means of all pairs of values, including each value with itself. Their
 * median is the estimate. The rank sum of the values below a point is the number of averages below
 * it. */
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

/* Fills below: each rank is in the sum or is not, with equal chances. */
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

/* Counts the Walsh averages that are at most `value`. */
static size_t ranks_count(const struct ranks *ranks, double value)
{
    size_t count = 0;
    size_t end = ranks->count; /* the values before it have such an average with the i-th */
    for (size_t i = 0; i < ranks->count; i++) {
        while (end > 0 && (ranks->sorted[i] + ranks->sorted[end - 1]) / 2 > value) {
            end--;
        }
        count += end > i ? end - i : 0;
    }
    return count;
}

/* The average of that rank, 0 being the smallest. It bisects over values, because there are too
 * many averages to list. */
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
        size_t rank = 0; /* with six values the smallest average is improbable enough: 1 / 2^6 */
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
    size_t up = ranks_count(&ranks, reach); /* small if the values lie beyond reach */
    /* nextafter gives the largest number below −reach, so this counts the averages that are at
     * least −reach: few if the values lie below. */
    size_t down = ranks_averages(count) - ranks_count(&ranks, nextafter(-reach, -HUGE_VAL));
    *p = fmin(1, 2 * ranks_chance(&ranks, up < down ? up : down));
    free(ranks.sorted);
    return STATUS_OK;
}

/* The tests of single cells, and the control over how many of their findings a whole table may
 * keep. */

/* The share that is trimmed from each end, as in Yuen 1974 and later texts on robust tests. */
#define MANY_TRIMMED_SHARE 0.2

/* Degrees of freedom of the trimmed t. The usual number, the remaining values minus 1, is too large
 * for the far tail, where the findings of a large table are: with normal noise, p of 1e-4 came 1.4
 * to 2.1 times too often. These were fitted, then simulated anew at each count from 6 to 40 and at
 * some up to 63: no p from 0.05 to 2e-5 came too often. docs/decisions/0003-statistics.md. */
static size_t many_degrees(size_t count, size_t inner)
{
    size_t degrees = (43 * count + 50) / 100;
    return degrees < inner - 2 ? degrees : inner - 2;
}

double statistics_student_tails(double t, size_t degrees)
{
    /* Abramowitz and Stegun 1964, 26.7.3 and 26.7.4: finite series for whole degrees. */
    double theta = atan(fabs(t) / sqrt((double)degrees));
    double cosine = cos(theta);
    bool odd = degrees % 2 == 1;
    double term = odd ? cosine : 1;
    double sum = degrees > 1 ? term : 0;
    for (size_t i = odd ? 3 : 2; i + 2 <= degrees && term > 0; i += 2) {
        term *= cosine * cosine * (double)(i - 1) / (double)i;
        sum += term;
    }
    double inside = odd ? 2 / M_PI * (theta + sin(theta) * sum) : sin(theta) * sum;
    return inside < 1 ? 1 - inside : 0;
}

enum status statistics_beyond(const double *values, size_t count, double reach, double *p,
                              struct error *error)
{
    *p = (double)NAN;
    if (count < STATISTICS_ROUNDS_MIN) {
        return STATUS_OK;
    }
    if (count >= STATISTICS_RANKS_MIN) {
        return statistics_middle_beyond(values, count, reach, p, error);
    }
    double *sorted = calloc(count, sizeof(*sorted));
    if (sorted == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory to test %zu values", count);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = values[i];
    }
    statistics_sort(sorted, count);
    size_t trimmed = (size_t)(MANY_TRIMMED_SHARE * (double)count);
    size_t inner = count - 2 * trimmed;
    /* Winsorized: for the spread, a trimmed value counts as the outermost value that stays. */
    double mean = 0;
    double winsorized_mean = 0;
    for (size_t i = 0; i < count; i++) {
        size_t nearest = i < trimmed ? trimmed : i >= count - trimmed ? count - trimmed - 1 : i;
        mean += nearest == i ? sorted[i] / (double)inner : 0;
        sorted[i] = sorted[nearest];
        winsorized_mean += sorted[i] / (double)count;
    }
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        squares += (sorted[i] - winsorized_mean) * (sorted[i] - winsorized_mean);
    }
    free(sorted);
    double distance = fabs(mean) - reach;
    double spread = sqrt(squares / ((double)inner * (double)(inner - 1)));
    if (distance <= 0) {
        *p = 1;
    } else {
        *p = spread > 0 ? statistics_student_tails(distance / spread, many_degrees(count, inner))
                        : 0;
    }
    return STATUS_OK;
}

enum status statistics_discover(const double *p, size_t count, double level, bool *kept,
                                size_t *hypotheses, struct error *error)
{
    size_t known = 0;
    double *sorted = calloc(count + 1, sizeof(*sorted));
    if (sorted == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu tests", count);
    }
    for (size_t i = 0; i < count; i++) {
        if (!isnan(p[i])) {
            sorted[known++] = p[i];
        }
    }
    statistics_sort(sorted, known);
    size_t found = known;
    while (found > 0 && sorted[found - 1] > level * (double)found / (double)known) {
        found--;
    }
    for (size_t i = 0; i < count; i++) {
        kept[i] = found > 0 && p[i] <= sorted[found - 1]; /* false for NAN */
    }
    free(sorted);
    *hypotheses = known;
    return STATUS_OK;
}

/* The noise floors of a run, from its A/A pairs. */

#define FLOOR_QUANTILE 0.95

double statistics_standard_error(const struct interval *interval)
{
    return (interval->high - interval->low) / 4;
}

double statistics_systematic(const struct interval *interval)
{
    return fmax(0, fmax(interval->low, -interval->high));
}

/* One more value of the same kind exceeds the k-th smallest of n with the chance 1 - k / (n + 1),
 * whatever the distribution: from n = 19 on some k makes it 5%. Ranks begin at 1. */
static size_t floor_rank(size_t count)
{
    size_t rank = (size_t)ceil(FLOOR_QUANTILE * (double)(count + 1));
    return rank < count ? rank : count;
}

/* The value of that rank among the others: one value equal to `own` is taken out first. 0 if there
 * are no others. */
static double floor_of_others(const double *sorted, size_t count, double own)
{
    if (count < 2) {
        return 0;
    }
    size_t rank = floor_rank(count - 1);
    return own <= sorted[rank - 1] ? sorted[rank] : sorted[rank - 1];
}

/* The pairs of all groups, sorted. */
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

/* A group without a first twin has none of its own to go by, so it gets the largest distance of the
 * other groups. */
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

/* The smallest difference that a table could have found, so that a table without findings can be
 * read. */

enum { RESOLUTION_BISECTIONS = 60 };

static double resolution_normal(double z)
{
    return erfc(-z / sqrt(2)) / 2;
}

/* The z that is exceeded on one side with the chance tail. */
static double resolution_quantile(double tail)
{
    double low = 0;
    double high = 40;
    for (int i = 0; i < RESOLUTION_BISECTIONS; i++) {
        double middle = (low + high) / 2;
        if (1 - resolution_normal(middle) > tail) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

double statistics_resolved(const struct statistics_sight *rows, size_t count, double level,
                           double share)
{
    double critical = resolution_quantile(level / 2);
    double low = 0;
    double high = log(16);
    for (int i = 0; i < RESOLUTION_BISECTIONS && count > 0; i++) {
        double difference = (low + high) / 2;
        double found = 0;
        for (size_t row = 0; row < count; row++) {
            double beyond = difference - rows[row].floor;
            found += rows[row].error > 0 ? resolution_normal(beyond / rows[row].error - critical)
                                         : beyond > 0;
        }
        if (found < share * (double)count) {
            low = difference;
        } else {
            high = difference;
        }
    }
    return count > 0 && high < log(16) ? expm1(high) : (double)NAN;
}
