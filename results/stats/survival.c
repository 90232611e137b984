#include "results/stats/survival.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The normal distribution's 97.5% quantile. */
static const double SURVIVAL_NORMAL_95 = 1.959963984540054;

static int survival_compare_trials(const void *left, const void *right)
{
    const struct survival_trial *a = left;
    const struct survival_trial *b = right;
    if (a->time_s != b->time_s) {
        return a->time_s < b->time_s ? -1 : 1;
    }
    return (int)b->found -
           (int)a->found; /* found before cut: at that time the cut one was still at risk */
}

static enum status survival_sort(const struct survival_trial *trials, size_t count,
                                 struct survival_trial **sorted, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(trials[i].time_s) || trials[i].time_s < 0) {
            return error_set(error, STATUS_INVALID, "a trial's time is %g: not a length of time",
                             trials[i].time_s);
        }
    }
    *sorted = malloc((count + 1) * sizeof(**sorted));
    if (*sorted == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu trials", count);
    }
    if (count > 0) {
        memcpy(*sorted, trials, count * sizeof(**sorted));
        qsort(*sorted, count, sizeof(**sorted), survival_compare_trials);
    }
    return STATUS_OK;
}

/* The interval of one step from its survival and Greenwood's sum. */
static void survival_set_interval(struct survival_step *step, double greenwood)
{
    step->error = step->survival * sqrt(greenwood);
    step->low = NAN;
    step->high = NAN;
    if (step->survival > 0 && step->survival < 1) {
        double reach = SURVIVAL_NORMAL_95 * sqrt(greenwood) / fabs(log(step->survival));
        step->low = pow(step->survival, exp(reach));
        step->high = pow(step->survival, exp(-reach));
    }
}

/* Makes one step for each distinct time at which something was found. */
static void survival_walk(const struct survival_trial *sorted, size_t count,
                          struct survival_curve *curve)
{
    double survival = 1;
    double greenwood = 0;
    for (size_t i = 0; i < count;) {
        size_t found = 0;
        size_t next = i;
        while (next < count && sorted[next].time_s == sorted[i].time_s) {
            found += sorted[next].found;
            next++;
        }
        size_t at_risk = count - i;
        if (found > 0) {
            survival *= (double)(at_risk - found) / (double)at_risk;
            greenwood +=
                at_risk > found ? (double)found / ((double)at_risk * (double)(at_risk - found)) : 0;
            struct survival_step *step = &curve->steps[curve->count++];
            *step = (struct survival_step){.time_s = sorted[i].time_s,
                                           .at_risk = at_risk,
                                           .found = found,
                                           .survival = survival};
            survival_set_interval(step, greenwood);
        }
        i = next;
    }
}

enum status survival_estimate(const struct survival_trial *trials, size_t count,
                              struct survival_curve *curve, struct error *error)
{
    struct survival_trial *sorted = NULL;
    *curve = (struct survival_curve){.steps = NULL};
    enum status status = survival_sort(trials, count, &sorted, error);
    if (status != STATUS_OK) {
        return status;
    }
    curve->steps = malloc((count + 1) * sizeof(*curve->steps));
    if (curve->steps == NULL) {
        free(sorted);
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu trials", count);
    }
    survival_walk(sorted, count, curve);
    curve->end_s = count > 0 ? sorted[count - 1].time_s : 0;
    free(sorted);
    return STATUS_OK;
}

void survival_curve_release(struct survival_curve *curve)
{
    free(curve->steps);
    curve->steps = NULL;
    curve->count = 0;
}

/* The survival after the last step. */
static double survival_last(const struct survival_curve *curve)
{
    return curve->count > 0 ? curve->steps[curve->count - 1].survival : 1;
}

double survival_at(const struct survival_curve *curve, double time_s)
{
    double survival = 1;
    if (time_s > curve->end_s && survival_last(curve) > 0) {
        return NAN;
    }
    for (size_t i = 0; i < curve->count && curve->steps[i].time_s <= time_s; i++) {
        survival = curve->steps[i].survival;
    }
    return survival;
}

double survival_median(const struct survival_curve *curve)
{
    for (size_t i = 0; i < curve->count; i++) {
        /* A product of fractions may differ from one half by a rounding error. */
        if (curve->steps[i].survival <= 0.5 + 1e-12) {
            return curve->steps[i].time_s;
        }
    }
    return NAN;
}

/* The area below the curve from one time to another. */
static double survival_area(const struct survival_curve *curve, double from_s, double to_s)
{
    double area = 0;
    double survival = 1;
    double at = 0;
    for (size_t i = 0; i <= curve->count; i++) {
        double next = i < curve->count ? fmin(curve->steps[i].time_s, to_s) : to_s;
        area += survival * fmax(0, next - fmax(at, from_s));
        survival = i < curve->count ? curve->steps[i].survival : survival;
        at = next;
    }
    return area;
}

/* The interval on the scale of the logit of mean / horizon, which keeps it between 0 and the
 * horizon, with Greenwood's variance for so few trials (n / (n - 1)) and Student's t. */
static void survival_set_mean_interval(struct interval *mean, double horizon_s, double variance,
                                       size_t trials)
{
    double count = (double)trials; /* at least 2, otherwise the variance is 0 */
    double part = mean->point / horizon_s;
    double error = sqrt(variance * count / (count - 1)) / horizon_s / (part * (1 - part));
    double reach = statistics_student_95(trials - 1) * error;
    double logit = log(part / (1 - part));
    mean->low = horizon_s / (1 + exp(reach - logit));
    mean->high = horizon_s / (1 + exp(-reach - logit));
}

enum status survival_restricted_mean(const struct survival_curve *curve, double horizon_s,
                                     struct interval *mean, struct error *error)
{
    *mean = (struct interval){NAN, NAN, NAN};
    if (!(horizon_s > 0) || (horizon_s > curve->end_s && survival_last(curve) > 0)) {
        return error_set(error, STATUS_INVALID,
                         "no mean up to %g s: the longest trial that found nothing ended at %g s",
                         horizon_s, curve->end_s);
    }
    double variance = 0;
    for (size_t i = 0; i < curve->count && curve->steps[i].time_s < horizon_s; i++) {
        const struct survival_step *step = &curve->steps[i];
        double after = survival_area(curve, step->time_s, horizon_s);
        if (step->at_risk > step->found) {
            variance += after * after * (double)step->found /
                        ((double)step->at_risk * (double)(step->at_risk - step->found));
        }
    }
    mean->point = survival_area(curve, 0, horizon_s);
    if (variance > 0 && mean->point < horizon_s) {
        survival_set_mean_interval(mean, horizon_s, variance, curve->steps[0].at_risk);
    }
    return STATUS_OK;
}
