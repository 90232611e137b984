#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/calibrate.h"
#include "cli/option_values.h"

const char calibrate_directory[] = "results/calibration";

/* Every one has workers of its own, or times of its own over the same worker, and so a luck of its
 * own with code layout. Those that are absent are left out. */
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

const char calibrate_usage[] =
    "usage: heapmill calibrate [OPTION…]\n"
    "\n"
    "Measures how far verdicts can be trusted on this machine, through the whole pipeline of\n"
    "bench and compare, adaptive rounds included: how often identical programs are told apart\n"
    "(false positives, of A/A pairs in two code layouts), and how often a slowdown that was put\n"
    "in, of 1, 2, 5 and 10% more work, is found (power). Each with its exact 95% interval.\n"
    "docs/calibration.md says how to read the answer.\n"
    "\n"
    "It makes a number of runs, each an ordinary result directory in DIR with a back end of its\n"
    "own as base; then DIR/calibration.json, which `heapmill doctor` reads where DIR is the\n"
    "default, and DIR/plots/power.*. When it was interrupted, the same command goes on.\n"
    "\n"
    "  -o, --output DIR      [results/calibration]\n"
    "      --budget TIME     of all runs together; ten rounds of each are made in any case [9m]\n"
    "      --runs N          [10]; 20 A/A pairs and 20 slowed cells each\n"
    "  -b, --backends LIST   the runs' bases, in turn, as bench has them\n"
    "  -w, --workloads LIST, -p, --param N=V,V…\n"
    "                        other groups, as bench has them\n"
    "      --target-ms T     timed part of a process [8]; it has a multiple of a hundred\n"
    "                        iterations, for 1% more to be a whole number: long ones take longer\n"
    "      --precision P     as of bench [1%]\n"
    "      --seed S          [1]\n"
    "      --json            print calibration.json's object\n"
    "      --no-plot\n"
    "\n"
    "exit status: 0; 2 wrong usage; 3 something that is needed is missing; 4 some cells failed;\n"
    "130 interrupted\n";

enum calibrate_option_code {
    OPTION_BUDGET = 256,
    OPTION_RUNS,
    OPTION_TARGET,
    OPTION_PRECISION,
    OPTION_SEED,
    OPTION_JSON,
    OPTION_NO_PLOT,
};

static const struct option calibrate_long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"backends", required_argument, NULL, 'b'},
    {"workloads", required_argument, NULL, 'w'},
    {"param", required_argument, NULL, 'p'},
    {"budget", required_argument, NULL, OPTION_BUDGET},
    {"runs", required_argument, NULL, OPTION_RUNS},
    {"target-ms", required_argument, NULL, OPTION_TARGET},
    {"precision", required_argument, NULL, OPTION_PRECISION},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"json", no_argument, NULL, OPTION_JSON},
    {"no-plot", no_argument, NULL, OPTION_NO_PLOT},
    {0},
};

static enum status calibrate_take_number(struct calibrate_options *options, int code,
                                         struct error *error)
{
    switch (code) {
    case OPTION_BUDGET:
        return option_take_seconds("--budget", optarg, 0, &options->budget_s, error);
    case OPTION_RUNS:
        return option_take_number("--runs", optarg, 1, 1000, &options->runs, error);
    case OPTION_SEED:
        return option_take_number("--seed", optarg, 0, INT32_MAX, &options->seed, error);
    default:
        return option_take_milliseconds("--target-ms", optarg, &options->target_ms, error);
    }
}

static enum status calibrate_take(struct calibrate_options *options, int code, char **argv,
                                  struct error *error)
{
    switch (code) {
    case 'o':
        options->directory = optarg;
        return STATUS_OK;
    case 'b':
        options->backends = optarg;
        options->exact = true;
        return STATUS_OK;
    case 'w':
        options->workloads = optarg;
        return STATUS_OK;
    case 'p':
        text_list_add(&options->parameters, text_format("%s", optarg));
        return STATUS_OK;
    case OPTION_PRECISION:
        options->precision = optarg;
        return STATUS_OK;
    case OPTION_JSON:
        options->json = true;
        return STATUS_OK;
    case OPTION_NO_PLOT:
        options->plot = false;
        return STATUS_OK;
    case OPTION_BUDGET:
    case OPTION_RUNS:
    case OPTION_TARGET:
    case OPTION_SEED:
        return calibrate_take_number(options, code, error);
    default:
        return option_refuse("calibrate", code, argv, calibrate_long_options, error);
    }
}

/* The groups of the default, with those parameters first: of several, the last counts. */
static void calibrate_fill_in(struct calibrate_options *options)
{
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
}

enum status calibrate_options_parse(struct calibrate_options *options, int argc, char **argv,
                                    struct error *error)
{
    *options = (struct calibrate_options){.backends = calibrate_backends,
                                          .directory = calibrate_directory,
                                          .precision = "1%",
                                          .budget_s = 540,
                                          .target_ms = 8,
                                          .runs = 10,
                                          .seed = 1,
                                          .plot = true,
                                          .argc = argc,
                                          .argv = argv};
    enum status status = STATUS_OK;
    int code;
    optind = 0; /* glibc: begin anew, also inside a cluster of short options */
    opterr = 0;
    while (status == STATUS_OK &&
           (code = getopt_long(argc, argv, ":o:b:w:p:", calibrate_long_options, NULL)) != -1) {
        status = calibrate_take(options, code, argv, error);
    }
    if (status == STATUS_OK && optind < argc) {
        status = error_set(error, STATUS_INVALID,
                           "calibrate takes no operand '%s': the directory is given with -o",
                           argv[optind]);
    }
    if (options->workloads == NULL) {
        calibrate_fill_in(options);
    }
    return status;
}

void calibrate_options_free(struct calibrate_options *options)
{
    text_list_free(&options->parameters);
}
