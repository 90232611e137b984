/* The seam between an experiment and what is measured.
 *
 * Planner, schedule, rounds, store, comparison and plots know cells of a plan and records. What a
 * cell is made of, and where and how it runs, is an executor's business: a worker process
 * (worker_executor.h), a mock of the engine's tests, a user's command, a task on another machine.
 * An executor adds to each cell of the plan what it needs to run it, and reads nothing else but
 * what results/FORMAT.md says of cells. */
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

    /* Adds to a new cell of the plan how it is run. twin: 0, or the number of an A/A twin, which
     * should do the same work and differ in what chance may differ in, as the layout of its code.
     * NULL: there is nothing to add. */
    void (*describe)(void *context, const struct selection_choice *choice, int twin, json_t *cell);

    /* Is what the plan needs here? resumed: it is a plan of an earlier session, and everything in
     * it must be as it was; else versions of tools may be added to it. STATUS_UNSUPPORTED with the
     * remedy; STATUS_INTERRUPTED. NULL: nothing is needed. */
    enum status (*prepare)(void *context, json_t *plan, bool resumed, struct error *error);

    /* Makes what the plan's rounds will need, before anything is timed: in each session, so that
     * what is there already should cost nothing. STATUS_UNSUPPORTED, STATUS_IO,
     * STATUS_INTERRUPTED. NULL: nothing is made. */
    enum status (*begin)(void *context, const json_t *plan, struct error *error);

    /* How many iterations of a group's work take the plan's target time. cell is the group's first.
     * *calibration, a new reference, has `iterations` (at least 1), `warmup_iterations`,
     * `operations` (of one iteration) and `cpu_ns_per_op`. STATUS_UNSUPPORTED, STATUS_INTERRUPTED.
     */
    enum status (*calibrate)(void *context, const json_t *plan, const json_t *cell,
                             json_t **calibration, struct error *error);

    /* Runs a cell once. *outcome, a new reference, has the members of a record that only the
     * executor knows: `status` and `reason`, `iterations`, exit_code, signal, stderr, process, and
     * what was measured. What the engine knows (the cell, the round, the host, the machine's
     * counters) it adds itself, and it leaves out of a cell that is not ok what was measured. A
     * cell that ends badly is an outcome too; an error ends the run: STATUS_INTERRUPTED, or what
     * makes every further cell fail. */
    enum status (*run)(void *context, const struct executor_cell *asked, json_t **outcome,
                       struct error *error);

    /* Runs several cells of one group and round, as `run` each, beside each other where there are
     * processors for it. For the memory pass, in which nothing is timed. outcomes[i] is asked[i]'s;
     * after an error all are NULL. NULL: they are run one after the other. */
    enum status (*run_beside)(void *context, const struct executor_cell *asked, size_t count,
                              json_t **outcomes, struct error *error);

    /* The clock that a budget is spent by, in nanoseconds. NULL: this machine's wall clock. */
    uint64_t (*now_ns)(void *context);
};

/* That clock. */
uint64_t executor_now_ns(const struct executor *executor);

#endif
