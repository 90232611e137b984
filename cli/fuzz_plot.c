#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "common/host/json.h"
#include "plots/gnuplot.h"
#include "report/fuzz_part.h"

struct plot_arguments {
    const char *directory;
    struct image_options image;
    bool json;
};

static const struct option_row plot_option_rows[] = {
    {OPTION_TEXT, .placeholder = "DIR", .help = "a campaign's or a score's directory",
     .missing = "a campaign's or a score's directory is missing", .candidates = OPTION_DIRECTORIES,
     OPTION_INTO(struct plot_arguments, directory)},
    {OPTION_TEXT, 'o', "output", "DIRECTORY", "directory for the files", .shown = "DIR/plots",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct plot_arguments, image.output)},
    {SHARED_PICTURES(struct plot_arguments, image.formats)},
    {SHARED_JSON(struct plot_arguments, json, "an array of the files' paths")},
    {.kind = OPTION_END},
};

/* Prints on stdout which files each figure has. */
static void plot_print(const char *output, const struct text_list *names, bool json)
{
    static const char *const suffixes[] = {"tsv", "gp", "svg", "png"};
    json_t *paths = json_array();
    for (size_t i = 0; i < names->count; i++) {
        for (size_t j = 0; j < sizeof(suffixes) / sizeof(suffixes[0]); j++) {
            char *path = text_format("%s/%s.%s", output, names->items[i], suffixes[j]);
            if (access(path, F_OK) == 0 && json) {
                (void)json_array_append_new(paths, json_string(path));
            } else if (access(path, F_OK) == 0) {
                (void)puts(path);
            }
            free(path);
        }
    }
    if (json) {
        json_print(paths);
    }
    json_decref(paths);
}

static int plot_draw(const struct invocation *invocation, const char *directory,
                     struct image_options *options, bool json)
{
    struct text_list names = {0};
    struct error error = {.message = ""};
    char *default_output = text_format("%s/plots", directory);
    options->output = options->output != NULL ? options->output : default_output;
    enum status status = fuzz_part_draw(directory, options, &names, &error);
    plot_print(options->output, &names, json);
    text_list_free(&names);
    free(default_output);
    if (status == STATUS_NOT_FOUND) {
        (void)fprintf(stderr, "heapmill fuzz plot: %s has neither a campaign nor a score\n",
                      directory);
        return EXIT_USAGE;
    }
    return status == STATUS_OK ? EXIT_CLEAN : fuzz_report(invocation, &error);
}

static int plot_execute(const struct invocation *invocation, void *arguments)
{
    struct plot_arguments *asked = arguments;
    char *command = command_line(invocation);
    asked->image.command = command;
    int result = plot_draw(invocation, asked->directory, &asked->image, asked->json);
    free(command);
    return result;
}
const struct command fuzz_plot_command = {
    .name = "plot",
    .summary = "draws the figures of a campaign or a score",
    .description = "Draws the results of `heapmill fuzz run` or `heapmill fuzz score` in DIR. Each "
                   "figure is four files: NAME.svg, NAME.png, its data NAME.tsv and its script "
                   "NAME.gp. For a campaign:\n"
                   "\n"
                   "  coverage       edges and kept inputs over time, by engine process\n"
                   "  speed          executions and operations per CPU second\n"
                   "\n"
                   "For a score:\n"
                   "\n"
                   "  survival       the share of trials that found nothing yet, by engine\n"
                   "  survival-bugs  the same, a panel for each bug\n"
                   "  bugs           bugs × engines: which engine finds which bug, and how soon",
    .options = plot_option_rows,
    .arguments_size = sizeof(struct plot_arguments),
    .exit_statuses =
        "0 clean; 2 wrong usage; 3 gnuplot is missing (tables and scripts are written)",
    .execute = plot_execute,
};
