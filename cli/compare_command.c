/* heapmill compare: the table of a run's figures against a base, or the same as JSON. */
#include <getopt.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/base_option.h"
#include "cli/command.h"
#include "cli/compare_gate.h"
#include "cli/compare_table.h"
#include "common/host/text.h"
#include "results/compare/comparison.h"
#include "results/store.h"

enum { COMPARE_METRICS_MAX = 32 };

struct compare_arguments {
    struct comparison_options options;
    const char *directory;
    const char *base_directory; /* NULL: one run, against a base in it */
    double fail_above;          /* 0.01 is 1%; below 0: no gate */
    bool relative;
    char base[BASE_OPTION_MAX]; /* what the options' base is a part of */
    bool all_metrics;
    bool json;
};

static const char compare_usage[] =
    "usage: heapmill compare DIR [--base BACKEND[:ARM] | --vary PARAM=VALUE] [OPTION…]\n"
    "       heapmill compare BASE_DIR NEW_DIR [--relative [--base BACKEND[:ARM]]] [OPTION…]\n"
    "\n"
    "Compares the cells of the run in DIR with those of a base back end, by pairs of the same "
    "round: the\n"
    "ratio (below 1: less than the base) with its 95% interval, and a verdict where the interval "
    "lies\n"
    "beyond the noise floor that identical pairs have shown. Geometric means come last.\n"
    "\n"
    "With two directories each cell of NEW_DIR is compared with the same cell of BASE_DIR (before "
    "and\n"
    "after a change, or two machines). Their rounds are not paired: ratio and interval are Hodges "
    "and\n"
    "Lehmann's. What else differs (CPU, kernel, compiler, iterations) is warned of.\n"
    "\n"
    "  --base BACKEND[:ARM]    compare with this one (default: the run's own base)\n"
    "  --vary PARAM=VALUE      compare each cell with its own back end's cell in which the "
    "parameter has\n"
    "                          this value: what the parameter costs, as in --vary heap=aged\n"
    "  --relative              of two runs: compare the ratios to each run's base, which takes out "
    "what\n"
    "                          made a whole run faster or slower: another machine, a warmer one\n"
    "  --fail-above PCT        exit 1 if a cell got worse by more than so many percent: its whole\n"
    "                          interval lies above, and its verdict stands\n"
    "  --metric METRIC         time (default), held_peak, rss_peak, held_over_live,\n"
    "                          instructions; latency_p50, _p99, _p99.9, _p99.99 of allocations,\n"
    "                          latency_free_p50, _p99, _p99.9, latency_resize_p99; of collectors\n"
    "                          collector_cost, pause_p99, pause_max, pause_visited, pause_share,\n"
    "                          floating_peak, floating_age; or all\n"
    "  -w, --workload GLOBS    only these workloads, as in 'batch*,!pingpong'\n"
    "  -b, --backend GLOBS     only these back ends, as in 'pymalloc*:call,mimalloc,!tbb*'\n"
    "  --seed N                of the resampling behind the means' intervals (default 1)\n"
    "  --json                  the object that results/FORMAT.md describes, on standard output\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0; 1 --fail-above found a cell; 2 wrong usage; 3 the files cannot be read; 4 "
    "some\n"
    "cells failed, or --fail-above could not judge some\n";

enum compare_option {
    OPTION_BASE = 256,
    OPTION_METRIC,
    OPTION_SEED,
    OPTION_JSON,
    OPTION_RELATIVE,
    OPTION_VARY,
    OPTION_FAIL_ABOVE
};

static const struct option compare_options[] = {
    {"base", required_argument, NULL, OPTION_BASE},
    {"metric", required_argument, NULL, OPTION_METRIC},
    {"workload", required_argument, NULL, 'w'},
    {"backend", required_argument, NULL, 'b'},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"json", no_argument, NULL, OPTION_JSON},
    {"relative", no_argument, NULL, OPTION_RELATIVE},
    {"vary", required_argument, NULL, OPTION_VARY},
    {"fail-above", required_argument, NULL, OPTION_FAIL_ABOVE},
    {0},
};

static int compare_refuse(const char *what, const char *argument)
{
    (void)fprintf(stderr, "heapmill compare: %s%s%s; `heapmill compare --help` shows the usage\n",
                  what, argument != NULL ? " " : "", argument != NULL ? argument : "");
    return EXIT_USAGE;
}

/* "1%", "0.5" or "0": percent, of which 100 are 1. */
static bool compare_set_gate(struct compare_arguments *arguments, const char *text)
{
    char number[64];
    double percent = -1;
    size_t length = strlen(text);
    length -= length > 0 && text[length - 1] == '%';
    if (length == 0 || length >= sizeof(number)) {
        return false;
    }
    memcpy(number, text, length);
    number[length] = '\0';
    bool known = text_to_double(number, &percent) && percent >= 0;
    arguments->fail_above = percent / 100;
    return known;
}

/* One option; an exit status, or EXIT_CLEAN to go on. */
static int compare_take_option(struct compare_arguments *arguments, int option, char **argv)
{
    switch (option) {
    case OPTION_BASE:
        return base_option_cut(optarg, arguments->base, &arguments->options.base_backend,
                               &arguments->options.base_arm)
                   ? EXIT_CLEAN
                   : compare_refuse("--base takes BACKEND or BACKEND:ARM, not", optarg);
    case OPTION_METRIC:
        arguments->all_metrics = strcmp(optarg, "all") == 0;
        arguments->options.metric = arguments->all_metrics ? NULL : optarg;
        return EXIT_CLEAN;
    case OPTION_SEED:
        return text_to_u64(optarg, &arguments->options.seed) &&
                       arguments->options.seed <= INT64_MAX /* what JSON integers hold here */
                   ? EXIT_CLEAN
                   : compare_refuse("--seed takes a whole number, not", optarg);
    case OPTION_JSON:
        arguments->json = true;
        return EXIT_CLEAN;
    case OPTION_RELATIVE:
        arguments->relative = true;
        return EXIT_CLEAN;
    case OPTION_VARY:
        arguments->options.vary = optarg;
        return strcspn(optarg, "=") > 0 && strchr(optarg, '=') != NULL
                   ? EXIT_CLEAN
                   : compare_refuse("--vary takes PARAMETER=VALUE, not", optarg);
    case OPTION_FAIL_ABOVE:
        return compare_set_gate(arguments, optarg)
                   ? EXIT_CLEAN
                   : compare_refuse("--fail-above takes percent, as in 1%, not", optarg);
    case 'w':
        arguments->options.workloads = optarg;
        return EXIT_CLEAN;
    case 'b':
        arguments->options.backends = optarg;
        return EXIT_CLEAN;
    case ':':
        return compare_refuse("a value is missing after", argv[optind - 1]);
    default:
        return compare_refuse("unknown option", argv[optind - 1]);
    }
}

static int compare_parse(int argc, char **argv, struct compare_arguments *arguments)
{
    int option;
    *arguments = (struct compare_arguments){.options = {.seed = 1}, .fail_above = -1};
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":w:b:", compare_options, NULL)) != -1) {
        int status = compare_take_option(arguments, option, argv);
        if (status != EXIT_CLEAN) {
            return status;
        }
    }
    if (optind == argc) {
        return compare_refuse("say which run: the directory that `heapmill bench -o DIR` made",
                              NULL);
    }
    bool two = optind + 2 == argc;
    arguments->directory = argv[optind + two];
    arguments->base_directory = two ? argv[optind] : NULL;
    if (optind + 2 < argc) {
        return compare_refuse("one run or two, and not", argv[optind + 2]);
    }
    if (arguments->relative && !two) {
        return compare_refuse("--relative is for two runs", NULL);
    }
    if (arguments->options.vary != NULL && (two || arguments->options.base_backend != NULL)) {
        return compare_refuse("--vary is of one run, and without --base", NULL);
    }
    if (two && arguments->options.base_backend != NULL && !arguments->relative) {
        return compare_refuse("--base with two runs needs --relative", NULL);
    }
    return EXIT_CLEAN;
}

static int compare_fail(const struct error *error)
{
    (void)fprintf(stderr, "heapmill compare: %s\n", error->message);
    bool usage = error->status == STATUS_INVALID || error->status == STATUS_NOT_FOUND;
    return usage ? EXIT_USAGE : EXIT_ENVIRONMENT;
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
            compare_table_print(comparisons[i], stdout);
        }
        failed = failed || comparisons[i]->failed_cells > 0;
    }
    if (failed) {
        (void)fputs(
            "heapmill compare: some cells failed and have no figures; the stderr member of their "
            "records in records.jsonl says why\n",
            stderr);
    }
    int gate = arguments->fail_above < 0
                   ? EXIT_CLEAN
                   : compare_gate(comparisons, count, arguments->fail_above, stderr);
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
    const struct comparison_metric *metric = comparison_metrics;
    while (metric->name != NULL && !compare_has_pass(set, metric->pass)) {
        metric++;
    }
    return metric->name;
}

/* The comparisons that were asked for: of one metric, or of each. base_set is NULL for one run. */
static int compare_sets(const struct compare_arguments *arguments,
                        const struct record_set *base_set, const struct record_set *set)
{
    struct comparison *comparisons[COMPARE_METRICS_MAX] = {NULL};
    struct error error;
    size_t count = 0;
    enum status status = STATUS_OK;
    if (!arguments->all_metrics) {
        const char *asked = arguments->options.metric;
        status = compare_build(arguments, base_set, set,
                               asked != NULL ? asked : compare_first_metric(set),
                               &comparisons[count++], &error);
    }
    for (const struct comparison_metric *metric = comparison_metrics;
         arguments->all_metrics && metric->name != NULL && status == STATUS_OK; metric++) {
        bool measured =
            compare_has_pass(set, metric->pass) && compare_has_pass(base_set, metric->pass);
        if (measured && (!metric->of_collector || comparison_is_measured(set, metric))) {
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
    int result =
        status == STATUS_OK ? compare_print(arguments, comparisons, count) : compare_fail(&error);
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

static int compare_run(int argc, char **argv)
{
    struct compare_arguments arguments;
    struct record_set *set = NULL;
    struct record_set *base_set = NULL;
    struct error error;
    int result = compare_parse(argc, argv, &arguments);
    if (result != EXIT_CLEAN) {
        return result;
    }
    enum status status = compare_load(arguments.directory, &set, &error);
    if (status == STATUS_OK && arguments.base_directory != NULL) {
        status = compare_load(arguments.base_directory, &base_set, &error);
    }
    result = status == STATUS_OK ? compare_sets(&arguments, base_set, set) : compare_fail(&error);
    record_set_free(base_set);
    record_set_free(set);
    return result;
}

const struct command command_compare = {
    .name = "compare",
    .summary = "the table of a run: ratios to a base with intervals and verdicts",
    .usage = compare_usage,
    .run = compare_run,
};
