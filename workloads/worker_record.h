/* What a worker writes: the JSON of --describe, --calibrate and --cell (WORKER.md). */
#ifndef HEAPMILL_WORKLOADS_WORKER_RECORD_H
#define HEAPMILL_WORKLOADS_WORKER_RECORD_H

#include <stdbool.h>
#include <sys/types.h>

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

/* What the worker runs in: who owns malloc, which libraries are loaded, whether its parent lives.
 */

/* Asks the kernel to kill this process when its parent dies. If the parent is already gone (parent
 * is not 0 and no longer ours, or the parent changed while we asked), the process ends here. */
void worker_die_with_parent(pid_t parent);

/* The file in which the process's malloc lives, links resolved, as the dynamic linker says. A
 * static string that the first call fills; empty when nobody knows. */
const char *worker_malloc_owner(void);

/* Does malloc live in the library that part names? part is a part of the file's name or, with a
 * slash in it, a path. */
bool worker_malloc_owner_is(const char *part);

#endif
