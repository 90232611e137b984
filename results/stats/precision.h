/* Computes how wide the intervals of a run are so far. Adaptive rounds stop by it. */
#ifndef HEAPMILL_RESULTS_PRECISION_H
#define HEAPMILL_RESULTS_PRECISION_H

#include "common/status.h"
#include "results/record.h"

/* half_widths[group] is the widest half of the 95% intervals of the group's cells, with twins,
 * against the plan's base in the time pass, as a ratio distance: 0.01 is 1%. It is 0 if no cell has
 * a figure (failed, not applicable), and HUGE_VAL if a cell has too few rounds for an interval.
 * Uses the left_out marks as they are. STATUS_NO_MEMORY. */
enum status precision_of_groups(const struct record_set *set, double *half_widths,
                                struct error *error);

#endif
