/* Runs the trials of a score. In a trial an engine starts on one program with nothing, until it
 * finds something or its CPU time is used up. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_SCORE_RUN_H
#define HEAPMILL_FUZZ_CAMPAIGN_SCORE_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/log.h"

struct score_run {
    const struct fuzz_catalog *catalog;
    const char *directory;
    const json_t *plan; /* score.json */
    struct fuzz_log *log;
    size_t jobs;   /* trials that run at the same time */
    size_t shares; /* the plan's trials are dealt out to so many; 0: all are run here */
    size_t share;  /* which of them is run here */
};

struct score_run_result {
    size_t trials; /* trials that were run in this session */
    size_t left;   /* trials that are left after an interruption */
};

/* Runs the trials. STATUS_INTERRUPTED: running trials are lost, ended ones are recorded.
 * STATUS_NOT_FOUND: a build is missing; STATUS_IO. */
enum status score_run(const struct score_run *run, struct score_run_result *result,
                      struct error *error);

#endif
