/* heapmill fuzz score: how long each engine takes to find planted bugs. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "cli/fuzz_score_report.h"
#include "common/host/process.h"
#include "fuzz/campaign/grid.h"
#include "fuzz/campaign/score_plan.h"
#include "fuzz/campaign/score_run.h"
#include "fuzz/engines/launch.h"

#define SCORE_INTO(member) OPTION_INTO(struct score_arguments, member)

enum { SCORE_TRIALS_MAX = 10000, SCORE_JOBS_MAX = 64, SCORE_OPERATIONS_MAX = 8192 };

static const struct option_row score_options[] = {
    {OPTION_HEADING, .help = "what is found"},
    {OPTION_TEXT, 0, "bugs", "GLOBS", "only the bugs with these ids: 'pymalloc-*,!*-stale'",
     .shown = "all", .candidates = FUZZ_CANDIDATES_BUGS, SCORE_INTO(bugs)},
    {OPTION_FLAG, 0, "hard", NULL, "only hard bugs, which blind random input does not find in 60 s",
     SCORE_INTO(hard)},
    {OPTION_TEXT, 'b', "backends", "GLOBS", "only on these back ends",
     .candidates = CANDIDATES_BACKENDS, SCORE_INTO(backends)},
    {OPTION_HEADING, .help = "who looks for it, and for how long"},
    {OPTION_TEXT, 0, "engines", "LIST", "of libfuzzer, libfuzzer-nomutator, afl, afl-nomutator",
     .shown = "all that are built", SCORE_INTO(engines)},
    {OPTION_NUMBER, 0, "trials", "N", "of each bug and engine", "10", .most = SCORE_TRIALS_MAX,
     SCORE_INTO(trials)},
    {OPTION_SECONDS, 0, "time", "T", "CPU time of a trial", "60s", SCORE_INTO(time_s)},
    {OPTION_NUMBER, 0, "baseline-trials", "N", "the same for blind random and nomutator",
     .shown = "as the others'", .most = SCORE_TRIALS_MAX, SCORE_INTO(baseline_trials),
     .given = offsetof(struct score_arguments, baseline_given)},
    {OPTION_SECONDS, 0, "baseline-time", "T", "the same for blind random and nomutator",
     .shown = "as the others'", SCORE_INTO(baseline_time_s)},
    {OPTION_NUMBER, 0, "control-trials", "N", "of each build without a bug and engine", "1",
     .most = SCORE_TRIALS_MAX, SCORE_INTO(control_trials)},
    {OPTION_NUMBER, 0, "jobs", "N", "trials at the same time; on a cluster, tasks",
     .shown = "one for each CPU; 64", .most = SCORE_JOBS_MAX, SCORE_INTO(jobs)},
    {OPTION_NUMBER, 0, "operations", "N", "the longest program", .shown = "as in fuzz run",
     .most = SCORE_OPERATIONS_MAX, SCORE_INTO(operations)},
    {OPTION_FLAG, 0, "fast", NULL, "libFuzzer without sanitizers", SCORE_INTO(fast)},
    {OPTION_NUMBER, 0, "seed", "S", "of the trials", "1", SCORE_INTO(seed)},
    {OPTION_HEADING, .help = "what comes out"},
    {OPTION_SHARE, 0, "floor", "SHARE",
     "exit 1 if some bug is found in a smaller share of some engine's trials, blind random and "
     "nomutator left out: 0.9",
     .most = 1, SCORE_INTO(floor)},
    {OPTION_TEXT, 'o', "output", "DIR", "directory for the trials", "score",
     .candidates = OPTION_DIRECTORIES, SCORE_INTO(output)},
    {OPTION_FLAG, 0, "resume", NULL, "continue the score in DIR", SCORE_INTO(resume)},
    {SHARED_ENGINE_HOST(struct score_arguments, host)},
    {SHARED_SBATCH(struct score_arguments, sbatch)},
    {SHARED_TASK(struct score_arguments, task, is_task)},
    {OPTION_FLAG, 0, "show", NULL, "only print what DIR has", SCORE_INTO(show)},
    {SHARED_JSON(struct score_arguments, json, "cells, engines, comparisons, control")},
    {.kind = OPTION_END},
};

/* Runs what is to be run, on a plan of its own or on the directory's. */
static enum status score_do(const struct score_arguments *arguments, struct error *error)
{
    struct fuzz_catalog catalog;
    struct fuzz_log log = {.lines = NULL};
    struct score_run_result result;
    json_t *plan = NULL;
    enum status status = fuzz_catalog_open(&catalog, error);
    if (status == STATUS_OK && !arguments->resume) {
        status = score_make_plan(arguments, &catalog, &plan, error);
    }
    if (status == STATUS_OK && arguments->is_task) {
        status = fuzz_grid_score_task(&catalog, arguments->output, (size_t)arguments->task, error);
        fuzz_catalog_close(&catalog);
        return status;
    }
    if (status == STATUS_OK && plan != NULL && strcmp(arguments->host, "slurm") == 0) {
        fuzz_grid_plan(plan, arguments->jobs > 0 ? (size_t)arguments->jobs : SCORE_JOBS_MAX, 0,
                       &arguments->sbatch);
    }
    if (status == STATUS_OK) {
        status = fuzz_log_open(&log, &fuzz_score_journal, arguments->output, &plan, error);
    }
    if (status == STATUS_OK && json_object_get(plan, "grid") != NULL) {
        status = fuzz_grid_score(arguments->output, plan, &log, error);
    } else if (status == STATUS_OK) {
        long cpus = sysconf(_SC_NPROCESSORS_ONLN);
        uint64_t jobs = arguments->jobs > 0 ? arguments->jobs : (uint64_t)(cpus < 64 ? cpus : 64);
        const struct score_run run = {.catalog = &catalog,
                                      .directory = arguments->output,
                                      .plan = plan,
                                      .log = &log,
                                      .jobs = (size_t)jobs};
        status = score_run(&run, &result, error);
    }
    json_decref(plan);
    fuzz_log_close(&log);
    fuzz_catalog_close(&catalog);
    return status;
}

static int score_tell(const struct invocation *invocation, const struct score_arguments *arguments)
{
    json_t *plan;
    json_t *lines;
    struct fuzz_score score;
    struct error error;
    enum status status =
        fuzz_log_read(&fuzz_score_journal, arguments->output, &plan, &lines, &error);
    if (status == STATUS_OK) {
        status = fuzz_score_evaluate(plan, lines, &score, &error);
        json_decref(plan);
        json_decref(lines);
    }
    if (status != STATUS_OK) {
        return fuzz_report(invocation, &error);
    }
    int exit_status = score_report(&score, arguments->floor, arguments->json);
    fuzz_score_release(&score);
    return exit_status;
}

static int score_execute(const struct invocation *invocation, void *arguments)
{
    struct score_arguments *asked = arguments;
    struct error error = {0};
    enum status status = STATUS_OK;
    if (!asked->baseline_given) {
        asked->baseline_trials = asked->trials;
    }
    if (!(asked->baseline_time_s > 0)) {
        asked->baseline_time_s = asked->time_s;
    }
    if (!asked->show) {
        process_prepare_signals();
        status = score_do(asked, &error);
    }
    if (asked->is_task) {
        return status == STATUS_OK ? EXIT_CLEAN : fuzz_report(invocation, &error);
    }
    int told = status == STATUS_OK || status == STATUS_INTERRUPTED ? score_tell(invocation, asked)
                                                                   : EXIT_CLEAN;
    return status == STATUS_OK ? told : fuzz_report(invocation, &error);
}
const struct command fuzz_score_command = {
    .name = "score",
    .summary = "how long each engine takes to find planted bugs",
    .synopses = (const char *const[]){"[OPTION…]", "--resume -o DIR [--jobs N]",
                                      "--show -o DIR [--json]", NULL},
    .description =
        "Time to find each planted bug (`heapmill fuzz list --bugs`), by engine, in CPU seconds: "
        "each trial begins with nothing and ends at its first finding or at its limit. Blind "
        "random input in the same format is always among the engines, and each build without a "
        "bug is a control on which nothing may be found.\n"
        "\n"
        "In the table: found/trials, and the mean CPU time to find of one who gives up at the "
        "limit. A12 is the chance that the left engine finds sooner than the right one, with its "
        "95% interval. `heapmill fuzz plot DIR` draws it.",
    .options = score_options,
    .arguments_size = sizeof(struct score_arguments),
    .examples = "heapmill fuzz score --hard --trials 3 -o score",
    .exit_statuses = "0 clean; 1 a finding on a build without a bug, or in which the bug had no "
                     "part, or below --floor; 2 wrong usage; 3 something is missing; 4 some trials "
                     "failed; 130 interrupted",
    .execute = score_execute,
};
