#include "cli/fuzz_run_options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fuzz.h"
#include "fuzz/campaign/session.h"

enum run_option {
    OPTION_ENGINE = 256,
    OPTION_FAST,
    OPTION_BUG,
    OPTION_TIME,
    OPTION_JOBS,
    OPTION_OPERATIONS,
    OPTION_SEED,
    OPTION_RESUME,
    OPTION_DISK_CAP,
    OPTION_FINDINGS_CAP,
    OPTION_JSON,
};

static const struct option run_long_options[] = {
    {"backend", required_argument, NULL, 'b'},
    {"bug", required_argument, NULL, OPTION_BUG},
    {"engine", required_argument, NULL, OPTION_ENGINE},
    {"fast", no_argument, NULL, OPTION_FAST},
    {"time", required_argument, NULL, OPTION_TIME},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"operations", required_argument, NULL, OPTION_OPERATIONS},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"output", required_argument, NULL, 'o'},
    {"resume", no_argument, NULL, OPTION_RESUME},
    {"disk-cap", required_argument, NULL, OPTION_DISK_CAP},
    {"findings-cap", required_argument, NULL, OPTION_FINDINGS_CAP},
    {"json", no_argument, NULL, OPTION_JSON},
    {0},
};

/* "500M": a number with a binary suffix. */
static bool run_parse_size(const char *text, uint64_t *bytes)
{
    static const char suffixes[] = "KMGT";
    size_t length = strlen(text);
    const char *suffix = length > 1 ? strchr(suffixes, text[length - 1]) : NULL;
    char *number = text_format("%.*s", (int)(suffix != NULL ? length - 1 : length), text);
    uint64_t value;
    bool good = text_to_u64(number, &value) && value > 0 && value < (UINT64_C(1) << 32);
    *bytes = good ? value << (suffix != NULL ? 10 * (suffix - suffixes + 1) : 0) : 0;
    free(number);
    return good;
}

static bool run_number(uint64_t *number, uint64_t least, uint64_t most)
{
    return text_to_u64(optarg, number) && *number >= least && *number <= most;
}

/* Options that a campaign is made of, and that --resume takes from it. */
static int run_take_plan_option(struct run_arguments *arguments, int option)
{
    arguments->chosen = true;
    switch (option) {
    case 'b':
        arguments->backend = optarg;
        return EXIT_CLEAN;
    case OPTION_BUG:
        arguments->bug = optarg;
        return EXIT_CLEAN;
    case OPTION_ENGINE:
        arguments->engine = optarg;
        return strcmp(optarg, "both") == 0 || fuzz_engine_named(optarg) < FUZZ_ENGINES
                   ? EXIT_CLEAN
                   : fuzz_refuse("run", "--engine is libfuzzer, afl, both or random, not", optarg);
    case OPTION_FAST:
        arguments->fast = true;
        return EXIT_CLEAN;
    case OPTION_JOBS:
        return run_number(&arguments->jobs, 1, FUZZ_MEMBERS_MAX)
                   ? EXIT_CLEAN
                   : fuzz_refuse("run", "--jobs takes 1 to 64, not", optarg);
    case OPTION_OPERATIONS:
        return run_number(&arguments->operations, 1, 8192)
                   ? EXIT_CLEAN
                   : fuzz_refuse("run", "--operations takes 1 to 8192, not", optarg);
    default:
        return run_number(&arguments->seed, 0, UINT64_MAX)
                   ? EXIT_CLEAN
                   : fuzz_refuse("run", "--seed takes a number, not", optarg);
    }
}

static int run_take_option(struct run_arguments *arguments, int option, char **argv)
{
    switch (option) {
    case OPTION_TIME:
        return text_to_seconds(optarg, &arguments->time_s)
                   ? EXIT_CLEAN
                   : fuzz_refuse("run", "--time takes 90s, 10m or 2h, not", optarg);
    case OPTION_RESUME:
        arguments->resume = true;
        return EXIT_CLEAN;
    case OPTION_DISK_CAP:
        return run_parse_size(optarg, &arguments->disk_bytes_max)
                   ? EXIT_CLEAN
                   : fuzz_refuse("run", "--disk-cap takes 500M or 4G, not", optarg);
    case OPTION_FINDINGS_CAP:
        return run_number(&arguments->findings_max, 1, 1000000)
                   ? EXIT_CLEAN
                   : fuzz_refuse("run", "--findings-cap takes a number from 1, not", optarg);
    case OPTION_JSON:
        arguments->json = true;
        return EXIT_CLEAN;
    case 'o':
        free(arguments->output);
        arguments->output = text_format("%s", optarg);
        return EXIT_CLEAN;
    case ':':
        return fuzz_refuse("run", "a value is missing after", argv[optind - 1]);
    case '?':
        return fuzz_refuse("run", "unknown option", argv[optind - 1]);
    default:
        return run_take_plan_option(arguments, option);
    }
}

int fuzz_run_parse(int argc, char **argv, struct run_arguments *arguments)
{
    int own = 1; /* up to a "--" */
    while (own < argc && strcmp(argv[own], "--") != 0) {
        own++;
    }
    for (int i = own + 1; i < argc; i++) {
        text_list_add(&arguments->extra, text_format("%s", argv[i]));
    }
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(own, argv, ":b:o:", run_long_options, NULL)) != -1) {
        int status = run_take_option(arguments, option, argv);
        if (status != EXIT_CLEAN) {
            return status;
        }
    }
    arguments->target = optind < own ? argv[optind] : NULL;
    if (optind + 1 < own) {
        return fuzz_refuse("run", "one target at a time, and not", argv[optind + 1]);
    }
    if (arguments->resume && arguments->output == NULL) {
        return fuzz_refuse("run", "--resume wants the campaign's directory: -o DIR", NULL);
    }
    if (arguments->resume && (arguments->target != NULL || arguments->chosen)) {
        return fuzz_refuse("run",
                           "--resume takes target, back end, engine, jobs and seed from the "
                           "campaign: leave them out",
                           NULL);
    }
    if (!arguments->resume && arguments->target == NULL) {
        return fuzz_refuse("run", "say which target: `heapmill fuzz list` names them", NULL);
    }
    return EXIT_CLEAN;
}
