/* heapmill try: finds the best allocator for a user's command. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_TRY_H
#define HEAPMILL_RUN_COMMAND_TRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

/* The options. Strings are borrowed. */
struct try_request {
    char *const *command; /* ends with NULL; NULL: a run is resumed */
    const char *backends; /* as -b; NULL: all that can be preloaded here */
    const char *directory;
    const char *input; /* NULL: /dev/null */
    const char *setup; /* lines for sh; NULL: none */
    const char *prepare;
    const char *check;
    const char *load;
    const char *ready; /* a port, or a part of a line of the server's output */
    double idle_s;
    bool ignore_output;
    bool ignore_failure;
    bool resume;
    bool tune;
    uint64_t warmup;
    uint64_t rounds; /* 0: as many as the budget allows */
    double budget_s;
    double timeout_s;
    uint64_t seed;
    int argc; /* the command line, for the plan */
    char **argv;
};

/* Measures the command in request->directory, or completes the run that is there.
 * STATUS_INTERRUPTED: the run can be resumed. STATUS_UNSUPPORTED: the command cannot be measured.
 * Other errors as experiment_start and experiment_resume. */
enum status try_run(const struct try_request *request, struct error *error);

#endif
