/* Makes the record of a cell (results/FORMAT.md) out of what its executor says became of it and
 * what the engine knows. */
#ifndef HEAPMILL_RUN_CELL_RECORD_H
#define HEAPMILL_RUN_CELL_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "results/record.h"
#include "run/machine.h"

/* What the engine knows of a cell's run. Borrowed. */
struct cell_run {
    const json_t *cell; /* of the plan */
    const json_t *host; /* machine_describe_host */
    enum record_pass pass;
    uint64_t instructions_before; /* what the cell's round before counted; 0: nothing to compare */
    uint32_t round;
    uint64_t seed;
    time_t started;
    double elapsed_s; /* of the run, when the cell had ended */
    struct machine_counters before;
    struct machine_counters after;
    /* The checksum that the group's cells had so far in this round, with the cell that had it; NULL
     * for the first. A cell that has another is failed: it did other work. */
    const json_t *checksum;
    const char *checksum_cell;
};

/* A new reference; takes the outcome (run/executor.h). A record that is not ok has no figures. */
json_t *cell_record_make(const struct cell_run *run, json_t *outcome);

#endif
