/* heapmill bench: makes a plan, or takes up one, and runs it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench_options.h"
#include "cli/bench_report.h"
#include "cli/bench_warnings.h"
#include "cli/command.h"
#include "cli/compare.h"
#include "common/clock.h"
#include "common/host/process.h"
#include "results/store.h"
#include "run/plan.h"
#include "run/registry.h"
#include "run/worker_executor.h"

int bench_exit_status(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return EXIT_CLEAN;
    case STATUS_INVALID:
    case STATUS_NOT_FOUND:
        return EXIT_USAGE;
    case STATUS_INTERRUPTED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_ENVIRONMENT;
    }
}

/* Prints the table that `heapmill compare DIRECTORY` prints, of what was measured first. */
static void bench_compare(const json_t *plan, const char *directory)
{
    static const char *const metrics[RECORD_PASS_COUNT] = {[RECORD_TIME] = "time",
                                                           [RECORD_MEMORY] = "held_peak",
                                                           [RECORD_INSTRUCTIONS] = "instructions",
                                                           [RECORD_LATENCY] = "latency_p99"};
    int pass = RECORD_TIME;
    while (pass + 1 < RECORD_PASS_COUNT && !plan_runs_pass(plan, (enum record_pass)pass)) {
        pass++;
    }
    (void)compare_show_run(directory, metrics[pass]);
}

/* Says what became of the run; its exit status. */
static int bench_conclude(const struct bench_options *options, struct store *store,
                          const char *directory, double seconds, bool interrupted, json_t *warnings,
                          struct error *error)
{
    struct bench_tally after;
    json_t *new_warnings = json_array();
    enum status status =
        bench_tally_read(directory, &after, interrupted ? NULL : new_warnings, error);
    if (status == STATUS_OK) {
        (void)json_array_extend(warnings, new_warnings);
        bench_report_end(&after, directory, seconds, interrupted, warnings, options->json);
        bench_warnings_print(new_warnings);
    }
    json_decref(new_warnings);
    if (status != STATUS_OK) {
        return bench_exit_status(status);
    }
    if (interrupted) {
        return EXIT_INTERRUPTED;
    }
    if (!options->json) {
        bench_compare(store_plan(store), directory);
    }
    return after.failed > 0 ? EXIT_PARTIAL : EXIT_CLEAN;
}

/* Runs the store's plan to its end and reports. */
static int bench_execute(const struct bench_options *options, const struct executor *executor,
                         struct store *store, const char *directory, double round_s,
                         struct error *error)
{
    uint64_t begin = clock_wall_ns();
    json_t *warnings = bench_warnings_before();
    bench_report_start(store_plan(store), directory, round_s);
    bench_warnings_print(warnings);
    enum status status = experiment_go_on(store, executor, round_s, error);
    int exit_status = bench_exit_status(status);
    if (status == STATUS_OK || status == STATUS_INTERRUPTED) {
        double seconds = (double)(clock_wall_ns() - begin) / 1e9;
        exit_status = bench_conclude(options, store, directory, seconds,
                                     status == STATUS_INTERRUPTED, warnings, error);
    }
    json_decref(warnings);
    return exit_status;
}

static int bench_run_options(const struct bench_options *options, struct registry *registry,
                             const struct executor *executor, const char *directory,
                             struct error *error)
{
    json_t *plan = NULL;
    struct store *store = NULL;
    double round_s = 0;
    enum status status = STATUS_OK;
    if (!options->resume || options->selective) {
        status = experiment_plan(&options->experiment, registry, executor, &plan, error);
    }
    if (status == STATUS_OK && options->dry_run) {
        bench_report_plan(plan, options->json);
        json_decref(plan);
        return EXIT_CLEAN;
    }
    if (status == STATUS_OK && options->resume) {
        status = experiment_resume(directory, plan, executor, &store, &round_s, error);
    } else if (status == STATUS_OK) {
        status = experiment_start(directory, plan, executor, &store, &round_s, error);
    }
    json_decref(plan);
    int exit_status = bench_exit_status(status);
    if (status == STATUS_OK) {
        exit_status = bench_execute(options, executor, store, directory, round_s, error);
    }
    store_close(store);
    return exit_status;
}

static char *bench_directory(const struct bench_options *options)
{
    if (options->directory != NULL) {
        return text_format("%s", options->directory);
    }
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    (void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    return text_format("results/bench-%s", stamp);
}

static int bench_execute_command(const struct invocation *invocation, void *arguments)
{
    struct bench_options *options = arguments;
    struct registry registry = {0};
    struct error error = {.message = ""};
    options->experiment.argc = invocation->argc;
    options->experiment.argv = invocation->argv;
    process_prepare_signals();
    enum status status = registry_open(&registry, &error);
    int exit_status = bench_exit_status(status);
    if (status == STATUS_OK) {
        struct worker_executor worker;
        char *directory = bench_directory(options);
        worker_executor_open(&worker, &registry);
        exit_status = bench_run_options(options, &registry, &worker.executor, directory, &error);
        worker_executor_close(&worker);
        free(directory);
    }
    if (error.message[0] != '\0' && exit_status != EXIT_CLEAN && exit_status != EXIT_PARTIAL &&
        error.status != STATUS_INTERRUPTED) {
        (void)fprintf(stderr, "heapmill: %s\n", error.message);
    }
    registry_close(&registry);
    return exit_status;
}
const struct command command_bench = {
    .name = "bench",
    .summary = "run a matrix of back ends and workloads",
    .synopses = (const char *const[]){"[OPTION…]", "--resume DIR", NULL},
    .description =
        "Runs a matrix of back ends and workloads, each cell in processes of its own, and leaves "
        "the records in a directory that `heapmill compare` and `heapmill plot` read. Without any "
        "choice it runs a small matrix of half a minute.\n"
        "\n"
        "Workers start with a clean environment: PATH, HOME and LANG, and what {…} gives. "
        "MALLOC_…, MIMALLOC_…, LD_PRELOAD and LD_LIBRARY_PATH of your shell do not reach them.",
    .options = bench_option_rows,
    .arguments_size = sizeof(struct bench_options),
    .check = bench_options_check,
    .examples = "heapmill bench -b 'mimalloc{MIMALLOC_PURGE_DELAY=0},./my.so' -w batch\n"
                "heapmill bench --matrix quick --dry-run",
    .exit_statuses = "0 clean; 2 wrong usage; 3 something that is needed is missing; 4 some cells "
                     "failed; 130 interrupted (go on with --resume)",
    .execute = bench_execute_command,
};
