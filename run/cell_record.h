/* Makes the record of a cell (results/FORMAT.md) out of how its process ended and what it wrote. */
#ifndef HEAPMILL_RUN_CELL_RECORD_H
#define HEAPMILL_RUN_CELL_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/host/process.h"
#include "results/record.h"
#include "run/machine.h"

/* What is known of a cell's run besides its process. Borrowed. */
struct cell_run {
    const json_t *cell; /* of the plan */
    const json_t *host; /* machine_describe_host */
    enum record_pass pass;
    uint64_t iterations;          /* asked for in this pass */
    uint64_t instructions;        /* of the instructions pass; 0: there is no count */
    uint64_t instructions_before; /* what the cell's round before counted; 0: nothing to compare */
    uint32_t round;
    uint64_t seed;
    double timeout_s;
    time_t started;
    double elapsed_s; /* of the run, when the process had ended */
    struct machine_counters before;
    struct machine_counters after;
    /* The checksum that the group's cells had so far in this round, with the cell that had it; NULL
     * for the first. A cell that has another is failed: it did other work. */
    const json_t *checksum;
    const char *checksum_cell;
};

/* A new reference. Only a process that exited with 0 after one whole line that says "ok" and has
 * all that an ok record needs gives an ok record; whatever else happened is said by status and
 * reason. */
json_t *cell_record_make(const struct cell_run *run, const struct process_result *result);

#endif
