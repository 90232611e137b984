/* The arguments of `heapmill fuzz score`, and the plan that is made from them. Internal. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_SCORE_PLAN_H
#define HEAPMILL_FUZZ_CAMPAIGN_SCORE_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/host/text.h"
#include "fuzz/campaign/catalog.h"

struct score_arguments {
    const char *bugs;
    const char *backends;
    const char *engines; /* NULL: all that are built */
    const char *output;
    uint64_t trials;
    uint64_t control_trials;
    uint64_t jobs;
    uint64_t operations;
    uint64_t seed;
    uint64_t baseline_trials; /* of random, and of the engines without the mutator */
    double baseline_time_s;
    double time_s;
    double floor;
    const char *host; /* "local", "slurm" */
    struct text_list sbatch;
    uint64_t task;
    bool is_task;
    bool baseline_given; /* the user gave baseline_trials */
    bool fast;
    bool hard; /* only bugs that blind random input does not find */
    bool resume;
    bool show;
    bool json;
};

/* Makes the plan (fuzz/FORMAT.md), a new reference. STATUS_NOT_FOUND, STATUS_INVALID: the message
 * says what is missing or wrong. */
enum status score_make_plan(const struct score_arguments *arguments,
                            const struct fuzz_catalog *catalog, json_t **plan, struct error *error);

#endif
