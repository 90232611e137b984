/* Executes a plan: the passes for memory, instructions and latency, then the rounds of the time
 * pass, one process at a time, each followed by its record. What the store has already is not run
 * again. */
#ifndef HEAPMILL_RUN_ROUNDS_H
#define HEAPMILL_RUN_ROUNDS_H

#include <stdint.h>

#include "common/status.h"
#include "results/store.h"
#include "run/registry.h"

/* Runs what is left of the store's plan. round_s is what a round is expected to take, and elapsed_s
 * what the run has taken before: both for the budget and the progress line. valgrind is its path
 * where the plan counts instructions, else NULL. Cells that fail are recorded, told on stderr, and
 * do not end the run. STATUS_INTERRUPTED: SIGINT or SIGTERM, the running worker is dead and the
 * store can be resumed. STATUS_IO and others: the run cannot go on.
 */
enum status bench_run(struct store *store, const struct registry *registry, const char *valgrind,
                      double round_s, double elapsed_s, struct error *error);

#endif
