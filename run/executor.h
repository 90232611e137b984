/* Separates an experiment from what is measured.
 *
 * Planner, schedule, rounds, store, comparison and plots know the cells of a plan and records. An
 * executor knows what a cell is made of, and where and how it runs: it may be a worker process
 * (worker_executor.h), a mock of the engine's tests, a user's command, or a task on another
 * machine. An executor adds to each cell of the plan what it needs to run it. Of the rest it reads
 * only what results/FORMAT.md says of cells. */
#ifndef HEAPMILL_RUN_EXECUTOR_H
#define HEAPMILL_RUN_EXECUTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"
#include "results/record.h"
#include "run/selection.h"

/* One cell in one round. All borrowed. */
struct executor_cell {
    const json_t *plan;
    const json_t *cell;
    enum record_pass pass;
    uint32_t round;
    uint64_t seed; /* the same for all cells of the group in this round */
};

struct executor {
    void *context; /* what the operations are called with; they may change it */

    /* Adds to a new cell of the plan how it is run. twin is 0, or the number of an A/A twin, which
     * should do the same work and differ only in what chance may change, such as the layout of its
     * code. NULL if there is nothing to add. */
    void (*describe)(void *context, const struct selection_choice *choice, int twin, json_t *cell);

    /* Checks that what the plan needs is here. If resumed is true, the plan is of an earlier
     * session, and everything in it must be as it was; otherwise versions of tools may be added to
     * it. Returns STATUS_UNSUPPORTED with the remedy, or STATUS_INTERRUPTED. NULL if nothing is
     * needed. */
    enum status (*prepare)(void *context, json_t *plan, bool resumed, struct error *error);

    /* Makes what the plan's rounds will need, before anything is timed: in each session, so that
     * what is there already should cost nothing. STATUS_UNSUPPORTED, STATUS_IO,
     * STATUS_INTERRUPTED. NULL: nothing is made. */
    enum status (*begin)(void *context, const json_t *plan, struct error *error);

    /* Measures how many iterations of a group's work take the plan's target time. cell is the first
     * of the group. *calibration, a new reference, has `iterations` (at least 1),
     * `warmup_iterations`, `operations` (of one iteration) and `cpu_ns_per_op`. Returns
     * STATUS_UNSUPPORTED or STATUS_INTERRUPTED on failure. */
    enum status (*calibrate)(void *context, const json_t *plan, const json_t *cell,
                             json_t **calibration, struct error *error);

    /* Runs a cell once. *outcome, a new reference, has the members of a record that only the
     * executor knows: `status` and `reason`, `iterations`, exit_code, signal, stderr, process, and
     * what was measured. The engine adds what it knows itself (the cell, the round, the host, the
     * machine's counters), and it removes what was measured from a cell that is not ok. A cell that
     * ends badly is an outcome too. An error ends the run: STATUS_INTERRUPTED, or an error that
     * would make every further cell fail. */
    enum status (*run)(void *context, const struct executor_cell *asked, json_t **outcome,
                       struct error *error);

    /* Runs several cells of one group and round, as `run` each, beside each other where there are
     * processors for it. For the memory pass, in which nothing is timed. outcomes[i] is asked[i]'s;
     * after an error all are NULL. NULL: they are run one after the other. */
    enum status (*run_beside)(void *context, const struct executor_cell *asked, size_t count,
                              json_t **outcomes, struct error *error);

    /* Returns the time of the clock that a budget is spent by, in nanoseconds. NULL: this machine's
     * wall clock. */
    uint64_t (*now_ns)(void *context);
};

/* That clock. */
uint64_t executor_now_ns(const struct executor *executor);

#endif
