/* An executor that starts no process, for tests of the engine: it keeps a log of what it was asked,
 * answers from rules that a test sets, and has a clock of its own that each cell moves on. */
#ifndef HEAPMILL_RUN_TESTS_MOCK_EXECUTOR_H
#define HEAPMILL_RUN_TESTS_MOCK_EXECUTOR_H

#include "run/executor.h"

struct mock_executor {
    struct executor executor;
    uint64_t now_ns;
    double cell_s; /* what a cell takes on that clock */
    /* After so many cells the next one is interrupted, as by a signal; 0: none is. */
    size_t interrupt_after;
    size_t cells; /* that were run */
    size_t calibrations;
    size_t begins;
    double begin_s;       /* what making what the rounds need takes on that clock */
    double calibration_s; /* what a group's calibration takes on that clock */
    double heavy_s;       /* the same of groups with the text `heavy` in their names; NULL: none */
    const char *heavy;
    size_t beside_most; /* cells that were run beside each other, at most */
    /* The text of a cell's id that fails, NULL: none. */
    const char *failing;
    /* The back end that computes another checksum, NULL: none does. */
    const char *differing;
    /* nanoseconds an operation of the cell takes in the round; NULL: 1 for all. */
    double (*cost_ns)(const struct executor_cell *asked);
    char *log; /* "PASS ROUND CELL\n" for each cell that was run */
};

/* Memory passes run beside each other, a group in the time of one cell, if run_beside is set to
 * this. Its cells are then not interrupted in between. */
enum status mock_run_beside(void *context, const struct executor_cell *asked, size_t count,
                            json_t **outcomes, struct error *error);

void mock_executor_open(struct mock_executor *mock);
void mock_executor_close(struct mock_executor *mock);

#endif
