/* Makes the plan of a run (results/FORMAT.md: plan.json), and reads back what its execution needs.
 * Belongs to one thread. */
#ifndef HEAPMILL_RUN_PLAN_H
#define HEAPMILL_RUN_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"
#include "results/record.h"
#include "run/executor.h"
#include "run/experiment.h"
#include "run/selection.h"

/* Makes the plan of every chosen back end on every point. The base gets A/A twins, which are its
 * layout twins where this build has them. The plan has no numbers of iterations yet: plan_calibrate
 * adds them. base is the index of the choice that is the base. The caller owns the new
 * reference. */
json_t *plan_build(const struct experiment *experiment, const struct executor *executor,
                   const struct selection *selection, size_t base);

/* Asks the executor, once for each group, how many iterations take the target time, and puts the
 * answer into all cells of the group. *round_s is set to the time in seconds that a round of the
 * time pass then takes, roughly. The errors are the executor's, with the name of the group. */
enum status plan_calibrate(json_t *plan, const struct executor *executor, double *round_s,
                           struct error *error);

/* Returns STATUS_OK if the two plans are of the same run. What is measured anew each time may
 * differ (date, host, iterations, command). Otherwise it returns STATUS_INVALID, and the message
 * tells the first difference. */
enum status plan_compare(const json_t *existing, const json_t *wanted, struct error *error);

/* Returns STATUS_OK if this machine and this build are those of the plan, else STATUS_INVALID,
 * because figures of two machines cannot be paired. */
enum status plan_check_host(const json_t *plan, struct error *error);

/* Estimates how many seconds a round of the pass takes, before anything has been calibrated. */
double plan_estimate_round_s(const json_t *plan, enum record_pass pass);

/* Estimates how many seconds all planned rounds of all passes but the time pass take; the second
 * function counts their cells. */
double plan_estimate_others_s(const json_t *plan);
size_t plan_count_others(const json_t *plan);

/* Counts the cells in a round of the pass. */
size_t plan_count_cells(const json_t *plan, enum record_pass pass);

size_t plan_count_groups(const json_t *plan);

/* Tells whether the plan is a calibration's: its cells do some per cent more work than the base,
 * and there is no other back end. Each per cent is a whole number of iterations, and the base fills
 * the target time. */
bool plan_has_extra_work(const json_t *plan);

/* Returns the collector that was chosen for a cell, or "" for the build's own. The string is
 * borrowed. */
const char *plan_collector(const json_t *cell);

/* Tells whether the pass is part of the run, and in how many rounds: 0 if it is not, and also for
 * the time pass of a run with a budget, which decides the number. */
bool plan_runs_pass(const json_t *plan, enum record_pass pass);
uint64_t plan_pass_rounds(const json_t *plan, enum record_pass pass);

/* Tells whether the pass runs this cell, by the same rule as record_cell_is_planned in results/. */
bool plan_has_pass(const json_t *cell, enum record_pass pass);

#endif
