#include "cli/bench_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/matrix.h"
#include "cli/option_values.h"

static const double BENCH_TIMEOUT_MAX_S = 86400; /* a day */

const char bench_usage[] =
    "usage: heapmill bench [OPTION…]\n"
    "       heapmill bench --resume DIR\n"
    "\n"
    "Runs a matrix of back ends and workloads, each cell in processes of its own, and leaves the\n"
    "records in a directory that `heapmill compare` and `heapmill plot` read. Without any choice\n"
    "it runs a small matrix of half a minute.\n"
    "\n"
    "what to run\n"
    "  -b, --backends LIST   ['!']GLOB[:ARM][{NAME=VALUE,…}],…: names or globs of back ends;\n"
    "                        '!' takes away; {…} is the worker's environment; a path with a '/'\n"
    "                        is a library of your own that replaces malloc. Example:\n"
    "                        -b 'pymalloc-3.10:inline,mimalloc{MIMALLOC_PURGE_DELAY=0},./my.so'\n"
    "      --arm LIST        arms of those that name none: inline, call, call-sized, preload,\n"
    "                        preload-sized, or all [preload where there is one, else the first]\n"
    "  -w, --workloads LIST  names or globs, '!' takes away\n"
    "  -p, --param N=V,V…    values of a parameter, each combination a group of cells;\n"
    "                        WORKLOADS.N=V for some workloads only; may be repeated\n"
    "      --threads LIST    how many threads the threaded workloads have, e.g. 1,2,4, each\n"
    "                        number a group of cells; the other workloads have one [1]\n"
    "      --matrix NAME     a named matrix: default, quick; -b, -w, -p, --rounds… change it\n"
    "      --base B[:ARM]    what the others are compared with, and what the A/A twins are of\n"
    "                        [malloc:preload, or the first]\n"
    "what to measure\n"
    "      --metric LIST         of time, memory, instructions, latency [time,memory]. "
    "Instructions\n"
    "                        are counted by valgrind's callgrind and are the same in every run;\n"
    "                        cells of several threads have no such count\n"
    "      --latency             adds latency: single calls timed, for percentiles up to p99.99\n"
    "      --latency-every N     one call in N is timed, at random gaps [16]\n"
    "      --no-memory           leave out the memory pass\n"
    "how long\n"
    "      --rounds N        rounds of the time pass [the matrix's, else 7]; below 6 compare\n"
    "                        gives no verdict; of the other passes where there is no time pass.\n"
    "                        auto: each group has rounds until its intervals are narrow enough,\n"
    "                        at least 10, at most 70 or what the budget allows\n"
    "      --precision P     what --rounds auto is after: half of an interval's width [1%]\n"
    "      --budget TIME     instead, or with --rounds auto: rounds for as long as they fit,\n"
    "                        e.g. 5m\n"
    "      --no-redo         no further rounds for those that other programs, steal or a CPU\n"
    "                        quota disturbed\n"
    "      --target-ms T     timed part of a process; iterations are set by it, once, for all\n"
    "                        back ends alike [the matrix's, else 50]\n"
    "      --timeout TIME    of a process, after which it is killed and a record says so [60s]\n"
    "      --seed S          of all random choices and of the order of the cells [1]\n"
    "where\n"
    "  -o, --output DIR      a new directory [results/bench-TIME]\n"
    "      --resume          go on with the run in DIR, which is the operand or -o\n"
    "      --dry-run         print the plan and how long it will take, and run nothing\n"
    "      --json            print the summary (or the plan) as JSON\n"
    "\n"
    "Workers start with a clean environment: PATH, HOME and LANG, and what {…} gives. MALLOC_…,\n"
    "MIMALLOC_…, LD_PRELOAD and LD_LIBRARY_PATH of your shell do not reach them.\n"
    "\n"
    "exit status: 0, 2 wrong usage, 3 something that is needed is missing, 4 some cells failed,\n"
    "130 interrupted (go on with --resume)\n";

enum bench_option_code {
    OPTION_ARM = 256,
    OPTION_THREADS,
    OPTION_MATRIX,
    OPTION_BASE,
    OPTION_ROUNDS,
    OPTION_PRECISION,
    OPTION_NO_REDO,
    OPTION_BUDGET,
    OPTION_TARGET,
    OPTION_TIMEOUT,
    OPTION_NO_MEMORY,
    OPTION_METRIC,
    OPTION_LATENCY,
    OPTION_LATENCY_EVERY,
    OPTION_SEED,
    OPTION_RESUME,
    OPTION_DRY_RUN,
    OPTION_JSON,
};

static const struct option bench_long_options[] = {
    {"backends", required_argument, NULL, 'b'},
    {"workloads", required_argument, NULL, 'w'},
    {"param", required_argument, NULL, 'p'},
    {"output", required_argument, NULL, 'o'},
    {"arm", required_argument, NULL, OPTION_ARM},
    {"threads", required_argument, NULL, OPTION_THREADS},
    {"matrix", required_argument, NULL, OPTION_MATRIX},
    {"base", required_argument, NULL, OPTION_BASE},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"precision", required_argument, NULL, OPTION_PRECISION},
    {"no-redo", no_argument, NULL, OPTION_NO_REDO},
    {"budget", required_argument, NULL, OPTION_BUDGET},
    {"target-ms", required_argument, NULL, OPTION_TARGET},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"no-memory", no_argument, NULL, OPTION_NO_MEMORY},
    {"metric", required_argument, NULL, OPTION_METRIC},
    {"latency", no_argument, NULL, OPTION_LATENCY},
    {"latency-every", required_argument, NULL, OPTION_LATENCY_EVERY},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"resume", no_argument, NULL, OPTION_RESUME},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"json", no_argument, NULL, OPTION_JSON},
    {NULL, 0, NULL, 0},
};

static enum status bench_take_number(struct bench_options *options, int code, const char *text,
                                     struct error *error)
{
    switch (code) {
    case OPTION_ROUNDS:
        return bench_options_take_rounds(options, text, error);
    case OPTION_PRECISION:
        return bench_options_take_precision(options, text, error);
    case OPTION_LATENCY_EVERY:
        return option_take_number("--latency-every", text, 1, 1000000, &options->latency_every,
                                  error);
    case OPTION_SEED:
        return option_take_number("--seed", text, 0, INT64_MAX, &options->seed, error);
    case OPTION_BUDGET:
        return option_take_seconds("--budget", text, 0, &options->budget_s, error);
    case OPTION_TIMEOUT:
        return option_take_seconds("--timeout", text, BENCH_TIMEOUT_MAX_S, &options->timeout_s,
                                   error);
    default:
        return option_take_milliseconds("--target-ms", text, &options->target_ms, error);
    }
}

static enum status bench_take_matrix(struct bench_options *options, const char *name,
                                     struct error *error)
{
    const struct matrix *matrix = matrix_find(name);
    if (matrix == NULL) {
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
    options->name = matrix->name;
    return STATUS_OK;
}

static enum status bench_take_flag(struct bench_options *options, int code, char **argv,
                                   struct error *error)
{
    switch (code) {
    case OPTION_RESUME:
        options->resume = true;
        return STATUS_OK;
    case OPTION_DRY_RUN:
        options->dry_run = true;
        return STATUS_OK;
    case OPTION_JSON:
        options->json = true;
        return STATUS_OK;
    default:
        return option_refuse("bench", code, argv, bench_long_options, error);
    }
}

/* One option that is not a mere flag of how to run. */
static enum status bench_take_choice(struct bench_options *options, int code, char **argv,
                                     struct error *error)
{
    switch (code) {
    case 'b':
        options->backends = optarg;
        break;
    case 'w':
        options->workloads = optarg;
        break;
    case 'p':
        text_list_add(&options->parameters, text_format("%s", optarg));
        break;
    case OPTION_ARM:
        options->arms = optarg;
        break;
    case OPTION_THREADS:
        options->threads = optarg;
        break;
    case OPTION_BASE:
        options->base = optarg;
        break;
    case OPTION_NO_REDO:
        options->no_redo = true;
        break;
    case OPTION_NO_MEMORY:
        options->no_memory = true;
        break;
    case OPTION_METRIC:
        options->metrics = optarg;
        break;
    case OPTION_LATENCY:
        options->latency = true;
        break;
    case OPTION_MATRIX:
        options->selective = true;
        return bench_take_matrix(options, optarg, error);
    case OPTION_ROUNDS:
    case OPTION_PRECISION:
    case OPTION_SEED:
    case OPTION_LATENCY_EVERY:
    case OPTION_BUDGET:
    case OPTION_TIMEOUT:
    case OPTION_TARGET:
        options->selective = true;
        return bench_take_number(options, code, optarg, error);
    default:
        return bench_take_flag(options, code, argv, error);
    }
    options->selective = true;
    return STATUS_OK;
}

/* Takes --metric, --latency and --no-memory together. */
static enum status bench_choose_passes(struct bench_options *options, struct error *error)
{
    const char *rest = options->metrics != NULL ? options->metrics : "time,memory";
    while (rest[0] != '\0') {
        size_t length = strcspn(rest, ",");
        int pass = 0;
        while (pass < RECORD_PASS_COUNT &&
               (strlen(record_pass_word((enum record_pass)pass)) != length ||
                strncmp(record_pass_word((enum record_pass)pass), rest, length) != 0)) {
            pass++;
        }
        if (pass == RECORD_PASS_COUNT) {
            return error_set(error, STATUS_INVALID,
                             "--metric %s: it wants some of time, memory, instructions, latency",
                             options->metrics);
        }
        options->passes[pass] = true;
        rest += length + (rest[length] == ',');
    }
    options->passes[RECORD_LATENCY] = options->passes[RECORD_LATENCY] || options->latency;
    options->passes[RECORD_MEMORY] = options->passes[RECORD_MEMORY] && !options->no_memory;
    bool any = false;
    for (int pass = 0; pass < RECORD_PASS_COUNT; pass++) {
        any = any || options->passes[pass];
    }
    return any ? STATUS_OK
               : error_set(error, STATUS_INVALID, "--metric and --no-memory leave nothing to run");
}

/* --rounds is of the time pass, and of the others where there is none. */
static void bench_set_rounds(struct bench_options *options, uint64_t asked)
{
    bool others = !options->passes[RECORD_TIME] && asked > 0;
    options->instruction_rounds = others ? asked : BENCH_ROUNDS_INSTRUCTIONS;
    options->latency_rounds = others ? asked : BENCH_ROUNDS_STANDARD;
}

/* What was not said comes from the matrix: the named one, or the default's where it is silent. */
static void bench_fill_in(struct bench_options *options)
{
    bool chosen = options->backends != NULL || options->workloads != NULL ||
                  options->parameters.count > 0 || options->arms != NULL;
    const struct matrix *matrix = matrix_find(options->name != NULL ? options->name : "default");
    bool named = options->name != NULL;
    if (!named) {
        options->name = chosen ? "custom" : matrix->name;
    }
    struct text_list own = options->parameters;
    options->parameters = (struct text_list){0};
    for (size_t i = 0; options->workloads == NULL && matrix->parameters[i] != NULL; i++) {
        text_list_add(&options->parameters, text_format("%s", matrix->parameters[i]));
    }
    for (size_t i = 0; i < own.count; i++) {
        text_list_add(&options->parameters, text_format("%s", own.items[i]));
    }
    text_list_free(&own);
    options->backends = options->backends != NULL ? options->backends : matrix->backends;
    options->workloads = options->workloads != NULL ? options->workloads : matrix->workloads;
    if (options->rounds == 0 && !options->rounds_auto && options->budget_s <= 0) {
        options->rounds = named || !chosen ? matrix->rounds : BENCH_ROUNDS_STANDARD;
    }
    if (options->target_ms <= 0) {
        options->target_ms = named || !chosen ? matrix->target_ms : 50;
    }
}

static enum status bench_check(const struct bench_options *options, int argc, char **argv,
                               struct error *error)
{
    if (optind < argc) {
        return error_set(
            error, STATUS_INVALID,
            "bench takes no operand '%s': back ends are given with -b, workloads with -w, the "
            "directory with -o",
            argv[optind]);
    }
    if (options->resume && options->directory == NULL) {
        return error_set(error, STATUS_INVALID,
                         "--resume wants the directory of the run: heapmill bench --resume DIR");
    }
    if (options->resume && options->dry_run) {
        return error_set(error, STATUS_INVALID,
                         "--dry-run and --resume do not go together: leave one out");
    }
    return STATUS_OK;
}

enum status bench_options_parse(struct bench_options *options, int argc, char **argv,
                                struct error *error)
{
    *options = (struct bench_options){.seed = 1,
                                      .threads = "1",
                                      .timeout_s = 60,
                                      .latency_every = BENCH_LATENCY_EVERY,
                                      .argc = argc,
                                      .argv = argv};
    enum status status = STATUS_OK;
    int code;
    optind = 0; /* glibc: begin anew, also inside a cluster of short options */
    opterr = 0;
    while (status == STATUS_OK &&
           (code = getopt_long(argc, argv, ":b:w:p:o:", bench_long_options, NULL)) != -1) {
        if (code == 'o') {
            options->directory = optarg;
        } else {
            status = bench_take_choice(options, code, argv, error);
        }
    }
    if (status == STATUS_OK && options->resume && options->directory == NULL && optind < argc) {
        options->directory = argv[optind++];
    }
    if (status == STATUS_OK) {
        status = bench_check(options, argc, argv, error);
    }
    if (status == STATUS_OK) {
        status = bench_options_check_rounds(options, error);
    }
    if (status == STATUS_OK) {
        status = bench_choose_passes(options, error);
    }
    if (status == STATUS_OK) {
        bench_set_rounds(options, options->rounds);
        bench_fill_in(options);
    }
    return status;
}

void bench_options_free(struct bench_options *options)
{
    text_list_free(&options->parameters);
}
