/* Evaluates the trials of `heapmill fuzz score`: for each planted bug and engine, how many trials
 * found the bug and after how long, and which engine finds bugs sooner (fuzz/FORMAT.md has the
 * records). */
#ifndef HEAPMILL_RESULTS_FUZZ_SCORE_H
#define HEAPMILL_RESULTS_FUZZ_SCORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/document.h"
#include "common/status.h"
#include "results/stats/survival.h"

/* One bug under one engine. */
struct fuzz_score_cell {
    struct survival_trial *trials;
    struct survival_trial *executions; /* the same, "time" being inputs that were run */
    size_t count;
    size_t found;
    size_t reached;           /* trials that ran the wrong code */
    size_t triggered;         /* trials in which it made a difference, found or not */
    double median_s;          /* NAN: half of the trials did not find it */
    double median_executions; /* the same in executions, which do not depend on the machine */
    struct interval mean_s;   /* restricted to the limit; NAN without trials */
};

/* Compares two engines over all bugs: above 0.5, left finds bugs sooner. */
struct fuzz_score_comparison {
    size_t left; /* engines */
    size_t right;
    size_t bugs; /* bugs with trials of both */
    struct interval a12;
};

struct fuzz_score {
    char **bugs; /* "block_ops.pymalloc-3.10+id" */
    size_t bug_count;
    char **engines;
    size_t engine_count;
    double limit_s;                /* CPU seconds per trial */
    struct fuzz_score_cell *cells; /* [bug * engine_count + engine] */
    struct fuzz_score_comparison *comparisons;
    size_t comparison_count;
    size_t control_trials; /* trials on builds without a bug */
    size_t control_findings;
    double control_cpu_s;
    /* Findings on a planted bug's build in which it had no part: of the bug they say that it was
     * not found until then. The build without it is likely to have them too. */
    size_t unplanted;
    size_t failed; /* trials that ended before their limit without a finding: in no figure */
    double mean_s_of_engine[16]; /* the mean over bugs of the restricted means; NAN if one is NAN */
    double found_of_engine[16];  /* the share of all its trials that found the bug */
};

enum { FUZZ_SCORE_ENGINES_MAX = 16 };

/* Evaluates the lines. plan and lines are borrowed. STATUS_CORRUPT: it is no plan of a score;
 * STATUS_NO_MEMORY. On success the caller calls fuzz_score_release. */
enum status fuzz_score_evaluate(const json_t *plan, const json_t *lines, struct fuzz_score *score,
                                struct error *error);
void fuzz_score_release(struct fuzz_score *score);

static inline const struct fuzz_score_cell *fuzz_score_cell(const struct fuzz_score *score,
                                                            size_t bug, size_t engine)
{
    return &score->cells[bug * score->engine_count + engine];
}

/* Pools all trials of an engine into one sample for the engine's curve. Each bug weighs as many
 * trials as it has. The caller frees *trials. STATUS_NO_MEMORY. */
enum status fuzz_score_pool(const struct fuzz_score *score, size_t engine,
                            struct survival_trial **trials, size_t *count, struct error *error);

/* The score for --json; a new reference. */
json_t *fuzz_score_to_json(const struct fuzz_score *score);

/* Adds the tables and sentences of a score. */
void fuzz_score_report(const struct fuzz_score *score, struct document *document);

#endif
