/* Holds an experiment: the matrix that is asked for, and how long and how often it is measured.
 * Commands fill it from their options, make a plan of it, and run the plan in a result directory.
 * Belongs to one thread. */
#ifndef HEAPMILL_RUN_EXPERIMENT_H
#define HEAPMILL_RUN_EXPERIMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"
#include "results/record.h"
#include "results/store.h"
#include "run/executor.h"
#include "run/registry.h"

/* Strings are borrowed; parameters are owned. */
struct experiment {
    const char *name;      /* of the matrix: "default", "quick", "custom" */
    const char *backends;  /* as -b */
    const char *workloads; /* as -w */
    struct text_list parameters;
    const char *arms;    /* as --arm; NULL: each back end's own */
    const char *threads; /* as --threads */
    const char *base;    /* a back end; NULL: malloc, or else the first */
    uint64_t rounds;     /* 0: until the budget is spent, or until `precision`; with a budget at
                            most so many */
    double precision;    /* a ratio distance; 0: rounds are not adaptive */
    double budget_s;     /* of the whole run, links and calibration too; 0: none */
    uint64_t seed;
    double timeout_s;
    double target_ms;
    bool passes[RECORD_PASS_COUNT]; /* what is measured */
    uint64_t rounds_heavy; /* of groups whose set-up takes long, without a memory pass; 0: as the
                              others */
    uint64_t instruction_rounds;
    uint64_t memory_rounds;
    uint64_t latency_rounds;
    uint64_t latency_every; /* one call in so many is timed */
    const char *against;    /* a revision or a library (run/against.h); NULL: nothing */
    bool one_layout;        /* workers run as they were linked (run/layouts.h) */
    int argc;               /* the command line, for the plan */
    char **argv;
};

/* Makes the plan that the experiment asks for, not calibrated; the caller owns the new reference.
 * Returns STATUS_UNSUPPORTED if something that was named in full is not here; the other errors are
 * those of selection_add_backends and the like. */
enum status experiment_plan(const struct experiment *experiment, struct registry *registry,
                            const struct executor *executor, json_t **plan, struct error *error);

/* Calibrates the plan and makes the directory with it. *round_s is set to the time in seconds that
 * a round should take. */
enum status experiment_start(const char *directory, json_t *plan, const struct executor *executor,
                             struct store **store, double *round_s, struct error *error);

/* Opens the directory's run again, if it can run here. wanted is the plan that the options ask for,
 * which must be that of the run, or NULL. *round_s is as above. */
enum status experiment_resume(const char *directory, const json_t *wanted,
                              const struct executor *executor, struct store **store,
                              double *round_s, struct error *error);

/* Runs what is left of the store's plan. round_s is the time that a round should take; it counts
 * only if there are no records that tell it. Errors are those of rounds_run. */
enum status experiment_go_on(struct store *store, const struct executor *executor, double round_s,
                             struct error *error);

/* Named matrices: options of `heapmill bench` that are worth a name. They are constant. */

enum { MATRIX_PARAMETERS_MAX = 12 };

struct matrix {
    const char *name;
    const char *summary;
    const char *backends;                          /* as -b */
    const char *workloads;                         /* as -w */
    const char *parameters[MATRIX_PARAMETERS_MAX]; /* as -p; ends with NULL */
    const char *threads;                           /* as --threads; NULL: 1 */
    uint64_t rounds;
    uint64_t rounds_heavy; /* of groups whose set-up takes long; 0: as the others */
    double budget_s;       /* 0: none */
    double target_ms;
};

/* The matrices. The last row has a NULL name. The first is what `heapmill bench` runs without any
 * choice. */
extern const struct matrix matrix_table[];

/* Returns the matrix of that name, or NULL if there is none. */
const struct matrix *matrix_find(const char *name);

#endif
