/* Executes a plan: the passes for memory, instructions and latency, then the rounds of the time
 * pass, one process at a time, each followed by its record. What the store has already is not run
 * again. */
#ifndef HEAPMILL_RUN_ROUNDS_H
#define HEAPMILL_RUN_ROUNDS_H

#include <stdint.h>

#include "common/status.h"
#include "results/store.h"
#include "run/executor.h"

/* Runs what is left of the store's plan. round_s is what a round is expected to take, and elapsed_s
 * what the run has taken before: both for the budget and the progress line. Cells that fail are
 * recorded, told on stderr, and do not end the run. STATUS_INTERRUPTED: SIGINT or SIGTERM, nothing
 * runs any more and the store can be resumed. STATUS_IO and others: the run cannot go on. */
enum status rounds_run(struct store *store, const struct executor *executor, double round_s,
                       double elapsed_s, struct error *error);

#endif
