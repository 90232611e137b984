/* heapmill fuzz score: how long each engine takes to find planted bugs. */
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "cli/fuzz_engine.h"
#include "cli/fuzz_score_report.h"
#include "cli/fuzz_score_run.h"
#include "cli/process.h"
#include "results/name_filter.h"

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
    "  -b, --backend GLOBS   only on these back ends\n"
    "  --engines LIST        of libfuzzer, libfuzzer-nomutator, afl, afl-nomutator (default: all "
    "that\n"
    "                        are built)\n"
    "  --trials N            of each bug and engine (default: 10)\n"
    "  --time T              CPU time of a trial: 60s, 5m (default: 60s)\n"
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
    "exit status: 0; 1 a finding on a build without a bug, or below --floor; 2 wrong usage; 3 "
    "something\n"
    "is missing; 4 some trials failed; 130 interrupted\n";

enum score_option {
    OPTION_BUGS = 256,
    OPTION_ENGINES,
    OPTION_TRIALS,
    OPTION_TIME,
    OPTION_CONTROL_TRIALS,
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

struct score_arguments {
    const char *bugs;
    const char *backends;
    const char *engines; /* NULL: all that are built */
    const char *output;
    uint64_t trials;
    uint64_t control_trials;
    uint64_t jobs;
    uint64_t operations;
    uint64_t seed;
    double time_s;
    double floor;
    bool fast;
    bool resume;
    bool show;
    bool json;
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
    case OPTION_CONTROL_TRIALS:
        return score_take_number(&arguments->control_trials, 10000, "--control-trials");
    case OPTION_JOBS:
        return score_take_number(&arguments->jobs, 64, "--jobs");
    case OPTION_OPERATIONS:
        return score_take_number(&arguments->operations, 8192, "--operations");
    case OPTION_SEED:
        return score_take_number(&arguments->seed, INT64_MAX, "--seed");
    case OPTION_TIME:
        return text_to_seconds(optarg, &arguments->time_s)
                   ? EXIT_CLEAN
                   : fuzz_refuse("score", "--time takes 60s or 5m, not", optarg);
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

static bool score_has_engine(const struct fuzz_program *program, enum fuzz_engine engine, bool fast)
{
    enum fuzz_tree tree = engine == FUZZ_ENGINE_RANDOM ? FUZZ_TREE_ORDINARY
                          : fuzz_engine_is_afl(engine) ? FUZZ_TREE_AFL
                          : fast                       ? FUZZ_TREE_FAST
                                                       : FUZZ_TREE_LIBFUZZER;
    return program->paths[tree] != NULL;
}

/* The engines that were asked for, or those of which some program has a build; random in any case.
 */
static enum status score_choose_engines(const struct score_arguments *arguments,
                                        const struct fuzz_catalog *catalog, json_t *engines,
                                        struct error *error)
{
    bool chosen[FUZZ_ENGINES] = {[FUZZ_ENGINE_RANDOM] = true};
    struct text_list words = {0};
    text_split(&words, arguments->engines != NULL ? arguments->engines : "random", ',');
    enum status status = STATUS_OK;
    for (size_t i = 0; i < words.count && status == STATUS_OK; i++) {
        enum fuzz_engine engine = fuzz_engine_named(words.items[i]);
        if (engine == FUZZ_ENGINES) {
            status = error_set(error, STATUS_INVALID,
                               "there is no engine '%s': random, libfuzzer, libfuzzer-nomutator, "
                               "afl, afl-nomutator",
                               words.items[i]);
        } else {
            chosen[engine] = true;
        }
    }
    for (size_t i = 0; i < FUZZ_ENGINES; i++) {
        for (size_t j = 0; arguments->engines == NULL && j < catalog->count && !chosen[i]; j++) {
            const struct fuzz_program *program = &catalog->programs[j];
            chosen[i] = program->bug[0] != '\0' &&
                        score_has_engine(program, (enum fuzz_engine)i, arguments->fast);
        }
        if (chosen[i]) {
            (void)json_array_append_new(engines,
                                        json_string(fuzz_engine_name((enum fuzz_engine)i)));
        }
    }
    text_list_free(&words);
    return status;
}

static void score_add_name(json_t *array, const char *name)
{
    size_t index;
    const json_t *item;
    json_array_foreach(array, index, item)
    {
        if (strcmp(json_string_value(item), name) == 0) {
            return;
        }
    }
    (void)json_array_append_new(array, json_string(name));
}

/* Each program must have a build for each engine: a missing one would look like a bug that is never
 * found. */
static enum status score_require_builds(const struct fuzz_program *program, const json_t *engines,
                                        bool fast, struct error *error)
{
    size_t index;
    const json_t *engine;
    json_array_foreach(engines, index, engine)
    {
        const char *name = json_string_value(engine);
        if (!score_has_engine(program, fuzz_engine_named(name), fast)) {
            return error_set(error, STATUS_NOT_FOUND,
                             "%s is not built for %s: run `heapmill fuzz build`, or leave it out "
                             "by --engines or --bugs",
                             program->label, name);
        }
    }
    return STATUS_OK;
}

static enum status score_choose_programs(const struct score_arguments *arguments,
                                         const struct fuzz_catalog *catalog, const json_t *engines,
                                         json_t *programs, json_t *controls, struct error *error)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const struct fuzz_program *program = &catalog->programs[i];
        const struct fuzz_program *control;
        if (program->bug[0] == '\0' || !name_filter_matches(arguments->bugs, program->bug) ||
            !name_filter_matches(arguments->backends, program->backend)) {
            continue;
        }
        enum status status = score_require_builds(program, engines, arguments->fast, error);
        if (status == STATUS_OK) {
            status =
                fuzz_catalog_find(catalog, program->target, program->backend, "", &control, error);
        }
        if (status == STATUS_OK) {
            status = score_require_builds(control, engines, arguments->fast, error);
        }
        if (status != STATUS_OK) {
            return status;
        }
        score_add_name(programs, program->label);
        score_add_name(controls, control->label);
    }
    return json_array_size(programs) > 0
               ? STATUS_OK
               : error_set(error, STATUS_NOT_FOUND,
                           "no such planted bug is built: `heapmill fuzz list --bugs` names those "
                           "that are, `heapmill fuzz build` makes them");
}

static enum status score_make_plan(const struct score_arguments *arguments,
                                   const struct fuzz_catalog *catalog, json_t **plan,
                                   struct error *error)
{
    json_t *engines = json_array();
    json_t *programs = json_array();
    json_t *controls = json_array();
    enum status status = score_choose_engines(arguments, catalog, engines, error);
    if (status == STATUS_OK) {
        status = score_choose_programs(arguments, catalog, engines, programs, controls, error);
    }
    *plan = json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:f, s:I, s:I, s:b}", "format",
                      "heapmill-fuzz-score-1", "engines", engines, "programs", programs, "controls",
                      controls, "trials", (json_int_t)arguments->trials, "control_trials",
                      (json_int_t)arguments->control_trials, "time_s", arguments->time_s,
                      "operations", (json_int_t)arguments->operations, "seed",
                      (json_int_t)arguments->seed, "fast", (int)arguments->fast);
    return status;
}

/* Runs what is to be run, on a plan of its own or on the directory's. */
static enum status score_do(const struct score_arguments *arguments, struct error *error)
{
    struct fuzz_catalog catalog;
    struct fuzz_log log = {.lock = -1, .file = -1};
    struct score_run_result result;
    json_t *plan = NULL;
    enum status status = fuzz_catalog_open(&catalog, error);
    if (status == STATUS_OK && !arguments->resume) {
        status = score_make_plan(arguments, &catalog, &plan, error);
    }
    if (status == STATUS_OK) {
        status =
            fuzz_log_open(&log, arguments->output, "score", "trials", plan, false, &plan, error);
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
    if (log.path != NULL) {
        fuzz_log_close(&log);
    }
    fuzz_catalog_close(&catalog);
    return status;
}

static int score_tell(const struct score_arguments *arguments)
{
    json_t *plan;
    json_t *lines;
    struct fuzz_score score;
    struct error error;
    enum status status = fuzz_log_read(arguments->output, "score", "trials", &plan, &lines, &error);
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
