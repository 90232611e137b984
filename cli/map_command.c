/* heapmill map: a picture of a heap's arenas, pools and blocks while a workload runs. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/map_run.h"
#include "common/host/process.h"
#include "plots/gnuplot_runner.h"

static const char map_usage[] =
    "usage: heapmill map -b BACKEND[:ARM] -w WORKLOAD [OPTION…]\n"
    "\n"
    "Runs the workload once and draws the back end's heap at a few moments of it: arenas, their "
    "pools\n"
    "as tiles, and in each tile its blocks by state. Leaves map-BACKEND-WORKLOAD.svg and .png with "
    "the\n"
    "data (.tsv) and the script (.gp) beside them. Only back ends that can be walked have a map.\n"
    "\n"
    "  -b, --backend BACKEND   which back end, one\n"
    "  -w, --workload NAME     which workload, one\n"
    "  -p, --param NAME=VALUE  a parameter of it; may be repeated. Small runs make the best "
    "pictures:\n"
    "                          -p live=20000 rather than a million\n"
    "  --at N[,N…]             when: after that many operations (allocations, frees, resizes), or "
    "in\n"
    "                          parts of the run, 50%; the first moment at or after it at which "
    "the\n"
    "                          workload can be stopped\n"
    "  --frames K              K moments evenly spread, the last at the end (default: 6)\n"
    "  --iterations N          of the workload (default: what makes 100 operations a frame, or 1)\n"
    "  --seed S                of its random numbers (default: 1)\n"
    "  -o, --output DIRECTORY  where the files go (default: .)\n"
    "  --format svg,png        which pictures (default: both)\n"
    "  -h, --help\n"
    "\n"
    "example: heapmill map -b pymalloc-3.10 -w type_shift -p live=20000 -o maps\n"
    "\n"
    "exit status: 0; 1 the workload failed; 2 wrong usage, or a back end that has no map; 3 "
    "something\n"
    "is missing\n";

enum map_option { OPTION_AT = 256, OPTION_FRAMES, OPTION_ITERATIONS, OPTION_SEED, OPTION_FORMAT };

static const struct option map_long_options[] = {
    {"backend", required_argument, NULL, 'b'},
    {"workload", required_argument, NULL, 'w'},
    {"param", required_argument, NULL, 'p'},
    {"at", required_argument, NULL, OPTION_AT},
    {"frames", required_argument, NULL, OPTION_FRAMES},
    {"iterations", required_argument, NULL, OPTION_ITERATIONS},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"output", required_argument, NULL, 'o'},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {0},
};

static int map_refuse(const char *what, const char *argument)
{
    (void)fprintf(stderr, "heapmill map: %s%s%s; `heapmill map --help` shows the usage\n", what,
                  argument != NULL ? " " : "", argument != NULL ? argument : "");
    return EXIT_USAGE;
}

static bool map_set_number(uint64_t *number, uint64_t minimum, uint64_t maximum)
{
    double value;
    bool good = text_to_double(optarg, &value) && value == floor(value) &&
                value >= (double)minimum && value <= (double)maximum;
    *number = good ? (uint64_t)value : 0;
    return good;
}

static bool map_set_formats(struct map_request *request)
{
    struct text_list words = {0};
    request->formats = 0;
    bool good = true;
    text_split(&words, optarg, ',');
    for (size_t i = 0; i < words.count; i++) {
        bool svg = strcmp(words.items[i], "svg") == 0;
        good = good && (svg || strcmp(words.items[i], "png") == 0);
        request->formats |= svg ? (unsigned)PICTURE_SVG : (unsigned)PICTURE_PNG;
    }
    text_list_free(&words);
    return good;
}

/* One option; an exit status, or EXIT_CLEAN to go on. */
static int map_take_option(struct map_request *request, int option, char **argv)
{
    uint64_t frames = 0;
    switch (option) {
    case 'b':
        request->backend = optarg;
        return EXIT_CLEAN;
    case 'w':
        request->workload = optarg;
        return EXIT_CLEAN;
    case 'p':
        text_list_add(&request->parameters, text_format("%s", optarg));
        return EXIT_CLEAN;
    case 'o':
        request->output = optarg;
        return EXIT_CLEAN;
    case OPTION_AT:
        request->moments = optarg;
        return EXIT_CLEAN;
    case OPTION_FRAMES:
        if (!map_set_number(&frames, 1, MAP_FRAMES_MAX)) {
            return map_refuse("--frames takes a number from 1 to 24, not", optarg);
        }
        request->frames = (unsigned)frames;
        return EXIT_CLEAN;
    case OPTION_ITERATIONS:
        return map_set_number(&request->iterations, 1, UINT64_C(1) << 40)
                   ? EXIT_CLEAN
                   : map_refuse("--iterations takes a number above 0, not", optarg);
    case OPTION_SEED:
        return map_set_number(&request->seed, 0, UINT64_C(1) << 52)
                   ? EXIT_CLEAN
                   : map_refuse("--seed takes a whole number, not", optarg);
    case OPTION_FORMAT:
        return map_set_formats(request)
                   ? EXIT_CLEAN
                   : map_refuse("--format takes svg, png or both, not", optarg);
    case ':':
        return map_refuse("a value is missing after", argv[optind - 1]);
    default:
        return map_refuse("unknown option", argv[optind - 1]);
    }
}

static int map_parse(int argc, char **argv, struct map_request *request)
{
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":b:w:p:o:", map_long_options, NULL)) != -1) {
        int status = map_take_option(request, option, argv);
        if (status != EXIT_CLEAN) {
            return status;
        }
    }
    if (optind < argc) {
        return map_refuse("no such argument:", argv[optind]);
    }
    if (request->backend == NULL || request->workload == NULL) {
        return map_refuse("say which back end (-b) and which workload (-w)", NULL);
    }
    return EXIT_CLEAN;
}

static int map_command_run(int argc, char **argv)
{
    struct map_request request = {
        .output = ".", .frames = 6, .seed = 1, .formats = PICTURE_SVG | PICTURE_PNG};
    struct text_list words = {0};
    text_list_add(&words, text_format("heapmill"));
    for (int i = 0; i < argc; i++) {
        text_list_add(&words, text_format("%s", argv[i]));
    }
    request.command = text_join(&words, " ");
    text_list_free(&words);
    process_prepare_signals();
    int result = map_parse(argc, argv, &request);
    if (result == EXIT_CLEAN) {
        struct error error = {.message = ""};
        enum status status = map_run(&request, &error);
        if (status != STATUS_OK && status != STATUS_INTERRUPTED) {
            (void)fprintf(stderr, "heapmill map: %s\n", error.message);
        }
        result = status == STATUS_OK                                      ? EXIT_CLEAN
                 : status == STATUS_INTERRUPTED                           ? EXIT_INTERRUPTED
                 : status == STATUS_CORRUPT                               ? EXIT_FINDING
                 : status == STATUS_INVALID || status == STATUS_NOT_FOUND ? EXIT_USAGE
                                                                          : EXIT_ENVIRONMENT;
    }
    free(request.command);
    text_list_free(&request.parameters);
    return result;
}

const struct command command_map = {
    .name = "map",
    .summary = "a picture of arenas, pools and blocks while a workload runs",
    .usage = map_usage,
    .run = map_command_run,
};
