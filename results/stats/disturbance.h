/* Which records were disturbed from outside, and are left out of comparisons.
 *
 * The evidence is a canary: the CPU time that the process took outside of its timed part (its
 * start, set-up, checks and end), which is the same work in every round. Where it is a fifth above
 * the cell's own median, something made this process slow, and half of the pairs with such a record
 * are off by more than 10%. The time that was measured has no part in it. Involuntary switches and
 * steal, which decided before, told nothing of a pair. docs/decisions/0006-rounds.md. */
#ifndef HEAPMILL_RESULTS_DISTURBANCE_H
#define HEAPMILL_RESULTS_DISTURBANCE_H

#include <stdint.h>

#include "results/record.h"

/* A cell with more than one disturbed record in so many keeps them all: that is then what the
 * machine is like, and what would be left is a selection. */
enum { DISTURBANCE_RARE = 3 };

/* Sets disturbed and left_out of every record, and rounds, processes and disturbed of every group,
 * as if the time pass had ended before round_limit: what comes later is left out too. UINT32_MAX:
 * all there is. A record's pairs are left out with it, in the group's round no others. A cell
 * that would be left with fewer rounds than a verdict takes, though it had as many, keeps them
 * all. Without memory for the medians nothing is disturbed. */
void disturbance_mark(struct record_set *set, uint32_t round_limit);

/* Of all processes of the time pass, the share that was disturbed, left out or not; 0 for none.
 * After disturbance_mark. */
double disturbance_share(const struct record_set *set);

#endif
