/* Turns how a worker's process ended and what it wrote into an executor's outcome. */
#ifndef HEAPMILL_RUN_WORKER_OUTCOME_H
#define HEAPMILL_RUN_WORKER_OUTCOME_H

#include <jansson.h>
#include <stdint.h>

#include "common/host/process.h"
#include "results/record.h"

/* What the worker was asked for. Borrowed. */
struct worker_run {
    const json_t *cell; /* of the plan */
    enum record_pass pass;
    uint64_t iterations;   /* asked for in this pass */
    uint64_t instructions; /* of the instructions pass; 0: there is no count */
    double timeout_s;
};

/* A new reference. Only a process that exited with 0 after one whole line that says "ok" and has
 * all that an ok record needs gives "ok"; whatever else happened is said by status and reason. */
json_t *worker_outcome_make(const struct worker_run *run, const struct process_result *result);

#endif
