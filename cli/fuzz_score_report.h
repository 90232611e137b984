/* The answer of `heapmill fuzz score`. */
#ifndef HEAPMILL_CLI_FUZZ_SCORE_REPORT_H
#define HEAPMILL_CLI_FUZZ_SCORE_REPORT_H

#include <stdbool.h>

#include "results/fuzz_score.h"

/* Prints tables, or JSON, to stdout. floor: the share of its trials in which each bug must be found
 * by each engine but the baselines. Returns an exit status: a finding on a control, or a bug below
 * the floor; partial if trials failed; else clean. */
int score_report(const struct fuzz_score *score, double floor, bool json);

#endif
