/* The tests of single cells, and how many of their findings a whole table may keep. */
#include <math.h>
#include <stdlib.h>

#include "results/stats/statistics.h"

/* Trimmed from each end: what Yuen 1974 and later texts on robust tests settled on. */
#define MANY_TRIMMED_SHARE 0.2

/* Degrees of freedom of the trimmed t. The usual one less than the values that stay is too many for
 * the far tail, which is where a large table's findings are: with normal noise, p of 1e-4 came 1.4
 * to 2.1 times too often. These are fitted, and simulated anew at each count from 6 to 40 and at
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
    /* Winsorized: what is trimmed from the mean counts in the spread as the outermost that stays.
     */
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
