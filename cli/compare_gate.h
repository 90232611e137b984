/* `heapmill compare --fail-above`: a comparison as a gate. */
#ifndef HEAPMILL_CLI_COMPARE_GATE_H
#define HEAPMILL_CLI_COMPARE_GATE_H

#include <stddef.h>
#include <stdio.h>

#include "results/compare/comparison.h"

/* Lists on file the rows that got worse by more than `above` (0.01 is 1%): those with the verdict
 * "slower", "larger" or "more" whose whole interval lies above 1 + above. An exit status: 1 if
 * there is one; 4 if there is none, but rows that could not be judged (failed, too few rounds); 0.
 */
int compare_gate(struct comparison *const *comparisons, size_t count, double above, FILE *file);

#endif
