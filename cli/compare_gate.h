/* `heapmill compare` as a gate: --fail-above, --bar-mean, --bar-cell. */
#ifndef HEAPMILL_CLI_COMPARE_GATE_H
#define HEAPMILL_CLI_COMPARE_GATE_H

#include <stddef.h>
#include <stdio.h>

#include "results/compare/comparison.h"

struct compare_bars {
    bool gated;   /* above counts */
    double above; /* 0.01 is 1% */
    double mean;  /* ratios; 0: no such bar */
    double cell;
};

/* Lists on file the rows that got worse by more than `above`: those with the verdict "slower",
 * "larger" or "more" whose whole interval lies above 1 + above; and the means and rows whose
 * interval does not end at the bar or below. An exit status: 1 if there is one; 4 if there is none,
 * but rows that could not be judged (failed, too few rounds); 0. */
int compare_gate(struct comparison *const *comparisons, size_t count,
                 const struct compare_bars *bars, FILE *file);

#endif
