/* What an experiment is: the matrix that is asked for, and how long and how often it is measured.
 * Commands fill it from their options; plan_build makes a plan of it. */
#ifndef HEAPMILL_RUN_EXPERIMENT_H
#define HEAPMILL_RUN_EXPERIMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/host/text.h"
#include "results/record.h"

/* Strings are borrowed; parameters are owned. */
struct experiment {
    const char *name;      /* of the matrix: "default", "quick", "custom" */
    const char *backends;  /* as -b */
    const char *workloads; /* as -w */
    struct text_list parameters;
    const char *arms;    /* as --arm; NULL: each back end's own */
    const char *threads; /* as --threads */
    const char *base;    /* a back end; NULL: malloc, or else the first */
    uint64_t rounds;     /* 0: until the budget is spent, or until `precision` */
    double precision;    /* a ratio distance; 0: rounds are not adaptive */
    double budget_s;     /* 0: none */
    uint64_t seed;
    double timeout_s;
    double target_ms;
    bool passes[RECORD_PASS_COUNT]; /* what is measured */
    uint64_t instruction_rounds;
    uint64_t latency_rounds;
    uint64_t latency_every; /* one call in so many is timed */
    bool no_redo;           /* groups have no further rounds for disturbed ones */
    int argc;               /* the command line, for the plan */
    char **argv;
};

#endif
