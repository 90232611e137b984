/* How often verdicts are right: counted over runs of which the truth is known.
 *
 * A calibration's run has, beside the A/A twins of every run, cells that do a known share of more
 * work than the base (`extra_work` in the plan). Its verdicts are those of comparison_build, at the
 * run's end and as they would have been had the time pass ended after fewer rounds. */
#ifndef HEAPMILL_RESULTS_POWER_H
#define HEAPMILL_RESULTS_POWER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "results/record.h"

enum { POWER_LEVELS_MAX = 8, POWER_LIMITS_MAX = 12 };

struct power_share {
    uint32_t told; /* apart, and slower where the truth is slower */
    uint32_t comparisons;
};

struct power {
    /* In per cent, ascending; the first is 0, the A/A pairs. */
    double slowdowns[POWER_LEVELS_MAX];
    size_t slowdown_count;
    struct power_share shares[POWER_LEVELS_MAX]
                             [POWER_LIMITS_MAX]; /* the last limit: the run's end */
    uint32_t rounds_max;                         /* of any group */
    uint32_t rounds_sum;                         /* over groups, for a mean */
    uint32_t groups;
    uint32_t failed; /* comparisons without a verdict, as a cell failed: not among the others */
};

/* All zero is a fresh one. Adds the verdicts of a run; leaves set marked up to its end. Errors as
 * comparison_build; STATUS_INVALID: more levels than fit. */
enum status power_add_run(struct power *power, struct record_set *set, struct error *error);

/* The rounds after which the shares of limit number `index` are; the last is rounds_max. */
uint32_t power_limit_rounds(const struct power *power, size_t index);

/* Is there anything to tell of this limit: are there runs that long? */
bool power_has_limit(const struct power *power, size_t index);

/* {`false_positives`: {rate, low, high, comparisons, false}, `false_positives_by_rounds`: [the same
 * with rounds], `power`: [{slowdown, rounds, rate, low, high, comparisons, found}], `rounds`:
 * {mean, most}, `failed`, `resolves`: the least slowdown that is found in 90% of the runs, or
 * null}. A new reference. */
json_t *power_to_json(const struct power *power);

#endif
