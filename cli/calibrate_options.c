#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/calibrate.h"

const char calibrate_directory[] = "results/calibration";

/* Every one has workers of its own, or times of its own over the same worker, and so a luck of its
 * own with code layout. Those that are absent are left out. */
static const char calibrate_backends[] =
    "malloc,pymalloc-3.10:inline,freelist-3.x:inline,mimalloc,pymalloc-256:inline,"
    "pymalloc-3.10:call,jemalloc,freelist-2.7:inline,pymalloc-3.7:inline,tcmalloc";

/* Twenty groups whose iterations are short enough for 1% of them to be a whole number. */
static const char calibrate_workloads[] = "batch,churn,int_churn,list_growth,dict_build,str_concat";
static const char *const calibrate_parameters[] = {"batch.order=fifo,lifo,random",
                                                   "batch.size=32,128,400",
                                                   "batch.live=1000",
                                                   "churn.live=2000,20000",
                                                   "churn.median=32,128",
                                                   "int_churn.live=200",
                                                   "int_churn.order=random,in_order",
                                                   "list_growth.live=10",
                                                   "list_growth.length=100,1000",
                                                   "dict_build.live=10",
                                                   "dict_build.length=100",
                                                   "dict_build.keys=int,str",
                                                   "str_concat.live=10",
                                                   "str_concat.length=1000"};

const char calibrate_usage[] =
    "usage: heapmill calibrate [OPTION…]\n"
    "\n"
    "Measures how far verdicts can be trusted on this machine, through the whole pipeline of "
    "bench\n"
    "and compare, adaptive rounds included: how often identical programs are told apart (false\n"
    "positives, of A/A pairs in two code layouts), and how often a slowdown that was put in, of "
    "1,\n"
    "2, 5 and 10% more work, is found (power). Each with its exact 95% interval.\n"
    "\n"
    "It makes a number of runs, each an ordinary result directory in DIR with a back end of its "
    "own\n"
    "as base; then DIR/calibration.json, which `heapmill doctor` reads, and DIR/plots/power.*.\n"
    "When it was interrupted, the same command goes on.\n"
    "\n"
    "  -o, --output DIR      [results/calibration]\n"
    "      --budget TIME     of all runs together; ten rounds of each are made in any case [10m]\n"
    "      --runs N          [10]; 20 A/A pairs and 40 slowed cells each\n"
    "  -b, --backends LIST   the runs' bases, in turn, as bench has them\n"
    "  -w, --workloads LIST, -p, --param N=V,V…\n"
    "                        other groups, as bench has them; an iteration should take less than\n"
    "                        a hundredth of --target-ms, so that 1% more can be done\n"
    "      --target-ms T     timed part of a process [20]\n"
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

static enum status calibrate_refuse(const char *option, const char *text, const char *wanted,
                                    struct error *error)
{
    return error_set(error, STATUS_INVALID, "%s %s: it wants %s", option, text, wanted);
}

static enum status calibrate_take_number(struct calibrate_options *options, int code,
                                         struct error *error)
{
    switch (code) {
    case OPTION_BUDGET:
        return text_to_seconds(optarg, &options->budget_s)
                   ? STATUS_OK
                   : calibrate_refuse("--budget", optarg, "a time, as 90s or 10m", error);
    case OPTION_RUNS:
        return text_to_u64(optarg, &options->runs) && options->runs > 0 && options->runs <= 1000
                   ? STATUS_OK
                   : calibrate_refuse("--runs", optarg, "a number from 1 to 1000", error);
    case OPTION_SEED:
        return text_to_u64(optarg, &options->seed) && options->seed <= INT32_MAX
                   ? STATUS_OK
                   : calibrate_refuse("--seed", optarg, "a number up to 2^31", error);
    default:
        return text_to_double(optarg, &options->target_ms) && options->target_ms >= 1 &&
                       options->target_ms <= 60000
                   ? STATUS_OK
                   : calibrate_refuse("--target-ms", optarg, "milliseconds, from 1 to 60000",
                                      error);
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
        return error_set(error, STATUS_INVALID,
                         "calibrate has no option %s, or its value is missing; see `heapmill "
                         "calibrate --help`",
                         argv[optind - 1]);
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
                                          .budget_s = 600,
                                          .target_ms = 20,
                                          .runs = 10,
                                          .seed = 1,
                                          .plot = true,
                                          .argc = argc,
                                          .argv = argv};
    enum status status = STATUS_OK;
    int code;
    optind = 1;
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
