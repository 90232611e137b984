/* heapmill fuzz plot: the figures of a campaign or a score. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "common/host/json.h"
#include "fuzz/campaign/log.h"
#include "plots/fuzz_figures.h"
#include "plots/gnuplot.h"

struct plot_arguments {
    const char *directory;
    struct image_options image;
    bool json;
};

static const struct option_row plot_option_rows[] = {
    {OPTION_TEXT, .placeholder = "DIR", .help = "a campaign's or a score's directory",
     .missing = "say which: one campaign's or score's directory", .candidates = OPTION_DIRECTORIES,
     OPTION_INTO(struct plot_arguments, directory)},
    {OPTION_TEXT, 'o', "output", "DIRECTORY", "where the files go", .shown = "DIR/plots",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct plot_arguments, image.output)},
    {SHARED_PICTURES(struct plot_arguments, image.formats)},
    {SHARED_JSON(struct plot_arguments, json, "an array of the files' paths")},
    {.kind = OPTION_END},
};

/* A campaign's samples, by member. */
struct plot_members {
    struct fuzz_series *series;
    size_t count;
};

static struct fuzz_series *plot_member(struct plot_members *members, const char *name,
                                       const char *engine)
{
    for (size_t i = 0; i < members->count; i++) {
        if (strcmp(members->series[i].member, name) == 0) {
            return &members->series[i];
        }
    }
    members->series = text_grow(members->series, members->count + 1, sizeof(*members->series));
    struct fuzz_series *series = &members->series[members->count++];
    *series = (struct fuzz_series){.member = text_format("%s", name),
                                   .engine = text_format("%s", engine)};
    return series;
}

/* Counters of a new session begin at 0: rates are of neighbours, and a fall makes no point. */
static void plot_read_samples(const json_t *lines, struct plot_members *members)
{
    size_t index;
    const json_t *line;
    json_array_foreach(lines, index, line)
    {
        if (strcmp(json_text_at(line, "event", ""), "sample") != 0) {
            continue;
        }
        struct fuzz_series *series = plot_member(members, json_text_at(line, "member", ""),
                                                 json_text_at(line, "engine", ""));
        series->samples = text_grow(series->samples, series->count + 1, sizeof(*series->samples));
        series->samples[series->count++] = (struct fuzz_sample){
            .wall_s = json_number_value(json_object_get(line, "wall_s")),
            .cpu_s = json_number_value(json_object_get(line, "cpu_s")),
            .executions = json_number_value(json_object_get(line, "executions")),
            .operations = json_number_value(json_object_get(line, "operations")),
            .coverage = json_number_value(json_object_get(line, "coverage")),
            .corpus = json_number_value(json_object_get(line, "corpus"))};
    }
}

static void plot_free_members(struct plot_members *members)
{
    for (size_t i = 0; i < members->count; i++) {
        free((char *)members->series[i].member);
        free((char *)members->series[i].engine);
        free(members->series[i].samples);
    }
    free(members->series);
}

/* A figure's name joins the list even if gnuplot is missing: its table and script are there. */
static enum status plot_note(struct text_list *names, const char *name, enum status status)
{
    if (status == STATUS_OK || status == STATUS_UNSUPPORTED) {
        text_list_add(names, text_format("%s", name));
    }
    return status;
}

static enum status plot_campaign(const char *directory, const struct image_options *options,
                                 struct text_list *names, struct error *error)
{
    json_t *plan;
    json_t *lines;
    struct plot_members members = {.series = NULL};
    enum status status = fuzz_log_read(&fuzz_campaign_journal, directory, &plan, &lines, error);
    if (status != STATUS_OK) {
        return status;
    }
    plot_read_samples(lines, &members);
    status = plot_note(names, "coverage",
                       fuzz_figure_coverage(options, members.series, members.count, error));
    enum status second =
        status == STATUS_OK || status == STATUS_UNSUPPORTED
            ? plot_note(names, "speed",
                        fuzz_figure_speed(options, members.series, members.count, error))
            : status;
    plot_free_members(&members);
    json_decref(plan);
    json_decref(lines);
    return status != STATUS_OK ? status : second;
}

static enum status plot_score(const char *directory, const struct image_options *options,
                              struct text_list *names, struct error *error)
{
    typedef enum status picture(const struct image_options *, const struct fuzz_score *,
                                struct error *);
    static const struct {
        const char *name;
        picture *draw;
    } pictures[] = {{"survival", fuzz_figure_survival},
                    {"survival-bugs", fuzz_figure_survival_bugs},
                    {"bugs", fuzz_figure_bugs}};
    json_t *plan;
    json_t *lines;
    struct fuzz_score score;
    enum status status = fuzz_log_read(&fuzz_score_journal, directory, &plan, &lines, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = fuzz_score_evaluate(plan, lines, &score, error);
    json_decref(plan);
    json_decref(lines);
    if (status != STATUS_OK) {
        return status;
    }
    bool writable = true;
    for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]) && writable; i++) {
        enum status drawn =
            plot_note(names, pictures[i].name, pictures[i].draw(options, &score, error));
        writable = drawn == STATUS_OK || drawn == STATUS_UNSUPPORTED;
        status = status == STATUS_OK ? drawn : status;
    }
    fuzz_score_release(&score);
    return status;
}

/* What there is of each figure, on stdout. */
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
        (void)json_dumpf(paths, stdout, JSON_INDENT(1));
        (void)putchar('\n');
    }
    json_decref(paths);
}

static int plot_draw(const struct invocation *invocation, const char *directory,
                     struct image_options *options, bool json)
{
    struct text_list names = {0};
    struct error error = {.message = ""};
    char *default_output = text_format("%s/plots", directory);
    char *score = text_format("%s/score.json", directory);
    options->output = options->output != NULL ? options->output : default_output;
    enum status status = access(score, F_OK) == 0
                             ? plot_score(directory, options, &names, &error)
                             : plot_campaign(directory, options, &names, &error);
    plot_print(options->output, &names, json);
    text_list_free(&names);
    free(score);
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
    .summary = "the figures of a campaign or a score",
    .description =
        "Draws what `heapmill fuzz run` or `heapmill fuzz score` left in DIR. Each figure is four "
        "files: NAME.svg, NAME.png, its data NAME.tsv and its script NAME.gp. Of a campaign:\n"
        "\n"
        "  coverage       edges and kept inputs over time, by engine process\n"
        "  speed          executions and operations per CPU second\n"
        "\n"
        "Of a score:\n"
        "\n"
        "  survival       the share of trials that found nothing yet, by engine\n"
        "  survival-bugs  the same, a panel for each bug\n"
        "  bugs           bugs × engines: who finds what, and how soon",
    .options = plot_option_rows,
    .arguments_size = sizeof(struct plot_arguments),
    .exit_statuses =
        "0 clean; 2 wrong usage; 3 gnuplot is missing (tables and scripts are written)",
    .execute = plot_execute,
};
