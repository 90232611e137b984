#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/calibrate.h"
#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "results/stats/disturbance.h"
#include "results/store.h"
#include "run/calibration_file.h"

/* Each of these has its own workers, or its own times over the same worker, and so its own luck
 * with code layout. Absent ones are left out. */
static const char calibrate_backends[] =
    "malloc,pymalloc-3.10:inline,freelist-3.x:inline,mimalloc,pymalloc-256:inline,"
    "pymalloc-3.10:call,jemalloc,freelist-2.7:inline,pymalloc-3.7:inline,tcmalloc";

/* Twenty groups whose iterations are short: a hundred of them fit into the target time. */
static const char calibrate_workloads[] = "batch,churn,int_churn,list_growth,dict_build,str_concat";
static const char *const calibrate_parameters[] = {"batch.order=fifo,lifo,random",
                                                   "batch.size=32,128,400",
                                                   "batch.live=500",
                                                   "churn.live=2000,20000",
                                                   "churn.median=32,128",
                                                   "int_churn.live=200",
                                                   "int_churn.order=random,in_order",
                                                   "list_growth.live=2",
                                                   "list_growth.length=100,1000",
                                                   "dict_build.live=2",
                                                   "dict_build.length=100",
                                                   "dict_build.keys=int,str",
                                                   "str_concat.live=1",
                                                   "str_concat.length=1000"};

#define CALIBRATE_INTO(member) OPTION_INTO(struct calibrate_options, member)

static const struct option_row calibrate_option_rows[] = {
    {OPTION_TEXT, 'o', "output", "DIR", "directory for the runs", CALIBRATE_DIRECTORY,
     .candidates = OPTION_DIRECTORIES, CALIBRATE_INTO(directory)},
    {OPTION_NUMBER, 0, "runs", "N", "number of runs, each with 20 A/A pairs and 20 slowed cells",
     "10", .least = 1, .most = 1000, CALIBRATE_INTO(runs)},
    {OPTION_NUMBER, 0, "rounds", "N", "rounds of each run, as in bench", "40", .least = 6,
     .most = 10000, CALIBRATE_INTO(rounds)},
    {OPTION_TEXT, 0, "slowdowns", "LIST",
     "how much more work slowed cells do, in per cent; the cells take these values in turn", "5",
     CALIBRATE_INTO(slowdowns)},
    {OPTION_TEXT, 'b', "backends", "LIST", "the bases of the runs, in turn, as in bench",
     .shown = "ten", .candidates = CANDIDATES_BACKENDS, CALIBRATE_INTO(backends),
     .given = offsetof(struct calibrate_options, exact)},
    {OPTION_TEXT, 'w', "workloads", "LIST", "other groups, as in bench",
     .candidates = CANDIDATES_WORKLOADS, CALIBRATE_INTO(workloads)},
    {OPTION_LIST, 'p', "param", "N=V,V…", "other parameters, as in bench",
     CALIBRATE_INTO(parameters)},
    {OPTION_REAL, 0, "target-ms", "T",
     "timed part of a process. Iterations are a multiple of a hundred, so that 1% more is a whole "
     "number; long iterations therefore take longer",
     "8", .least = 1, .most = 60000, CALIBRATE_INTO(target_ms)},
    {OPTION_FLAG, 0, "one-layout", NULL, "as of bench", CALIBRATE_INTO(one_layout)},
    {OPTION_NUMBER, 0, "seed", "S", "seed of all random choices", "1", .most = INT32_MAX,
     CALIBRATE_INTO(seed)},
    {OPTION_FLAG, 0, "no-plot", NULL, "draw nothing", CALIBRATE_INTO(no_plot)},
    {SHARED_JSON(struct calibrate_options, json, "print calibration.json's object")},
    {.kind = OPTION_END},
};

/* Fills in what was not given. The default parameters come before the user's, since the last one of
 * a name counts. */
static enum status calibrate_fill_in(void *arguments, struct error *error)
{
    (void)error;
    struct calibrate_options *options = arguments;
    options->backends = options->exact ? options->backends : calibrate_backends;
    if (options->workloads != NULL) {
        return STATUS_OK;
    }
    struct text_list own = options->parameters;
    options->parameters = (struct text_list){0};
    options->workloads = calibrate_workloads;
    for (size_t i = 0; i < sizeof(calibrate_parameters) / sizeof(calibrate_parameters[0]); i++) {
        text_list_add(&options->parameters, text_format("%s", calibrate_parameters[i]));
    }
    for (size_t i = 0; i < own.count; i++) {
        text_list_add(&options->parameters, text_format("%s", own.items[i]));
    }
    text_list_free(&own);
    return STATUS_OK;
}

/* A calibration that is being made. */
struct calibration {
    const struct calibrate_options *options;
    struct registry *registry;
    struct text_list backends;
    json_t *runs;
    struct power power;
};

/* The directory of a run: its number and its back end, without '*', '/' and ':'. */
static char *calibrate_run_directory(const struct calibration *calibration, uint64_t number,
                                     const char *backend)
{
    char *directory = text_format("%s/run-%02" PRIu64 "-%s", calibration->options->directory,
                                  number + 1, backend);
    char *name = directory + strlen(calibration->options->directory) + 1;
    for (char *next = name; *next != '\0'; next++) {
        *next = strchr("*/:{}=,", *next) != NULL ? '-' : *next;
    }
    size_t length = strlen(directory);
    while (directory[length - 1] == '-') {
        directory[--length] = '\0';
    }
    return directory;
}

/* Counts the run's verdicts. */
static enum status calibrate_count(struct calibration *calibration, const char *directory,
                                   const char *backend, struct error *error)
{
    struct record_set *set = NULL;
    enum status status = store_load(directory, &set, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = power_add_run(&calibration->power, set, error);
    if (status == STATUS_OK) {
        uint32_t rounds = 0;
        for (size_t i = 0; i < set->group_count; i++) {
            rounds += set->groups[i].rounds;
        }
        (void)json_array_append_new(
            calibration->runs, json_pack("{ss ss sI sI sf}", "directory", directory, "backend",
                                         backend, "groups", (json_int_t)set->group_count, "rounds",
                                         (json_int_t)rounds, "disturbed", disturbance_share(set)));
    }
    record_set_free(set);
    return status;
}

/* Makes one run. If it is of a back end of the default list that is not here, that back end is
 * removed from the list. */
static enum status calibrate_one(struct calibration *calibration, uint64_t number,
                                 struct error *error)
{
    struct text_list *backends = &calibration->backends;
    enum status status = STATUS_UNSUPPORTED;
    while (status == STATUS_UNSUPPORTED && backends->count > 0) {
        size_t place = number % backends->count;
        const char *backend = backends->items[place];
        char *directory = calibrate_run_directory(calibration, number, backend);
        (void)fprintf(stderr, "heapmill: calibrate: run %" PRIu64 " of %" PRIu64 ", %s\n",
                      number + 1, calibration->options->runs, backend);
        status = calibrate_run(calibration->options, calibration->registry, number, backend,
                               directory, error);
        if (status == STATUS_OK) {
            status = calibrate_count(calibration, directory, backend, error);
        } else if (status == STATUS_UNSUPPORTED) {
            (void)fprintf(stderr, "heapmill: calibrate: left out: %s\n", error->message);
            free(backends->items[place]);
            memmove(&backends->items[place], &backends->items[place + 1],
                    (--backends->count - place) * sizeof(*backends->items));
        }
        free(directory);
    }
    return status;
}

/* Completes the calibration, and reports it. */
static enum status calibrate_all(struct calibration *calibration, struct error *error)
{
    enum status status = STATUS_OK;
    json_t *warnings = bench_warnings_before();
    bench_warnings_print(warnings);
    json_decref(warnings);
    for (size_t i = 0;
         i < calibration->backends.count && calibration->options->exact && status == STATUS_OK;
         i++) {
        status = calibrate_check(calibration->options, calibration->registry,
                                 calibration->backends.items[i], error);
    }
    for (uint64_t i = 0; i < calibration->options->runs && status == STATUS_OK; i++) {
        status = calibrate_one(calibration, i, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    json_t *json = calibrate_to_json(calibration->options, &calibration->power, calibration->runs);
    status = calibration_write(calibration->options->directory, json, error);
    if (!calibration->options->no_plot) {
        calibrate_draw(calibration->options, &calibration->power);
    }
    if (calibration->options->json) {
        json_print(json);
    } else {
        calibrate_print(json);
    }
    json_decref(json);
    return status;
}

static int calibrate_execute(const struct invocation *invocation, void *arguments)
{
    struct calibrate_options *options = arguments;
    struct registry registry = {0};
    struct error error = {.message = ""};
    options->argc = invocation->argc;
    options->argv = invocation->argv;
    process_prepare_signals();
    enum status status = registry_open(&registry, &error);
    struct calibration calibration = {
        .options = options, .registry = &registry, .runs = json_array()};
    if (status == STATUS_OK) {
        text_split(&calibration.backends, options->backends, ',');
        status = calibrate_all(&calibration, &error);
    }
    if (status == STATUS_INTERRUPTED) {
        (void)fprintf(stderr, "heapmill: interrupted; the same command continues\n");
    } else if (status != STATUS_OK) {
        (void)fprintf(stderr, "heapmill: %s\n", error.message);
    }
    uint32_t failed = calibration.power.failed;
    json_decref(calibration.runs);
    text_list_free(&calibration.backends);
    registry_close(&registry);
    return status == STATUS_OK && failed > 0 ? EXIT_PARTIAL : bench_exit_status(status);
}
const struct command command_calibrate = {
    .name = "calibrate",
    .summary = "measures how often verdicts are wrong here, and which differences are found",
    .description =
        "Measures how far verdicts can be trusted on this machine, with all of bench and compare. "
        "It counts how often identical programs are told apart (false positives, of A/A pairs), "
        "and how often a known slowdown is found (power): 5% more work, unless --slowdowns says "
        "otherwise. Each share has its exact 95% interval. docs/calibration.md says how to read "
        "the result.\n"
        "\n"
        "It makes several runs, each an ordinary result directory in DIR with its own back end as "
        "base. Then it writes DIR/calibration.json, which `heapmill doctor` reads if DIR is the "
        "default, and DIR/plots/power.*. If it is interrupted, the same command continues.",
    .options = calibrate_option_rows,
    .arguments_size = sizeof(struct calibrate_options),
    .check = calibrate_fill_in,
    .examples = "heapmill calibrate\n"
                "heapmill calibrate --slowdowns 2 --rounds 160 --runs 3 -o results/two-per-cent",
    .exit_statuses = "0 clean; 2 wrong usage; 3 something that is needed is missing; 4 some cells "
                     "failed; 130 interrupted",
    .execute = calibrate_execute,
};
