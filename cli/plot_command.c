#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/json.h"
#include "common/host/text.h"
#include "plots/plot.h"

struct plot_arguments {
    struct plot_options options;
    struct base_option base;
    bool json;
};

static const struct option_row plot_option_rows[] = {
    {SHARED_RUN_DIRECTORY(struct plot_arguments, options.input)},
    {OPTION_TEXT, 0, "figure", "NAME[,…]", "figures to draw, from `heapmill list plots`",
     .shown = "all", .candidates = CANDIDATES_PLOTS,
     OPTION_INTO(struct plot_arguments, options.figures)},
    {SHARED_BASE(struct plot_arguments, base)},
    {OPTION_TEXT, 0, "metric", "METRIC", "metric of heatmap and bars", .shown = "time",
     .candidates = CANDIDATES_METRICS, OPTION_INTO(struct plot_arguments, options.metric)},
    {SHARED_WORKLOAD_GLOBS(struct plot_arguments, options.workloads)},
    {SHARED_BACKEND_GLOBS(struct plot_arguments, options.backends)},
    {OPTION_TEXT, 'o', "output", "DIRECTORY", "directory for the files", .shown = "DIR/plots",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct plot_arguments, options.output)},
    {SHARED_PICTURES(struct plot_arguments, options.formats)},
    {SHARED_JSON(struct plot_arguments, json,
                 "print {output, images: [{figure, name, status, message, files}], notes}")},
    {.kind = OPTION_END},
};

static enum status plot_check(void *arguments, struct error *error)
{
    struct plot_arguments *asked = arguments;
    (void)error;
    asked->options.base_backend = asked->base.backend;
    asked->options.base_arm = asked->base.arm;
    return STATUS_OK;
}

/* The files of an image: always the data and the script, and the pictures if they were drawn. */
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
    json_print(all);
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

/* Prints what went wrong, and returns the exit status. */
static int plot_fail(const struct plot_report *report, const struct error *error)
{
    size_t drawn = 0;
    for (size_t i = 0; i < report->image_count; i++) {
        drawn += report->images[i].status == STATUS_OK;
    }
    if (error->status == STATUS_UNSUPPORTED) {
        (void)fprintf(stderr,
                      "heapmill plot: %s; the tables and scripts of %zu images are in %s. To draw "
                      "them, run apt-get install gnuplot-nox, then the same command again\n",
                      error->message, report->image_count, report->output);
        return EXIT_ENVIRONMENT;
    }
    for (size_t i = 0; i < report->image_count; i++) {
        if (report->images[i].status != STATUS_OK) {
            (void)fprintf(stderr, "heapmill plot: %s was not drawn: %s\n", report->images[i].name,
                          report->images[i].message);
        }
    }
    if (report->image_count == drawn) {
        (void)fprintf(stderr, "heapmill plot: %s\n", error->message);
    }
    bool usage = error->status == STATUS_INVALID || error->status == STATUS_NOT_FOUND;
    return drawn > 0 ? EXIT_PARTIAL : usage ? EXIT_USAGE : EXIT_ENVIRONMENT;
}

static int plot_execute(const struct invocation *invocation, void *arguments)
{
    struct plot_arguments *asked = arguments;
    struct plot_report report;
    struct error error = {.message = ""};
    char *command = command_line(invocation);
    asked->options.command = command;
    enum status status = plot_draw(&asked->options, &report, &error);
    for (size_t i = 0; i < report.note_count; i++) {
        (void)fprintf(stderr, "heapmill plot: note: %s\n", report.notes[i]);
    }
    if (asked->json && (status == STATUS_OK || report.image_count > 0)) {
        plot_print_json(asked, &report);
    } else {
        plot_print_paths(asked, &report);
    }
    int result = status == STATUS_OK ? EXIT_CLEAN : plot_fail(&report, &error);
    plot_report_free(&report);
    free(command);
    return result;
}
const struct command command_plot = {
    .name = "plot",
    .summary = "draws the figures of a run, each with its data and its script",
    .description =
        "Draws a run with gnuplot. Each figure NAME has the pictures NAME.svg and NAME.png, the "
        "data NAME.tsv and the script NAME.gp. You can change the script and run `gnuplot NAME.gp` "
        "in that folder to draw the figure again. The files' paths are printed.",
    .options = plot_option_rows,
    .arguments_size = sizeof(struct plot_arguments),
    .check = plot_check,
    .examples = "heapmill plot run --figure heatmap,memory --format svg",
    .exit_statuses =
        "0 clean; 2 wrong usage; 3 gnuplot is missing (tables and scripts are written) or files "
        "cannot be read or written; 4 some pictures could not be drawn",
    .execute = plot_execute,
};
