/* heapmill compare: the table of a run's figures against a base, or the same as JSON. */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/compare.h"
#include "cli/compare_gate.h"
#include "cli/shared_options.h"
#include "common/host/text.h"
#include "results/compare/comparison.h"
#include "results/compare/report.h"
#include "results/store.h"

struct compare_arguments {
    struct comparison_options options;
    struct base_option base;
    const char *directory;
    const char *second;         /* NULL, or it is the new run and the directory is its base */
    const char *base_directory; /* NULL: one run, against a base in it */
    struct compare_bars bars;
    bool relative;
    bool all_metrics;
    bool json;
};

static const struct option_row compare_options[] = {
    {SHARED_RUN_DIRECTORY(struct compare_arguments, directory)},
    {OPTION_TEXT, .placeholder = "NEW_DIR", .candidates = OPTION_DIRECTORIES,
     .help = "another run, whose cells are compared with the same cells of DIR",
     OPTION_INTO(struct compare_arguments, second)},
    {OPTION_HEADING, .help = "what is compared with what"},
    {SHARED_BASE(struct compare_arguments, base)},
    {OPTION_TEXT, 0, "vary", "PARAM=VALUE",
     "compare each cell with its own back end's cell in which the parameter has this value: what "
     "the parameter costs, as in --vary heap=aged",
     OPTION_INTO(struct compare_arguments, options.vary)},
    {OPTION_TEXT, 0, "best-of", "GLOBS",
     "compare each cell with the best of these in its row, as in --best-of '*:preload,!mine*'; the "
     "best is picked by the even rounds and judged by the odd ones, so that luck has no part in it",
     .candidates = CANDIDATES_BACKENDS, OPTION_INTO(struct compare_arguments, options.best_of)},
    {OPTION_FLAG, 0, "relative", NULL,
     "of two runs: compare the ratios to each run's base, which takes out what made a whole run "
     "faster or slower: another machine, a warmer one",
     OPTION_INTO(struct compare_arguments, relative)},
    {SHARED_WORKLOAD_GLOBS(struct compare_arguments, options.workloads)},
    {SHARED_BACKEND_GLOBS(struct compare_arguments, options.backends)},
    {OPTION_TEXT, 0, "metric", "METRIC",
     "one of those that `heapmill list metrics` shows, as time, held_peak, instructions, "
     "latency_p99 or pause_max; or all",
     .shown = "the first that was measured", .candidates = CANDIDATES_METRICS,
     OPTION_INTO(struct compare_arguments, options.metric)},
    {OPTION_HEADING, .help = "what comes out"},
    {OPTION_PERCENT, 0, "fail-above", "PCT",
     "exit 1 if a cell got worse by more than so many per cent: its whole interval lies above, and "
     "its verdict stands",
     .given = offsetof(struct compare_arguments, bars.gated),
     OPTION_INTO(struct compare_arguments, bars.above)},
    {OPTION_REAL, 0, "bar-mean", "RATIO",
     "exit 1 unless each geometric mean is at most this, by the upper end of its interval",
     .least = 0, .most = 1e6, OPTION_INTO(struct compare_arguments, bars.mean)},
    {OPTION_REAL, 0, "bar-cell", "RATIO", "the same of each cell", .least = 0, .most = 1e6,
     OPTION_INTO(struct compare_arguments, bars.cell)},
    {SHARED_SEED(struct compare_arguments, options.seed,
                 "of the resampling behind the means' intervals")},
    {SHARED_JSON(struct compare_arguments, json,
                 "the object that results/FORMAT.md describes, on standard output")},
    {.kind = OPTION_END},
};

static enum status compare_check(void *arguments, struct error *error)
{
    struct compare_arguments *asked = arguments;
    struct comparison_options *options = &asked->options;
    bool two = asked->second != NULL;
    asked->base_directory = two ? asked->directory : NULL;
    asked->directory = two ? asked->second : asked->directory;
    options->base_backend = asked->base.backend;
    options->base_arm = asked->base.arm;
    asked->all_metrics = options->metric != NULL && strcmp(options->metric, "all") == 0;
    if (options->vary != NULL &&
        (strcspn(options->vary, "=") == 0 || strchr(options->vary, '=') == NULL)) {
        return error_set(error, STATUS_INVALID, "--vary %s: it wants PARAMETER=VALUE",
                         options->vary);
    }
    const char *wrong = asked->relative && !two ? "--relative is for two runs"
                        : options->vary != NULL && (two || options->base_backend != NULL)
                            ? "--vary is for one run, and without --base"
                        : options->best_of != NULL &&
                                (two || options->base_backend != NULL || options->vary != NULL)
                            ? "--best-of is for one run, and without --base and --vary"
                        : two && options->base_backend != NULL && !asked->relative
                            ? "--base with two runs needs --relative"
                            : NULL;
    return wrong == NULL ? STATUS_OK : error_set(error, STATUS_INVALID, "%s", wrong);
}

static int compare_print_json(struct comparison *const *comparisons, size_t count)
{
    json_t *json = comparison_to_json(comparisons, count);
    int failed = json == NULL || json_dumpf(json, stdout, JSON_INDENT(1)) != 0;
    json_decref(json);
    if (failed) {
        (void)fputs("heapmill compare: the JSON could not be written\n", stderr);
        return EXIT_ENVIRONMENT;
    }
    (void)putchar('\n');
    return EXIT_CLEAN;
}

static int compare_print(const struct compare_arguments *arguments,
                         struct comparison *const *comparisons, size_t count)
{
    bool failed = false;
    if (arguments->json) {
        int status = compare_print_json(comparisons, count);
        if (status != EXIT_CLEAN) {
            return status;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!arguments->json) {
            (void)fputs(i > 0 ? "\n\n" : "", stdout);
            struct document *document = document_new();
            comparison_report(comparisons[i], document);
            document_show(document);
        }
        failed = failed || comparisons[i]->failed_cells > 0;
    }
    if (failed) {
        (void)fputs(
            "heapmill compare: some cells failed and have no figures; the stderr member of their "
            "records in records.jsonl says why\n",
            stderr);
    }
    int gate = compare_gate(comparisons, count, &arguments->bars, stderr);
    return gate == EXIT_CLEAN && failed ? EXIT_PARTIAL : gate;
}

static void compare_warn(const struct comparison *comparison)
{
    size_t index;
    json_t *sentence;
    json_array_foreach(comparison->differences, index, sentence)
    {
        (void)fprintf(stderr, "heapmill compare: warning: %s\n", json_string_value(sentence));
    }
}

static enum status compare_build(const struct compare_arguments *arguments,
                                 const struct record_set *base_set, const struct record_set *set,
                                 const char *metric, struct comparison **comparison,
                                 struct error *error)
{
    struct comparison_run_options options = {arguments->options, arguments->relative};
    options.common.metric = metric;
    options.common.before = base_set == NULL && options.common.base_backend == NULL &&
                            options.common.vary == NULL && options.common.best_of == NULL &&
                            comparison_has_before(set);
    return base_set != NULL ? comparison_build_runs(base_set, set, &options, comparison, error)
                            : comparison_build(set, &options.common, comparison, error);
}

/* Has the run a record of the pass? Of none there is nothing to compare but absences. */
static bool compare_has_pass(const struct record_set *set, enum record_pass pass)
{
    for (size_t i = 0; set != NULL && i < set->record_count; i++) {
        if (set->records[i].pass == pass) {
            return true;
        }
    }
    return set == NULL;
}

/* Without --metric: the first in the table that was measured. */
static const char *compare_first_metric(const struct record_set *set)
{
    const struct metric *metric = metric_table;
    while (metric->name != NULL && !compare_has_pass(set, metric->pass)) {
        metric++;
    }
    return metric->name;
}

/* The comparisons that were asked for: of one metric, or of each. base_set is NULL for one run. */
static int compare_sets(const struct invocation *invocation,
                        const struct compare_arguments *arguments,
                        const struct record_set *base_set, const struct record_set *set)
{
    struct comparison *comparisons[METRICS_MAX] = {NULL};
    struct error error;
    size_t count = 0;
    enum status status = STATUS_OK;
    if (!arguments->all_metrics) {
        const char *asked = arguments->options.metric;
        status = compare_build(arguments, base_set, set,
                               asked != NULL ? asked : compare_first_metric(set),
                               &comparisons[count++], &error);
    }
    for (const struct metric *metric = metric_table;
         arguments->all_metrics && metric->name != NULL && status == STATUS_OK; metric++) {
        bool measured =
            compare_has_pass(set, metric->pass) && compare_has_pass(base_set, metric->pass);
        if (measured && (metric->presence != METRIC_OPTIONAL || metric_is_measured(metric, set))) {
            status = compare_build(arguments, base_set, set, metric->name, &comparisons[count++],
                                   &error);
        }
    }
    if (status == STATUS_OK && count == 0) {
        status = error_set(&error, STATUS_NOT_FOUND, "there are no records to compare yet");
    }
    if (status == STATUS_OK) {
        compare_warn(comparisons[0]);
    }
    int result = status == STATUS_OK ? compare_print(arguments, comparisons, count)
                                     : command_fail(invocation, &error);
    for (size_t i = 0; i < count; i++) {
        comparison_free(comparisons[i]);
    }
    return result;
}

static enum status compare_load(const char *directory, struct record_set **set, struct error *error)
{
    enum status status = store_load(directory, set, error);
    for (size_t i = 0; status == STATUS_OK && i < (*set)->note_count; i++) {
        (void)fprintf(stderr, "heapmill compare: note: %s\n", (*set)->notes[i]);
    }
    return status;
}

static int compare_execute(const struct invocation *invocation, void *arguments)
{
    const struct compare_arguments *asked = arguments;
    struct record_set *set = NULL;
    struct record_set *base_set = NULL;
    struct error error;
    enum status status = compare_load(asked->directory, &set, &error);
    if (status == STATUS_OK && asked->base_directory != NULL) {
        status = compare_load(asked->base_directory, &base_set, &error);
    }
    int result = status == STATUS_OK ? compare_sets(invocation, asked, base_set, set)
                                     : command_fail(invocation, &error);
    record_set_free(base_set);
    record_set_free(set);
    return result;
}

int compare_show_run(const char *directory, const char *metric)
{
    struct compare_arguments arguments = {.directory = directory,
                                          .options = {.metric = metric, .seed = 1}};
    const struct invocation invocation = {.command = &command_compare, .path = "heapmill compare"};
    return compare_execute(&invocation, &arguments);
}

const struct command command_compare = {
    .name = "compare",
    .summary = "prints the table of a run: ratios to a base, with intervals and verdicts",
    .synopses =
        (const char *const[]){"DIR [--base BACKEND[:ARM] | --vary PARAM=VALUE | --best-of GLOBS] "
                              "[OPTION…]",
                              "DIR NEW_DIR [--relative [--base BACKEND[:ARM]]] [OPTION…]", NULL},
    .description =
        "Compares the cells of a run with those of a base back end, by pairs of the same round: "
        "the ratio (below 1: less than the base) with its 95% interval, and a verdict where the "
        "interval lies beyond the noise floor that identical pairs have shown. Geometric means "
        "come last.\n"
        "\n"
        "With two directories each cell of NEW_DIR is compared with the same cell of DIR (before "
        "and after a change, or two machines). Their rounds are not paired: ratio and interval are "
        "Hodges and Lehmann's. What else differs (CPU, kernel, compiler, iterations) is warned of.",
    .options = compare_options,
    .arguments_size = sizeof(struct compare_arguments),
    .check = compare_check,
    .examples = "heapmill compare run --metric held_peak\n"
                "heapmill compare before after --metric instructions --fail-above 0.1%",
    .exit_statuses = "0 clean; 1 --fail-above found a cell, or a bar is not met; 2 wrong usage; 3 "
                     "the files cannot be read; 4 some cells failed, or could not be judged",
    .execute = compare_execute,
};
