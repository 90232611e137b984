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

/* The plan of every chosen back end on every point, with A/A twins of the base (the base's layout
 * twins where this build has them), and without numbers of iterations: plan_calibrate adds those.
 * base is the index of the choice that is the base. A new
 * reference. */
json_t *plan_build(const struct experiment *experiment, const struct executor *executor,
                   const struct selection *selection, size_t base);

/* Asks the executor, once for each group, how many iterations take the target time, and puts the
 * answer into all of the group's cells. *round_s is the time that a round of the time pass then
 * takes, roughly. Errors are the executor's, with the group's name. */
enum status plan_calibrate(json_t *plan, const struct executor *executor, double *round_s,
                           struct error *error);

/* STATUS_OK if the two plans are of the same run but for what is measured anew each time (date,
 * host, iterations, command); else STATUS_INVALID and a message with the first difference. */
enum status plan_compare(const json_t *existing, const json_t *wanted, struct error *error);

/* STATUS_OK if this machine and this build are those of the plan; else STATUS_INVALID: figures of
 * two machines are no pairs. */
enum status plan_check_host(const json_t *plan, struct error *error);

/* Roughly the seconds of a round of the pass, before anything has been calibrated. */
double plan_estimate_round_s(const json_t *plan, enum record_pass pass);

/* Of all planned rounds of all passes but the time pass: roughly the seconds, and the cells. */
double plan_estimate_others_s(const json_t *plan);
size_t plan_count_others(const json_t *plan);

/* Cells in a round of the pass. */
size_t plan_count_cells(const json_t *plan, enum record_pass pass);

size_t plan_count_groups(const json_t *plan);

/* A calibration's plan: cells do some per cent more work than the base, and there is no other back
 * end. Each per cent is to be a whole number of iterations, and the base fills the target time. */
bool plan_has_extra_work(const json_t *plan);

/* The collector that was chosen for a cell, "" for the build's own. Borrowed. */
const char *plan_collector(const json_t *cell);

/* Is the pass part of the run, and in how many rounds? 0: none; of the time pass: the budget says.
 */
bool plan_runs_pass(const json_t *plan, enum record_pass pass);
uint64_t plan_pass_rounds(const json_t *plan, enum record_pass pass);

/* Does the pass run this cell? The same rule as record_cell_is_planned in results/. */
bool plan_has_pass(const json_t *cell, enum record_pass pass);

#endif
