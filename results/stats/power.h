/* Counts how often verdicts are right, over runs whose truth is known.
 *
 * Beside the A/A twins of every run, a calibration's run has cells that do a known share of more
 * work than the base (`extra_work` in the plan). The verdicts are those of comparison_build, at the
 * end of the run, and as they would have been if the time pass had ended after fewer rounds. */
#ifndef HEAPMILL_RESULTS_POWER_H
#define HEAPMILL_RESULTS_POWER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "results/record.h"

enum { POWER_LEVELS_MAX = 8, POWER_LIMITS_MAX = 12 };

struct power_share {
    uint32_t told; /* told apart; if the truth is slower, told to be slower */
    uint32_t comparisons;
};

struct power {
    /* In per cent, ascending; the first is 0, of the A/A pairs. */
    double slowdowns[POWER_LEVELS_MAX];
    size_t slowdown_count;
    struct power_share shares[POWER_LEVELS_MAX]
                             [POWER_LIMITS_MAX]; /* the last limit: the run's end */
    uint32_t rounds_max;                         /* the most of any group */
    uint32_t rounds_sum;                         /* over groups, for a mean */
    uint32_t groups;
    uint32_t failed; /* comparisons without a verdict, as a cell failed; in no other figure */
};

/* Adds the verdicts of a run to *power, which begins zeroed. Leaves the set marked to its end.
 * Errors as comparison_build; STATUS_INVALID: too many different slowdowns. */
enum status power_add_run(struct power *power, struct record_set *set, struct error *error);

/* The number of rounds of limit `index`; for the last one it is rounds_max. */
uint32_t power_limit_rounds(const struct power *power, size_t index);

/* Are there runs that are long enough for this limit? */
bool power_has_limit(const struct power *power, size_t index);

/* {`false_positives`: {rate, low, high, comparisons, false}, `false_positives_by_rounds`: [the same
 * with rounds], `power`: [{slowdown, rounds, rate, low, high, comparisons, found}], `rounds`:
 * {mean, most}, `failed`, `resolves`: the smallest slowdown that is found in 90% of the cases, or
 * null}. A new reference. */
json_t *power_to_json(const struct power *power);

#endif
