/* Finds the records that were disturbed from outside. Comparisons leave them out.
 *
 * The evidence is a canary: the CPU time that the process took outside its timed part (its start,
 * set-up, checks and end), which is the same work in every round. If it is a fifth above the cell's
 * own median, something slowed this process down, and half of the pairs with such a record are off
 * by more than 10%. The measured time itself is not used. Involuntary switches and steal, which
 * were used before, did not predict whether a pair is off. docs/decisions/0006-rounds.md. */
#ifndef HEAPMILL_RESULTS_DISTURBANCE_H
#define HEAPMILL_RESULTS_DISTURBANCE_H

#include <stdint.h>

#include "results/record.h"

/* If more than one in this many of a cell's records is disturbed, the cell keeps them all: the
 * machine is then always like that, and leaving them out would be a selection. */
enum { DISTURBANCE_RARE = 3 };

/* Sets disturbed and left_out of every record, and rounds, processes and disturbed of every group,
 * as if the time pass had ended before round_limit; later records are left out too. UINT32_MAX: no
 * limit. With a record its pairs are left out, but nothing else of that round. If a cell has enough
 * rounds for a verdict, and would have too few without its disturbed ones, it keeps them all.
 * Without memory for the medians nothing is marked. */
void disturbance_mark(struct record_set *set, uint32_t round_limit);

/* The share of all processes of the time pass that were disturbed, left out or not; 0 if there are
 * none. Call after disturbance_mark. */
double disturbance_share(const struct record_set *set);

#endif
