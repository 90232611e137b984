/* The report of `heapmill fuzz score`. */
#ifndef HEAPMILL_CLI_FUZZ_SCORE_REPORT_H
#define HEAPMILL_CLI_FUZZ_SCORE_REPORT_H

#include <stdbool.h>

#include "results/fuzz_score.h"

/* Prints tables, or JSON, on stdout. floor: the share of its trials in which each engine, except
 * the baselines, must find each bug. Returns an exit status: a finding, if a control failed or a
 * bug is below the floor; partial, if trials failed; else clean. */
int score_report(const struct fuzz_score *score, double floor, bool json);

#endif
