/* heapmill fuzz score: how long each engine takes to find planted bugs. */
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "cli/fuzz_score_report.h"
#include "common/host/process.h"
#include "fuzz/campaign/score_plan.h"
#include "fuzz/campaign/score_run.h"
#include "fuzz/engines/launch.h"

static const char score_usage[] =
    "usage: heapmill fuzz score [OPTION…]\n"
    "       heapmill fuzz score --resume -o DIR [--jobs N]\n"
    "       heapmill fuzz score --show -o DIR [--json]\n"
    "\n"
    "Time to find each planted bug (`heapmill fuzz list --bugs`), by engine, in CPU seconds: each "
    "trial\n"
    "begins with nothing and ends at its first finding or at its limit. Blind random input in the "
    "same\n"
    "format is always among the engines, and each build without a bug is a control on which "
    "nothing\n"
    "may be found.\n"
    "\n"
    "  --bugs GLOBS          only these, by id: 'pymalloc-*,!*-stale' (default: all)\n"
    "  --hard                only the hard ones, which chance does not find in 60 s\n"
    "  -b, --backend GLOBS   only on these back ends\n"
    "  --engines LIST        of libfuzzer, libfuzzer-nomutator, afl, afl-nomutator (default: all "
    "that\n"
    "                        are built)\n"
    "  --trials N            of each bug and engine (default: 10)\n"
    "  --time T              CPU time of a trial: 60s, 5m (default: 60s)\n"
    "  --baseline-trials N, --baseline-time T\n"
    "                        the same for blind random and nomutator (default: as the others')\n"
    "  --control-trials N    of each build without a bug and engine (default: 1)\n"
    "  --jobs N              trials at once (default: one for each CPU)\n"
    "  --operations N        the longest program (default: as in `heapmill fuzz run`)\n"
    "  --fast                libFuzzer without sanitizers\n"
    "  --seed S              (default: 1)\n"
    "  --floor SHARE         exit 1 if some bug is found in a smaller share of some engine's "
    "trials,\n"
    "                        blind random and nomutator left out: 0.9\n"
    "  -o, --output DIR      (default: score)\n"
    "  --resume              go on with the score in DIR\n"
    "  --show                only print what DIR has\n"
    "  --json                cells, engines, comparisons, control\n"
    "  -h, --help\n"
    "\n"
    "In the table: found/trials, and the mean CPU time to find of one who gives up at the limit.\n"
    "A12 is the chance that the left engine finds sooner than the right one, with its 95% "
    "interval.\n"
    "`heapmill fuzz plot DIR` draws it.\n"
    "\n"
    "exit status: 0; 1 a finding on a build without a bug, or in which the bug had no part, or\n"
    "below --floor; 2 wrong usage; 3 something is missing; 4 some trials failed; 130 interrupted\n";

enum score_option {
    OPTION_BUGS = 256,
    OPTION_ENGINES,
    OPTION_TRIALS,
    OPTION_TIME,
    OPTION_CONTROL_TRIALS,
    OPTION_BASELINE_TRIALS,
    OPTION_BASELINE_TIME,
    OPTION_HARD,
    OPTION_JOBS,
    OPTION_OPERATIONS,
    OPTION_FAST,
    OPTION_SEED,
    OPTION_FLOOR,
    OPTION_RESUME,
    OPTION_SHOW,
    OPTION_JSON,
};

static const struct option score_long_options[] = {
    {"bugs", required_argument, NULL, OPTION_BUGS},
    {"backend", required_argument, NULL, 'b'},
    {"engines", required_argument, NULL, OPTION_ENGINES},
    {"trials", required_argument, NULL, OPTION_TRIALS},
    {"time", required_argument, NULL, OPTION_TIME},
    {"hard", no_argument, NULL, OPTION_HARD},
    {"baseline-trials", required_argument, NULL, OPTION_BASELINE_TRIALS},
    {"baseline-time", required_argument, NULL, OPTION_BASELINE_TIME},
    {"control-trials", required_argument, NULL, OPTION_CONTROL_TRIALS},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"operations", required_argument, NULL, OPTION_OPERATIONS},
    {"fast", no_argument, NULL, OPTION_FAST},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"floor", required_argument, NULL, OPTION_FLOOR},
    {"output", required_argument, NULL, 'o'},
    {"resume", no_argument, NULL, OPTION_RESUME},
    {"show", no_argument, NULL, OPTION_SHOW},
    {"json", no_argument, NULL, OPTION_JSON},
    {0},
};

static int score_take_number(uint64_t *number, uint64_t most, const char *name)
{
    if (text_to_u64(optarg, number) && *number <= most) {
        return EXIT_CLEAN;
    }
    char *what = text_format("%s takes a number up to %llu, not", name, (unsigned long long)most);
    int status = fuzz_refuse("score", what, optarg);
    free(what);
    return status;
}

static int score_take_value(struct score_arguments *arguments, int option)
{
    switch (option) {
    case OPTION_TRIALS:
        return score_take_number(&arguments->trials, 10000, "--trials");
    case OPTION_BASELINE_TRIALS:
        return score_take_number(&arguments->baseline_trials, 10000, "--baseline-trials");
    case OPTION_CONTROL_TRIALS:
        return score_take_number(&arguments->control_trials, 10000, "--control-trials");
    case OPTION_JOBS:
        return score_take_number(&arguments->jobs, 64, "--jobs");
    case OPTION_OPERATIONS:
        return score_take_number(&arguments->operations, 8192, "--operations");
    case OPTION_SEED:
        return score_take_number(&arguments->seed, INT64_MAX, "--seed");
    case OPTION_TIME:
    case OPTION_BASELINE_TIME:
        return text_to_seconds(optarg, option == OPTION_TIME ? &arguments->time_s
                                                             : &arguments->baseline_time_s)
                   ? EXIT_CLEAN
                   : fuzz_refuse("score", "--time and --baseline-time take 60s or 5m, not", optarg);
    default:
        return text_to_double(optarg, &arguments->floor) && arguments->floor >= 0 &&
                       arguments->floor <= 1
                   ? EXIT_CLEAN
                   : fuzz_refuse("score", "--floor takes a share from 0 to 1, not", optarg);
    }
}

static int score_take_option(struct score_arguments *arguments, int option, char **argv)
{
    switch (option) {
    case OPTION_BUGS:
        arguments->bugs = optarg;
        return EXIT_CLEAN;
    case 'b':
        arguments->backends = optarg;
        return EXIT_CLEAN;
    case OPTION_ENGINES:
        arguments->engines = optarg;
        return EXIT_CLEAN;
    case 'o':
        arguments->output = optarg;
        return EXIT_CLEAN;
    case OPTION_HARD:
        arguments->hard = true;
        return EXIT_CLEAN;
    case OPTION_FAST:
        arguments->fast = true;
        return EXIT_CLEAN;
    case OPTION_RESUME:
        arguments->resume = true;
        return EXIT_CLEAN;
    case OPTION_SHOW:
        arguments->show = true;
        return EXIT_CLEAN;
    case OPTION_JSON:
        arguments->json = true;
        return EXIT_CLEAN;
    case ':':
        return fuzz_refuse("score", "a value is missing after", argv[optind - 1]);
    case '?':
        return fuzz_refuse("score", "unknown option", argv[optind - 1]);
    default:
        return score_take_value(arguments, option);
    }
}

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
    if (status == STATUS_OK) {
        status = fuzz_log_open(&log, &fuzz_score_journal, arguments->output, &plan, error);
    }
    if (status == STATUS_OK) {
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

static int score_tell(const struct score_arguments *arguments)
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
        return fuzz_report("score", &error);
    }
    int exit_status = score_report(&score, arguments->floor, arguments->json);
    fuzz_score_release(&score);
    return exit_status;
}

static int score_run_command(int argc, char **argv)
{
    struct score_arguments arguments = {.bugs = NULL,
                                        .output = "score",
                                        .trials = 10,
                                        .control_trials = 1,
                                        .baseline_trials = UINT64_MAX,
                                        .seed = 1,
                                        .time_s = 60,
                                        .floor = 0};
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":b:o:", score_long_options, NULL)) != -1) {
        int status = score_take_option(&arguments, option, argv);
        if (status != EXIT_CLEAN) {
            return status;
        }
    }
    if (optind < argc) {
        return fuzz_refuse("score", "no arguments are taken, and not", argv[optind]);
    }
    if (arguments.baseline_trials == UINT64_MAX) {
        arguments.baseline_trials = arguments.trials;
    }
    if (!(arguments.baseline_time_s > 0)) {
        arguments.baseline_time_s = arguments.time_s;
    }
    struct error error;
    enum status status = STATUS_OK;
    if (!arguments.show) {
        process_prepare_signals();
        status = score_do(&arguments, &error);
    }
    int told =
        status == STATUS_OK || status == STATUS_INTERRUPTED ? score_tell(&arguments) : EXIT_CLEAN;
    return status == STATUS_OK ? told : fuzz_report("score", &error);
}

const struct command fuzz_score_command = {
    .name = "score",
    .summary = "how long each engine takes to find planted bugs",
    .usage = score_usage,
    .run = score_run_command,
};
