/* What a worker writes: the JSON of --describe, --calibrate and --cell (WORKER.md). */
#ifndef HEAPMILL_WORKLOADS_WORKER_RECORD_H
#define HEAPMILL_WORKLOADS_WORKER_RECORD_H

#include "common/json_writer.h"
#include "workloads/runner.h"

/* What --calibrate found. */
struct calibration {
    uint64_t iterations;
    uint64_t warmup_iterations;
    uint64_t operations; /* of one iteration */
    double cpu_ns_per_op;
};

/* Each writes one line. STATUS_IO when the descriptor does not take it. */
enum status worker_write_description(int fd, struct error *error);
enum status worker_write_calibration(int fd, const struct cell *cell,
                                     const struct calibration *calibration, struct error *error);
enum status worker_write_record(int fd, const struct cell *cell, const struct cell_result *result,
                                struct error *error);

#endif
