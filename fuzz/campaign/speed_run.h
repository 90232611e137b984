/* Measures the speed of each engine for `heapmill fuzz speed`. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_SPEED_RUN_H
#define HEAPMILL_FUZZ_CAMPAIGN_SPEED_RUN_H

#include <stdint.h>

#include "common/status.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/engines/launch.h"

enum { SPEED_CELLS = 4, SPEED_ROUNDS_MAX = 100 };

/* Engines with programs of a length that suits them. Each comes after the bare loop with programs
 * of the same length. */
struct speed_cell {
    enum fuzz_engine engine;
    uint64_t operations; /* the most per input */
    size_t base;         /* index of the bare loop's cell */
    double least;        /* the bar: share of the bare loop's operations per CPU second */
};
extern const struct speed_cell speed_cells[SPEED_CELLS];

struct speed_sample {
    double cpu_s;
    double executions;
    double operations;
    double stability; /* AFL++: percent; 0: unknown */
};

struct speed_run {
    const struct fuzz_catalog *catalog;
    const struct fuzz_program *program;
    uint64_t rounds;
    uint64_t seed;
    double time_s; /* CPU time of each engine in each round */
};

/* The figures of one cell over the rounds. */
struct speed_figures {
    double executions_per_s[SPEED_ROUNDS_MAX];
    double operations_per_s[SPEED_ROUNDS_MAX];
    double of_bare[SPEED_ROUNDS_MAX]; /* share of the bare loop in the same round */
    double stability[SPEED_ROUNDS_MAX];
};

/* Runs all cells in each round, one after the other. figures has SPEED_CELLS elements.
 * STATUS_NOT_FOUND: something is not built; STATUS_UNSUPPORTED: an engine ended by itself;
 * STATUS_INTERRUPTED, STATUS_IO. */
enum status speed_measure(const struct speed_run *run, struct speed_figures *figures,
                          struct error *error);

#endif
