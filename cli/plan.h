/* Makes the plan of a run (results/FORMAT.md: plan.json), and reads back what its execution needs.
 * Belongs to one thread. */
#ifndef HEAPMILL_CLI_PLAN_H
#define HEAPMILL_CLI_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/bench_options.h"
#include "cli/registry.h"
#include "cli/selection.h"
#include "common/status.h"

/* The plan of every chosen back end on every point, with A/A twins of the base, and without numbers
 * of iterations: plan_calibrate adds those. base is the index of the choice that is the base. A new
 * reference. */
json_t *plan_build(const struct bench_options *options, const struct selection *selection,
                   size_t base);

/* Asks the malloc worker, once for each group, how many iterations take the target time, and puts
 * the answer into all of the group's cells. *round_s is the time that a round of the time pass then
 * takes, roughly. STATUS_INTERRUPTED, or as worker_calibrate, with the workload's name. */
enum status plan_calibrate(json_t *plan, const struct registry *registry, double *round_s,
                           struct error *error);

/* STATUS_OK if the two plans are of the same run but for what is measured anew each time (date,
 * host, iterations, command); else STATUS_INVALID and a message with the first difference. */
enum status plan_compare(const json_t *existing, const json_t *wanted, struct error *error);

/* STATUS_OK if this machine and this build are those of the plan; else STATUS_INVALID: figures of
 * two machines are no pairs. */
enum status plan_check_host(const json_t *plan, struct error *error);

/* Roughly the seconds of a round (or of the memory pass), before anything has been calibrated. */
double plan_estimate_round_s(const json_t *plan, bool memory);

/* Cells in a round of the time pass, or in the memory pass (without twins). */
size_t plan_count_cells(const json_t *plan, bool memory);

size_t plan_count_groups(const json_t *plan);

/* Does the pass run this cell? */
bool plan_has_pass(const json_t *cell, bool memory);

#endif
