/* Which rounds of a group were disturbed from outside, and are left out of comparisons.
 *
 * The rule looks at evidence from outside alone, never at a time that was measured, and at the
 * group as a whole: steal, throttling, and involuntary switches of single-threaded cells, each
 * summed over the group's cells of one round of the time pass. Whichever cell it hit, the whole
 * group's round is left out, so that no back end is treated unlike another. A group with more than
 * one disturbed round in DISTURBANCE_RARE keeps them all: disturbance is then what this machine is
 * like, and what is left would be a selection. So does one that would be left with fewer rounds
 * than a verdict takes, though it had as many. docs/decisions/0006-rounds.md. */
#ifndef HEAPMILL_RESULTS_DISTURBANCE_H
#define HEAPMILL_RESULTS_DISTURBANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "results/record.h"

enum { DISTURBANCE_RARE = 3 };

/* Sets disturbed and left_out of every record, and rounds and rounds_disturbed of every group, as
 * if the time pass had ended before round_limit: what comes later is left out too. UINT32_MAX: all
 * there is. Allocates nothing. */
void disturbance_mark(struct record_set *set, uint32_t round_limit);

/* Are so many disturbed rounds few enough to be left out? */
bool disturbance_is_rare(uint32_t disturbed, uint32_t rounds);

#endif
