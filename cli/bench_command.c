#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench.h"
#include "cli/command.h"
#include "cli/compare.h"
#include "cli/shared_options.h"
#include "common/clock.h"
#include "common/host/process.h"
#include "common/passes.h"
#include "results/compare/before.h"
#include "results/store.h"
#include "run/cluster.h"
#include "run/experiment.h"
#include "run/plan.h"
#include "run/registry.h"
#include "run/worker_executor.h"

/* What --rounds auto is after unless --precision says otherwise: in the tables of this field,
 * differences below it are seldom worth an engineer's hour. */
static const double BENCH_PRECISION = 0.01;
static const double BENCH_TARGET_MS = 8;
enum { BENCH_ROUNDS_MAX = 100000 };

/* An option that decides what the plan is. */
#define BENCH_PLANS(member)                                                                        \
    OPTION_INTO(struct bench_options, member), .given = offsetof(struct bench_options, selective)

const struct option_row bench_option_rows[] = {
    {OPTION_TEXT, .placeholder = "DIR", .help = "with --resume: the run to go on with",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct bench_options, operand)},
    {OPTION_HEADING, .help = "what to run"},
    {OPTION_TEXT, 'b', "backends", "LIST",
     "['!']GLOB[:ARM][{NAME=VALUE,…}],…: names or globs of back ends; '!' takes away; {…} is the "
     "worker's environment; a path with a '/' is a library of your own that replaces malloc",
     .shown = "the matrix's", .candidates = CANDIDATES_BACKENDS, BENCH_PLANS(experiment.backends)},
    {OPTION_TEXT, 0, "arm", "LIST",
     "arms of those that name none: inline, call, call-sized, preload, preload-sized, or all",
     .shown = "preload where there is one, else the first", BENCH_PLANS(experiment.arms)},
    {OPTION_TEXT, 'w', "workloads", "LIST", "names or globs, '!' takes away",
     .shown = "the matrix's", .candidates = CANDIDATES_WORKLOADS,
     BENCH_PLANS(experiment.workloads)},
    {OPTION_LIST, 'p', "param", "N=V,V…",
     "values of a parameter, each combination a group of cells; WORKLOADS.N=V for some workloads "
     "only; N+M=V:W,V:W for values that go together; may be repeated",
     BENCH_PLANS(experiment.parameters)},
    {OPTION_TEXT, 0, "threads", "LIST",
     "how many threads the threaded workloads have, as 1,2,4, each number a group of cells; the "
     "other workloads have one",
     .shown = "the matrix's, else 1", BENCH_PLANS(experiment.threads)},
    {OPTION_TEXT, 0, "matrix", "NAME", "a named matrix; -b, -w, -p, --rounds… change it",
     .candidates = "list matrices --names", BENCH_PLANS(experiment.name)},
    {OPTION_TEXT, 0, "base", "B[:ARM]",
     "the back end that others are compared with; the A/A twins are copies of it",
     .shown = "malloc:preload, or the first", .candidates = CANDIDATES_BACKENDS,
     BENCH_PLANS(experiment.base)},
    {OPTION_TEXT, 0, "against", "REF|LIB",
     "compare with before, in the same rounds: each back end with itself at a git revision, which "
     "is built beside this tree, or the library of -b with an older one; prints one Markdown "
     "table, and exit status 1 says that something became worse",
     .candidates = OPTION_FILES, BENCH_PLANS(experiment.against)},
    {OPTION_HEADING, .help = "what to measure"},
    {OPTION_SET, 0, "metric", "LIST",
     "what is measured. Instructions are counted by valgrind's callgrind, are the same in every "
     "run, and cells of several threads have no such count. Some of",
     .shown = "time,memory; with --against instructions too", .words = pass_names,
     BENCH_PLANS(metrics)},
    {OPTION_FLAG, 0, "latency", NULL,
     "adds latency: single calls timed, for percentiles up to p99.99", BENCH_PLANS(latency)},
    {OPTION_NUMBER, 0, "latency-every", "N", "time one call in N, at random gaps", "16", .least = 1,
     .most = 1000000, BENCH_PLANS(experiment.latency_every)},
    {OPTION_FLAG, 0, "no-memory", NULL, "leaves out the memory pass", BENCH_PLANS(no_memory)},
    {OPTION_HEADING, .help = "how long"},
    {OPTION_TEXT, 0, "rounds", "N",
     "rounds of the time pass, or of the other passes where there is no time pass. Below 6 compare "
     "gives no verdict. auto: each group has rounds until its intervals are narrow enough, at "
     "least 10, at most 70 or what the budget allows",
     .shown = "the matrix's, else 40", BENCH_PLANS(rounds_text)},
    {OPTION_SHARE, 0, "precision", "P",
     "the precision that --rounds auto aims at: half of an interval's width", .shown = "1%",
     .least = 1e-4, .most = 1, BENCH_PLANS(experiment.precision)},
    {OPTION_SECONDS, 0, "budget", "TIME",
     "of the whole run, as 5m: links, calibration, the other passes (at most two fifths), and "
     "rounds "
     "for as long as they fit, at most --rounds",
     .shown = "the matrix's", BENCH_PLANS(experiment.budget_s)},
    {OPTION_FLAG, 0, "one-layout", NULL,
     "run workers as they were linked, not in links with their functions in other orders; "
     "intervals then do not contain code layout",
     BENCH_PLANS(experiment.one_layout)},
    {OPTION_REAL, 0, "target-ms", "T",
     "timed part of a process; iterations are set by it, once, for all back ends alike",
     .shown = "the matrix's, else 8", .least = 1, .most = 60000, BENCH_PLANS(experiment.target_ms)},
    {OPTION_SECONDS, 0, "timeout", "TIME", "kill a process that takes longer; its record says so",
     "60s", .most = 86400, BENCH_PLANS(experiment.timeout_s)},
    {OPTION_NUMBER, 0, "seed", "S", "seed of all random choices and of the order of the cells", "1",
     BENCH_PLANS(experiment.seed)},
    {OPTION_HEADING, .help = "where"},
    {OPTION_TEXT, 'o', "output", "DIR", "a new directory for the run",
     .shown = "results/bench-TIME", .candidates = OPTION_DIRECTORIES,
     OPTION_INTO(struct bench_options, directory)},
    {OPTION_FLAG, 0, "resume", NULL, "continue the run in DIR",
     OPTION_INTO(struct bench_options, resume)},
    {OPTION_CHOICE, 0, "engine", "ENGINE",
     "slurm: as an array of tasks on the cluster whose sbatch is here; DIR is on a file system "
     "that all of its nodes share. The same command goes on with a run that was cut short. One of",
     "local", .words = shared_engine_hosts, OPTION_INTO(struct bench_options, engine)},
    {SHARED_SBATCH(struct bench_options, sbatch)},
    {OPTION_NUMBER, 0, "tasks", "N", "with --engine slurm: into how many tasks the run is split",
     .shown = "of about ten minutes each", .least = 1, .most = SLURM_TASKS_MAX,
     OPTION_INTO(struct bench_options, tasks)},
    {SHARED_TASK(struct bench_options, task, is_task)},
    {OPTION_FLAG, 0, "dry-run", NULL, "print the plan and how long it will take, and run nothing",
     OPTION_INTO(struct bench_options, dry_run)},
    {SHARED_JSON(struct bench_options, json, "print the summary (or the plan) as JSON")},
    {.kind = OPTION_END},
};

static enum status bench_check_matrix(const char *name, struct error *error)
{
    if (name == NULL || matrix_find(name) != NULL) {
        return STATUS_OK;
    }
    struct text_list names = {0};
    for (size_t i = 0; matrix_table[i].name != NULL; i++) {
        text_list_add(&names, text_format("%s", matrix_table[i].name));
    }
    char *known = text_join(&names, ", ");
    (void)error_set(error, STATUS_INVALID, "--matrix %s: there is none of that name, only: %s",
                    name, known);
    free(known);
    text_list_free(&names);
    return STATUS_INVALID;
}

/* "N" or "auto", and what it has to do with --budget and --precision. */
static enum status bench_check_rounds(struct bench_options *options, struct error *error)
{
    const char *text = options->rounds_text != NULL ? options->rounds_text : "0";
    options->rounds_auto = options->rounds_auto || strcmp(text, "auto") == 0;
    if (!options->rounds_auto &&
        (!text_to_u64(text, &options->experiment.rounds) ||
         options->experiment.rounds > BENCH_ROUNDS_MAX ||
         (options->experiment.rounds == 0) != (options->rounds_text == NULL))) {
        return error_set(error, STATUS_INVALID,
                         "--rounds %s: it wants a number from 1 to %d, or auto", text,
                         BENCH_ROUNDS_MAX);
    }
    if (options->experiment.precision > 0 && !options->rounds_auto) {
        return error_set(error, STATUS_INVALID, "--precision goes with --rounds auto");
    }
    if (options->rounds_auto && options->experiment.precision <= 0) {
        options->experiment.precision = BENCH_PRECISION;
    }
    return STATUS_OK;
}

/* Takes --metric, --latency and --no-memory together. */
static enum status bench_choose_passes(struct bench_options *options, struct error *error)
{
    bool any = false;
    if (options->metrics == 0) {
        options->metrics = 1U << RECORD_TIME | 1U << RECORD_MEMORY |
                           (unsigned)(options->experiment.against != NULL) << RECORD_INSTRUCTIONS;
    }
    for (unsigned pass = 0; pass < RECORD_PASS_COUNT; pass++) {
        options->experiment.passes[pass] =
            ((options->metrics >> pass & 1) != 0 || (pass == RECORD_LATENCY && options->latency)) &&
            !(pass == RECORD_MEMORY && options->no_memory);
        any = any || options->experiment.passes[pass];
    }
    /* --rounds is of the time pass, and of the others where there is none. */
    bool others = !options->experiment.passes[RECORD_TIME] && options->experiment.rounds > 0;
    options->experiment.instruction_rounds =
        others ? options->experiment.rounds : BENCH_ROUNDS_INSTRUCTIONS;
    options->experiment.latency_rounds = others ? options->experiment.rounds : BENCH_ROUNDS_LATENCY;
    return any ? STATUS_OK
               : error_set(error, STATUS_INVALID, "--metric and --no-memory leave nothing to run");
}

/* What was not said comes from the matrix: the named one, or the default's where it is silent. */
static void bench_fill_in(struct bench_options *options)
{
    bool chosen = options->experiment.backends != NULL || options->experiment.workloads != NULL ||
                  options->experiment.parameters.count > 0 || options->experiment.arms != NULL;
    const struct matrix *matrix =
        matrix_find(options->experiment.name != NULL ? options->experiment.name : "default");
    bool named = options->experiment.name != NULL;
    if (!named) {
        options->experiment.name = chosen ? "custom" : matrix->name;
    }
    struct text_list own = options->experiment.parameters;
    options->experiment.parameters = (struct text_list){0};
    for (size_t i = 0; options->experiment.workloads == NULL && matrix->parameters[i] != NULL;
         i++) {
        text_list_add(&options->experiment.parameters, text_format("%s", matrix->parameters[i]));
    }
    for (size_t i = 0; i < own.count; i++) {
        text_list_add(&options->experiment.parameters, text_format("%s", own.items[i]));
    }
    text_list_free(&own);
    options->experiment.backends =
        options->experiment.backends != NULL ? options->experiment.backends : matrix->backends;
    options->experiment.workloads =
        options->experiment.workloads != NULL ? options->experiment.workloads : matrix->workloads;
    if (options->experiment.rounds == 0 && !options->rounds_auto &&
        options->experiment.budget_s <= 0) {
        options->experiment.rounds = named || !chosen ? matrix->rounds : BENCH_ROUNDS_STANDARD;
        options->experiment.rounds_heavy = named || !chosen ? matrix->rounds_heavy : 0;
        options->experiment.budget_s = named || !chosen ? matrix->budget_s : 0;
    }
    if (options->experiment.threads == NULL) {
        const char *threads = named || !chosen ? matrix->threads : NULL;
        options->experiment.threads = threads != NULL ? threads : "1";
    }
    bool asked = options->rounds_text != NULL && !options->experiment.passes[RECORD_TIME];
    bool figures_only =
        options->experiment.rounds > 0 && options->experiment.rounds < BENCH_ROUNDS_VERDICT;
    options->experiment.memory_rounds = asked          ? options->experiment.rounds
                                        : figures_only ? 1
                                                       : BENCH_ROUNDS_VERDICT;
    if (options->experiment.target_ms <= 0) {
        options->experiment.target_ms = named || !chosen ? matrix->target_ms : BENCH_TARGET_MS;
    }
}

static enum status bench_check_operand(struct bench_options *options, struct error *error)
{
    if (options->resume && options->directory == NULL) {
        options->directory = options->operand;
    } else if (options->operand != NULL) {
        return error_set(
            error, STATUS_INVALID,
            "bench takes no operand '%s': back ends are given with -b, workloads with -w, the "
            "directory with -o",
            options->operand);
    }
    if (options->resume && options->directory == NULL) {
        return error_set(error, STATUS_INVALID,
                         "--resume wants the directory of the run: heapmill bench --resume DIR");
    }
    if (options->is_task && !options->resume) {
        return error_set(error, STATUS_INVALID, "--task goes with --resume DIR");
    }
    if (options->resume && options->dry_run) {
        return error_set(error, STATUS_INVALID,
                         "--dry-run and --resume do not go together: leave one out");
    }
    return STATUS_OK;
}

enum status bench_options_check(void *arguments, struct error *error)
{
    struct bench_options *options = arguments;
    enum status status = bench_check_operand(options, error);
    if (status == STATUS_OK) {
        status = bench_check_matrix(options->experiment.name, error);
    }
    if (status == STATUS_OK) {
        status = bench_check_rounds(options, error);
    }
    if (status == STATUS_OK) {
        status = bench_choose_passes(options, error);
    }
    if (status == STATUS_OK) {
        bench_fill_in(options);
    }
    return status;
}

void bench_options_set_defaults(struct bench_options *options)
{
    struct error error;
    (void)options_parse(bench_option_rows, options, sizeof(*options), 0, NULL, &error);
}

/* heapmill bench: makes a plan, or takes up one, and runs it. */

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
static int bench_conclude(const struct bench_options *options, const json_t *plan,
                          const char *directory, double seconds, bool interrupted, json_t *warnings,
                          struct error *error)
{
    struct run_tally after;
    struct record_set *set = NULL;
    json_t *new_warnings = json_array();
    enum status status = store_load(directory, &set, error);
    if (status == STATUS_OK) {
        status = run_tally_read(set, &after, error);
    }
    if (status == STATUS_OK && !interrupted) {
        status = bench_warnings_after(set, new_warnings, error);
    }
    record_set_free(set);
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
    if (json_object_get(plan, "against") != NULL) {
        struct before_tally tally;
        status = before_show(directory, options->json ? NULL : stdout, &tally, error);
        return status != STATUS_OK  ? bench_exit_status(status)
               : tally.worse > 0    ? EXIT_FINDING
               : tally.unjudged > 0 ? EXIT_PARTIAL
                                    : EXIT_CLEAN;
    }
    if (!options->json) {
        bench_compare(plan, directory);
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
        exit_status = bench_conclude(options, store_plan(store), directory, seconds,
                                     status == STATUS_INTERRUPTED, warnings, error);
    }
    json_decref(warnings);
    return exit_status;
}

/* Runs the plan, or goes on with the directory's, on the cluster, and reports. */
static int bench_run_cluster(const struct bench_options *options, const json_t *plan,
                             const char *directory, struct error *error)
{
    const struct cluster_options asked = {&options->sbatch, (size_t)options->tasks};
    uint64_t begin = clock_wall_ns();
    json_t *merged = NULL;
    bool complete = false;
    enum status status = cluster_run(directory, plan, &asked, &merged, &complete, error);
    int exit_status = bench_exit_status(status);
    if (merged != NULL && (status == STATUS_OK || status == STATUS_INTERRUPTED)) {
        json_t *warnings = json_array();
        double seconds = (double)(clock_wall_ns() - begin) / 1e9;
        exit_status = bench_conclude(options, merged, directory, seconds,
                                     status == STATUS_INTERRUPTED, warnings, error);
        json_decref(warnings);
    }
    json_decref(merged);
    return exit_status == EXIT_CLEAN && !complete ? EXIT_PARTIAL : exit_status;
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
    if (status == STATUS_OK && options->is_task) {
        return bench_exit_status(
            cluster_run_task(directory, (size_t)options->task, executor, error));
    }
    if (status == STATUS_OK && (strcmp(options->engine, "slurm") == 0 ||
                                (options->resume && cluster_is_there(directory)))) {
        int ended = bench_run_cluster(options, plan, directory, error);
        json_decref(plan);
        return ended;
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
    .summary = "runs a matrix of back ends and workloads",
    .synopses = (const char *const[]){"[OPTION…]", "--resume DIR", NULL},
    .description =
        "Runs a matrix of back ends and workloads, each cell in its own processes, and writes the "
        "records to a directory that `heapmill compare` and `heapmill plot` read. Without options "
        "it runs a small matrix, which takes half a minute.\n"
        "\n"
        "Workers start with a clean environment: PATH, HOME and LANG, and what {…} gives. "
        "MALLOC_…, MIMALLOC_…, LD_PRELOAD and LD_LIBRARY_PATH of your shell do not reach them.",
    .options = bench_option_rows,
    .arguments_size = sizeof(struct bench_options),
    .check = bench_options_check,
    .examples = "heapmill bench -b 'mimalloc{MIMALLOC_PURGE_DELAY=0},./my.so' -w batch\n"
                "heapmill bench -b ./libmine.so --against ./old/libmine.so\n"
                "heapmill bench --matrix quick --dry-run",
    .exit_statuses = "0 clean; 1 --against found something that became worse; 2 wrong usage; 3 "
                     "something that is needed is missing; 4 some cells "
                     "failed; 130 interrupted (go on with --resume)",
    .execute = bench_execute_command,
};
