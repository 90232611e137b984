/* heapmill plot: the figures of a run, each with its data and its script. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/base_option.h"
#include "cli/command.h"
#include "common/host/text.h"
#include "plots/plot.h"

struct plot_arguments {
    struct plot_options options;
    char base[BASE_OPTION_MAX]; /* what the options' base is a part of */
    bool json;
};

static const char plot_usage[] =
    "usage: heapmill plot DIR [OPTION…]\n"
    "\n"
    "Draws the run in DIR with gnuplot. Each figure NAME gives NAME.svg and NAME.png, with "
    "NAME.tsv,\n"
    "its data, and NAME.gp, its script: `gnuplot NAME.gp` in that folder draws it again, so "
    "change\n"
    "whatever you like. The files' paths are printed.\n"
    "\n"
    "  --figure NAME[,…]       which figures (default: all)\n"
    "                            heatmap  back end × workload: the ratio to the base\n"
    "                            bars     the same as bars with intervals and every round; and "
    "absolute\n"
    "                            memory   live, usable, held, resident over operations, by "
    "workload\n"
    "                            pareto   time against peak held memory\n"
    "                            scaling  time against live bytes, and against threads\n"
    "                            drain    what is held after a drop, over operations or seconds\n"
    "                            binding  call over inline, call-sized over call\n"
    "                            pauses, floating, collector  of collectors (-p collector=)\n"
    "  --base BACKEND[:ARM]    compare with this one (default: the run's own base)\n"
    "  --metric METRIC         of heatmap and bars: time (default), held_peak, rss_peak, "
    "held_over_live\n"
    "  -w, --workload GLOBS    only these workloads, as in 'batch*,!pingpong'\n"
    "  -b, --backend GLOBS     only these back ends, as in 'pymalloc*,mimalloc,!tbb*'\n"
    "  -o, --output DIRECTORY  where the files go (default: DIR/plots)\n"
    "  --format svg,png        which pictures (default: both)\n"
    "  --json                  {output, images: [{figure, name, status, message, files}], notes}\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0; 2 wrong usage; 3 gnuplot is missing (tables and scripts are written) or "
    "files\n"
    "cannot be read or written; 4 some pictures could not be drawn\n";

enum plot_option { OPTION_FIGURE = 256, OPTION_BASE, OPTION_METRIC, OPTION_FORMAT, OPTION_JSON };

static const struct option plot_long_options[] = {
    {"figure", required_argument, NULL, OPTION_FIGURE},
    {"base", required_argument, NULL, OPTION_BASE},
    {"metric", required_argument, NULL, OPTION_METRIC},
    {"workload", required_argument, NULL, 'w'},
    {"backend", required_argument, NULL, 'b'},
    {"output", required_argument, NULL, 'o'},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"json", no_argument, NULL, OPTION_JSON},
    {0},
};

static int plot_refuse(const char *what, const char *argument)
{
    (void)fprintf(stderr, "heapmill plot: %s%s%s; `heapmill plot --help` shows the usage\n", what,
                  argument != NULL ? " " : "", argument != NULL ? argument : "");
    return EXIT_USAGE;
}

static bool plot_set_formats(struct plot_arguments *arguments, const char *text)
{
    struct text_list words = {0};
    bool good = true;
    arguments->options.formats = 0;
    text_split(&words, text, ',');
    for (size_t i = 0; i < words.count; i++) {
        bool svg = strcmp(words.items[i], "svg") == 0;
        bool png = strcmp(words.items[i], "png") == 0;
        arguments->options.formats |= svg ? (unsigned)PICTURE_SVG : png ? (unsigned)PICTURE_PNG : 0;
        good = good && (svg || png);
    }
    text_list_free(&words);
    return good && arguments->options.formats != 0;
}

/* One option; an exit status, or EXIT_CLEAN to go on. */
static int plot_take_option(struct plot_arguments *arguments, int option, char **argv)
{
    switch (option) {
    case OPTION_FIGURE:
        arguments->options.figures = optarg;
        return EXIT_CLEAN;
    case OPTION_BASE:
        return base_option_cut(optarg, arguments->base, &arguments->options.base_backend,
                               &arguments->options.base_arm)
                   ? EXIT_CLEAN
                   : plot_refuse("--base takes BACKEND or BACKEND:ARM, not", optarg);
    case OPTION_METRIC:
        arguments->options.metric = optarg;
        return EXIT_CLEAN;
    case OPTION_FORMAT:
        return plot_set_formats(arguments, optarg)
                   ? EXIT_CLEAN
                   : plot_refuse("--format takes svg, png or both, not", optarg);
    case OPTION_JSON:
        arguments->json = true;
        return EXIT_CLEAN;
    case 'w':
        arguments->options.workloads = optarg;
        return EXIT_CLEAN;
    case 'b':
        arguments->options.backends = optarg;
        return EXIT_CLEAN;
    case 'o':
        arguments->options.output = optarg;
        return EXIT_CLEAN;
    case ':':
        return plot_refuse("a value is missing after", argv[optind - 1]);
    default:
        return plot_refuse("unknown option", argv[optind - 1]);
    }
}

static int plot_parse(int argc, char **argv, struct plot_arguments *arguments)
{
    int option;
    *arguments = (struct plot_arguments){.options = {.formats = PICTURE_SVG | PICTURE_PNG}};
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":w:b:o:", plot_long_options, NULL)) != -1) {
        int status = plot_take_option(arguments, option, argv);
        if (status != EXIT_CLEAN) {
            return status;
        }
    }
    if (optind == argc) {
        return plot_refuse("say which run: the directory that `heapmill bench -o DIR` made", NULL);
    }
    arguments->options.input = argv[optind];
    return optind + 1 == argc ? EXIT_CLEAN
                              : plot_refuse("one run at a time, and not", argv[optind + 1]);
}

/* What the user typed, for the tables' heads; taken before getopt reorders it. */
static char *plot_command_line(int argc, char **argv)
{
    struct text_list words = {0};
    text_list_add(&words, text_format("heapmill"));
    for (int i = 0; i < argc; i++) {
        text_list_add(&words, text_format("%s", argv[i]));
    }
    char *line = text_join(&words, " ");
    text_list_free(&words);
    return line;
}

/* The files of an image: the data and the script always, the pictures if they were drawn. */
static json_t *plot_image_files(const struct plot_arguments *arguments,
                                const struct plot_report *report, const struct plot_image *image)
{
    const struct {
        const char *suffix;
        bool written;
    } files[] = {
        {"tsv", true},
        {"gp", true},
        {"svg", image->status == STATUS_OK && (arguments->options.formats & PICTURE_SVG) != 0},
        {"png", image->status == STATUS_OK && (arguments->options.formats & PICTURE_PNG) != 0},
    };
    json_t *paths = json_array();
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i].written) {
            char *path = text_format("%s/%s.%s", report->output, image->name, files[i].suffix);
            (void)json_array_append_new(paths, json_string(path));
            free(path);
        }
    }
    return paths;
}

static void plot_print_json(const struct plot_arguments *arguments,
                            const struct plot_report *report)
{
    json_t *images = json_array();
    for (size_t i = 0; i < report->image_count; i++) {
        const struct plot_image *image = &report->images[i];
        (void)json_array_append_new(images, json_pack("{s:s, s:s, s:s, s:s, s:o}", "figure",
                                                      image->figure, "name", image->name, "status",
                                                      image->status == STATUS_OK ? "ok" : "failed",
                                                      "message", image->message, "files",
                                                      plot_image_files(arguments, report, image)));
    }
    json_t *notes = json_array();
    for (size_t i = 0; i < report->note_count; i++) {
        (void)json_array_append_new(notes, json_string(report->notes[i]));
    }
    json_t *all =
        json_pack("{s:s, s:o, s:o}", "output", report->output, "images", images, "notes", notes);
    (void)json_dumpf(all, stdout, JSON_INDENT(1));
    (void)putchar('\n');
    json_decref(all);
}

static void plot_print_paths(const struct plot_arguments *arguments,
                             const struct plot_report *report)
{
    for (size_t i = 0; i < report->image_count; i++) {
        size_t index;
        json_t *path;
        json_t *paths = plot_image_files(arguments, report, &report->images[i]);
        json_array_foreach(paths, index, path)
        {
            (void)puts(json_string_value(path));
        }
        json_decref(paths);
    }
}

/* The sentence for what went wrong, and the exit status. */
static int plot_fail(const struct plot_report *report, const struct error *error)
{
    size_t drawn = 0;
    for (size_t i = 0; i < report->image_count; i++) {
        drawn += report->images[i].status == STATUS_OK;
    }
    if (error->status == STATUS_UNSUPPORTED) {
        (void)fprintf(stderr,
                      "heapmill plot: %s; the tables and scripts of %zu images are in %s. To draw "
                      "them: apt-get install gnuplot-nox, then the same command again\n",
                      error->message, report->image_count, report->output);
        return EXIT_ENVIRONMENT;
    }
    for (size_t i = 0; i < report->image_count; i++) {
        if (report->images[i].status != STATUS_OK) {
            (void)fprintf(stderr, "heapmill plot: no picture of %s: %s\n", report->images[i].name,
                          report->images[i].message);
        }
    }
    if (report->image_count == drawn) {
        (void)fprintf(stderr, "heapmill plot: %s\n", error->message);
    }
    bool usage = error->status == STATUS_INVALID || error->status == STATUS_NOT_FOUND;
    return drawn > 0 ? EXIT_PARTIAL : usage ? EXIT_USAGE : EXIT_ENVIRONMENT;
}

static int plot_run(int argc, char **argv)
{
    struct plot_arguments arguments;
    char *command = plot_command_line(argc, argv);
    int result = plot_parse(argc, argv, &arguments);
    if (result == EXIT_CLEAN) {
        struct plot_report report;
        struct error error = {.message = ""};
        arguments.options.command = command;
        enum status status = plot_draw(&arguments.options, &report, &error);
        for (size_t i = 0; i < report.note_count; i++) {
            (void)fprintf(stderr, "heapmill plot: note: %s\n", report.notes[i]);
        }
        if (arguments.json && (status == STATUS_OK || report.image_count > 0)) {
            plot_print_json(&arguments, &report);
        } else {
            plot_print_paths(&arguments, &report);
        }
        result = status == STATUS_OK ? EXIT_CLEAN : plot_fail(&report, &error);
        plot_report_free(&report);
    }
    free(command);
    return result;
}

const struct command command_plot = {
    .name = "plot",
    .summary = "the figures of a run, each with its data and its script",
    .usage = plot_usage,
    .run = plot_run,
};
