/* What the trials of `heapmill fuzz score` say: of each planted bug and engine how many trials
 * found it and after how long, and which engine finds sooner (fuzz/FORMAT.md has the records). */
#ifndef HEAPMILL_RESULTS_FUZZ_SCORE_H
#define HEAPMILL_RESULTS_FUZZ_SCORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/document.h"
#include "common/status.h"
#include "results/stats/survival.h"

/* A bug under an engine. */
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

/* Left against right over all bugs: above 0.5, left finds sooner. */
struct fuzz_score_comparison {
    size_t left; /* engines */
    size_t right;
    size_t bugs; /* on which both have trials */
    struct interval a12;
};

struct fuzz_score {
    char **bugs; /* as "block_ops.pymalloc-3.10+id" */
    size_t bug_count;
    char **engines;
    size_t engine_count;
    double limit_s;                /* CPU seconds of a trial */
    struct fuzz_score_cell *cells; /* [bug * engine_count + engine] */
    struct fuzz_score_comparison *comparisons;
    size_t comparison_count;
    size_t control_trials; /* on builds without a bug */
    size_t control_findings;
    double control_cpu_s;
    /* Findings on a planted bug's build in which it had no part: of the bug they say that it was
     * not found until then. The build without it is likely to have them too. */
    size_t unplanted;
    size_t failed; /* trials that ended without a finding before their limit: in no figure */
    double mean_s_of_engine[16]; /* the mean over bugs of the restricted means; NAN if one is */
    double found_of_engine[16];  /* the share of all its trials that found */
};

enum { FUZZ_SCORE_ENGINES_MAX = 16 };

/* plan and lines are borrowed. STATUS_CORRUPT: not such a plan; STATUS_NO_MEMORY. The score is the
 * caller's on success: fuzz_score_release. */
enum status fuzz_score_evaluate(const json_t *plan, const json_t *lines, struct fuzz_score *score,
                                struct error *error);
void fuzz_score_release(struct fuzz_score *score);

static inline const struct fuzz_score_cell *fuzz_score_cell(const struct fuzz_score *score,
                                                            size_t bug, size_t engine)
{
    return &score->cells[bug * score->engine_count + engine];
}

/* All trials of an engine as one sample, each bug weighing as many trials as it has: for the curve
 * of the engine. The caller frees *trials. STATUS_NO_MEMORY. */
enum status fuzz_score_pool(const struct fuzz_score *score, size_t engine,
                            struct survival_trial **trials, size_t *count, struct error *error);

/* For --json; a new reference. */
json_t *fuzz_score_to_json(const struct fuzz_score *score);

/* The tables and sentences of a score. */
void fuzz_score_report(const struct fuzz_score *score, struct document *document);

#endif
