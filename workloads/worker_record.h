/* Writes a worker's answers: the JSON of --describe, --calibrate and --cell (WORKER.md). */
#ifndef HEAPMILL_WORKLOADS_WORKER_RECORD_H
#define HEAPMILL_WORKLOADS_WORKER_RECORD_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/json_writer.h"
#include "workloads/runner.h"

/* The result of --calibrate. */
struct calibration {
    uint64_t iterations;
    uint64_t warmup_iterations;
    uint64_t operations; /* of one iteration */
    double cpu_ns_per_op;
};

/* Each of these writes one line. STATUS_IO: writing to the descriptor failed. */
enum status worker_write_description(int fd, struct error *error);
enum status worker_write_calibration(int fd, const struct cell *cell,
                                     const struct calibration *calibration, struct error *error);
enum status worker_write_record(int fd, const struct cell *cell, const struct cell_result *result,
                                struct error *error);

/* The worker's surroundings: the owner of malloc, the loaded libraries, whether its parent
 * lives. */

/* Asks the kernel to kill this process when its parent dies. Ends the process if the parent is
 * already gone (parent is not 0 and is no longer this process's parent, or it changed during the
 * request). */
void worker_die_with_parent(pid_t parent);

/* The file of the process's malloc, with links resolved, as the dynamic linker reports it. A static
 * string that the first call fills; "": unknown. */
const char *worker_malloc_owner(void);

/* Is the process's malloc in the library that part names? part is a part of the file's name or, if
 * it has a slash, a path. */
bool worker_malloc_owner_is(const char *part);

#endif
