/* heapmill bench: makes a plan, or takes up one, and runs it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench_options.h"
#include "cli/bench_report.h"
#include "cli/bench_steps.h"
#include "cli/bench_warnings.h"
#include "cli/command.h"
#include "cli/compare.h"
#include "common/clock.h"
#include "common/host/process.h"
#include "results/store.h"
#include "run/callgrind.h"
#include "run/catalog.h"
#include "run/plan.h"
#include "run/preflight.h"
#include "run/registry.h"
#include "run/rounds.h"
#include "run/selection.h"

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

/* The index of the base among the choices: --base, else malloc:preload, else the first. */
static enum status bench_choose_base(const struct experiment *experiment,
                                     struct selection *selection, struct registry *registry,
                                     size_t *base, struct error *error)
{
    *base = 0;
    if (experiment->base != NULL) {
        return selection_require(selection, registry, experiment->base, base, error);
    }
    for (size_t i = selection->choice_count; i-- > 0;) {
        const struct selection_choice *choice = &selection->choices[i];
        if (strcmp(choice->backend->name, "malloc") == 0 && strcmp(choice->arm, "preload") == 0 &&
            json_object_size(choice->env) == 0) {
            *base = i;
        }
    }
    return STATUS_OK;
}

/* Puts valgrind's version into the plan, or says that there is none before time is spent. */
static enum status bench_note_valgrind(json_t *plan, const struct registry *registry,
                                       struct error *error)
{
    char *path;
    char *version;
    enum status status = callgrind_find(registry, &path, &version, error);
    if (status == STATUS_OK) {
        (void)json_object_set_new(plan, "valgrind", json_string(version));
    }
    free(path);
    free(version);
    return status;
}

enum status bench_make_plan(const struct experiment *experiment, struct registry *registry,
                            json_t **plan, struct error *error)
{
    struct selection selection = {0};
    struct catalog catalog = {0};
    size_t base = 0;
    enum status status =
        selection_add_backends(&selection, registry, experiment->backends, experiment->arms, error);
    if (status == STATUS_OK) {
        status = catalog_open(&catalog, registry, error);
        status = status == STATUS_NOT_FOUND ? STATUS_UNSUPPORTED : status;
    }
    if (status == STATUS_OK) {
        status = selection_apply_collectors(&selection, &catalog, &experiment->parameters, error);
    }
    if (status == STATUS_OK) {
        status = bench_choose_base(experiment, &selection, registry, &base, error);
    }
    if (status == STATUS_OK) {
        status = selection_set_threads(&selection, experiment->threads, error);
    }
    if (status == STATUS_OK) {
        status = selection_add_workloads(&selection, &catalog, experiment->workloads,
                                         &experiment->parameters, error);
    }
    if (status == STATUS_OK) {
        bool probes = experiment->passes[RECORD_MEMORY] || experiment->passes[RECORD_LATENCY];
        status = preflight_selection(&selection, registry, probes, error);
    }
    if (status == STATUS_OK) {
        /* Again, as some may have been left out. */
        status = bench_choose_base(experiment, &selection, registry, &base, error);
    }
    if (status == STATUS_OK) {
        *plan = plan_build(experiment, registry, &selection, base);
    }
    if (status == STATUS_OK && experiment->passes[RECORD_INSTRUCTIONS]) {
        status = bench_note_valgrind(*plan, registry, error);
    }
    catalog_close(&catalog);
    selection_free(&selection);
    return status;
}

/* Refuses a directory with a run in it before time is spent on calibration; store_create decides.
 */
static enum status bench_check_directory(const char *directory, struct error *error)
{
    char *plan = text_format("%s/plan.json", directory);
    enum status status = STATUS_OK;
    if (access(plan, F_OK) == 0) {
        status = error_set(
            error, STATUS_INVALID,
            "%s has a run already: go on with it (heapmill bench --resume %s), or give another "
            "directory with -o",
            directory, directory);
    } else if (errno == ENOTDIR || (access(directory, F_OK) == 0 && access(directory, W_OK) != 0)) {
        status = error_set(error, STATUS_IO, "%s: %m: give another directory with -o", directory);
    }
    free(plan);
    return status;
}

enum status bench_start(const struct registry *registry, const char *directory, json_t *plan,
                        struct store **store, double *round_s, struct error *error)
{
    enum status status = bench_check_directory(directory, error);
    if (status == STATUS_OK) {
        if (isatty(STDERR_FILENO) == 1) {
            (void)fprintf(stderr, "heapmill: calibrating %zu groups…\n", plan_count_groups(plan));
        }
        status = plan_calibrate(plan, registry, round_s, error);
    }
    return status == STATUS_OK ? store_create(directory, plan, store, error) : status;
}

enum status bench_resume(const char *directory, const json_t *wanted,
                         const struct registry *registry, struct store **store, struct error *error)
{
    enum status status = store_resume(directory, store, error);
    if (status != STATUS_OK) {
        return status;
    }
    const json_t *plan = store_plan(*store);
    status = wanted != NULL ? plan_compare(plan, wanted, error) : STATUS_OK;
    if (status == STATUS_OK) {
        status = plan_check_host(plan, error);
    }
    if (status == STATUS_OK) {
        status = preflight_plan(plan, registry, error);
    }
    if (status == STATUS_OK && store_interrupted_count(*store) > 0) {
        (void)fprintf(stderr,
                      "heapmill: %s: the group that was cut short runs again; its %llu records are "
                      "in interrupted.jsonl\n",
                      directory, (unsigned long long)store_interrupted_count(*store));
    }
    return status;
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

/* The path of valgrind where the plan needs one, else NULL. */
static enum status bench_find_valgrind(const json_t *plan, const struct registry *registry,
                                       char **valgrind, struct error *error)
{
    char *version = NULL;
    *valgrind = NULL;
    enum status status = STATUS_OK;
    if (plan_runs_pass(plan, RECORD_INSTRUCTIONS)) {
        status = callgrind_find(registry, valgrind, &version, error);
    }
    free(version);
    return status;
}

enum status bench_go_on(struct store *store, const struct registry *registry, const char *directory,
                        double round_s, struct error *error)
{
    struct bench_tally before;
    char *valgrind = NULL;
    enum status status = bench_find_valgrind(store_plan(store), registry, &valgrind, error);
    if (status == STATUS_OK) {
        status = bench_tally_read(directory, &before, NULL, error);
    }
    if (status == STATUS_OK) {
        if (before.rounds > 0) {
            round_s = before.elapsed_s / (double)before.rounds;
        }
        status = bench_run(store, registry, valgrind, round_s, before.elapsed_s, error);
    }
    free(valgrind);
    return status;
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
static int bench_execute(const struct bench_options *options, const struct registry *registry,
                         struct store *store, const char *directory, double round_s,
                         struct error *error)
{
    uint64_t begin = clock_wall_ns();
    json_t *warnings = bench_warnings_before();
    bench_report_start(store_plan(store), directory, round_s);
    bench_warnings_print(warnings);
    enum status status = bench_go_on(store, registry, directory, round_s, error);
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
                             const char *directory, struct error *error)
{
    json_t *plan = NULL;
    struct store *store = NULL;
    double round_s = 0;
    enum status status = STATUS_OK;
    if (!options->resume || options->selective) {
        status = bench_make_plan(&options->experiment, registry, &plan, error);
    }
    if (status == STATUS_OK && options->dry_run) {
        bench_report_plan(plan, options->json);
        json_decref(plan);
        return EXIT_CLEAN;
    }
    if (status == STATUS_OK && options->resume) {
        status = bench_resume(directory, plan, registry, &store, error);
        round_s = status == STATUS_OK ? plan_estimate_round_s(store_plan(store), RECORD_TIME) : 0;
    } else if (status == STATUS_OK) {
        status = bench_start(registry, directory, plan, &store, &round_s, error);
    }
    json_decref(plan);
    int exit_status = bench_exit_status(status);
    if (status == STATUS_OK) {
        exit_status = bench_execute(options, registry, store, directory, round_s, error);
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
        char *directory = bench_directory(options);
        exit_status = bench_run_options(options, &registry, directory, &error);
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
