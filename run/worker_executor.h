/* An executor whose cells are worker processes on this machine (workloads/WORKER.md). */
#ifndef HEAPMILL_RUN_WORKER_EXECUTOR_H
#define HEAPMILL_RUN_WORKER_EXECUTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/host/process.h"
#include "common/status.h"
#include "results/record.h"
#include "run/executor.h"
#include "run/registry.h"
#include "run/selection.h"

struct worker_executor {
    struct executor executor;
    const struct registry *registry;
    char *valgrind; /* its path, once a plan has asked for it */
};

/* Opens the executor, which borrows the registry until worker_executor_close. */
void worker_executor_open(struct worker_executor *worker, const struct registry *registry);
void worker_executor_close(struct worker_executor *worker);

/* Turns how a worker's process ended and what it wrote into an executor's outcome. */

/* The work that a worker was asked for. Borrowed. */
struct worker_run {
    const json_t *cell; /* of the plan */
    enum record_pass pass;
    uint64_t iterations;   /* asked for in this pass */
    uint64_t instructions; /* of the instructions pass; 0: there is no count */
    double timeout_s;
};

/* Makes the outcome, a new reference. It is "ok" only if the process exited with 0 after one whole
 * line that says "ok" and has all that an ok record needs. In every other case status and reason
 * say what happened. */
json_t *worker_outcome_make(const struct worker_run *run, const struct process_result *result);

/* Checks before the first cell that every worker is there, and that each library to be preloaded is
 * the one that malloc then lives in. Belongs to one thread. */

/* Returns STATUS_OK if an arm of the back end can run here. malloc_owner, unless it is NULL, is set
 * to the file in which malloc lives if something is preloaded (the caller frees it), else to NULL.
 * Returns STATUS_UNSUPPORTED if the arm cannot run, and the message says why and what helps;
 * STATUS_INTERRUPTED. */
enum status preflight_backend(const struct registry *registry, const struct backend *backend,
                              const char *arm, bool memory, char **malloc_owner,
                              struct error *error);

/* Removes from the selection what cannot run and was not named in full, with a line on stderr each.
 * Returns STATUS_UNSUPPORTED if what cannot run was named in full or is the user's library, or if
 * nothing is left. */
enum status preflight_selection(struct selection *selection, const struct registry *registry,
                                bool memory, struct error *error);

#endif
