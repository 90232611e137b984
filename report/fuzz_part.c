#include "report/fuzz_part.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/json.h"
#include "fuzz/campaign/log.h"
#include "plots/figure.h"
#include "plots/fuzz_figures.h"

/* ------------------------------------------------------------------------------------ figures */

/* The samples of a campaign, by member. */
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

/* Reads the samples. Counters begin at 0 in a new session. Rates are those between neighbours, and
 * a fall gives no point. */
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

/* Adds a figure's name to the list even if gnuplot is missing, since its table and script exist. */
static enum status plot_noted(struct text_list *names, const char *name, enum status status)
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
    status = plot_noted(names, "coverage",
                        fuzz_figure_coverage(options, members.series, members.count, error));
    enum status second =
        status == STATUS_OK || status == STATUS_UNSUPPORTED
            ? plot_noted(names, "speed",
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
            plot_noted(names, pictures[i].name, pictures[i].draw(options, &score, error));
        writable = drawn == STATUS_OK || drawn == STATUS_UNSUPPORTED;
        status = status == STATUS_OK ? drawn : status;
    }
    fuzz_score_release(&score);
    return status;
}

enum status fuzz_part_draw(const char *directory, const struct image_options *options,
                           struct text_list *names, struct error *error)
{
    char *score = text_format("%s/score.json", directory);
    bool is_score = access(score, F_OK) == 0;
    free(score);
    return is_score ? plot_score(directory, options, names, error)
                    : plot_campaign(directory, options, names, error);
}

/* -------------------------------------------------------------------------------------- parts */

static void part_add_figures(struct report *report, const char *directory,
                             struct document *document)
{
    struct text_list names = {0};
    struct error error = {.message = ""};
    struct image_options options = report_image_options(report);
    char *output = text_format("%s/%zu", report->scratch.path, report->number);
    char *command = text_format("heapmill fuzz plot %s", directory);
    options.output = output;
    if (fuzz_part_draw(directory, &options, &names, &error) != STATUS_OK) {
        report_lacks(report, document, "%s: not all figures were drawn: %s", report_name(directory),
                     error.message);
    }
    document_heading(document, 2, "Figures");
    for (size_t i = 0; i < names.count; i++) {
        report_add_figure(report, output, names.items[i], figure_find(names.items[i])->summary,
                          command, document);
    }
    free(command);
    free(output);
    text_list_free(&names);
}

enum status score_part_add(struct report *report, const char *directory, struct document *document,
                           struct error *error)
{
    json_t *plan;
    json_t *lines;
    struct fuzz_score score;
    enum status status = fuzz_log_read(&fuzz_score_journal, directory, &plan, &lines, error);
    if (status == STATUS_OK) {
        status = fuzz_score_evaluate(plan, lines, &score, error);
    }
    json_decref(plan);
    json_decref(lines);
    if (status != STATUS_OK) {
        return status;
    }
    document_heading(document, 1, "%s: which fuzz engine finds planted bugs",
                     report_name(directory));
    document_anchor(document, "r%zu", report->number);
    fuzz_score_report(&score, document);
    document_line(document, "The same on a terminal: heapmill fuzz score --show -o %s", directory);
    fuzz_score_release(&score);
    part_add_figures(report, directory, document);
    return STATUS_OK;
}

/* Adds what each process had done at the end of its last session. */
static void campaign_add_table(const json_t *lines, struct document *document)
{
    static const char *const titles[] = {"process",    "engine", "CPU seconds", "executions",
                                         "operations", "edges",  "inputs kept"};
    struct plot_members members = {.series = NULL};
    plot_read_samples(lines, &members);
    struct table *table = document_table(document, "engines");
    table_columns(table, titles, sizeof(titles) / sizeof(titles[0]), 2);
    for (size_t i = 0; i < members.count; i++) {
        const struct fuzz_series *series = &members.series[i];
        const struct fuzz_sample *last = &series->samples[series->count - 1];
        table_row(table);
        table_cell(table, 0, "%s", series->member);
        table_cell(table, 1, "%s", series->engine);
        table_number(table, 2, "%.1f", last->cpu_s);
        table_count(table, 3, last->executions);
        table_count(table, 4, last->operations);
        table_count(table, 5, last->coverage);
        table_count(table, 6, last->corpus);
    }
    plot_free_members(&members);
}

static void campaign_add_findings(const json_t *lines, const char *directory,
                                  struct document *document)
{
    size_t index;
    size_t findings = 0;
    json_t *line;
    json_array_foreach(lines, index, line)
    {
        if (strcmp(json_text_at(line, "event", ""), "finding") == 0) {
            findings++;
            document_line(document, "finding: %s", json_text_at(line, "file", "?"));
        }
    }
    document_line(document, "%zu finding%s. What they are: heapmill fuzz triage %s", findings,
                  findings == 1 ? "" : "s", directory);
}

enum status campaign_part_add(struct report *report, const char *directory,
                              struct document *document, struct error *error)
{
    json_t *plan;
    json_t *lines;
    enum status status = fuzz_log_read(&fuzz_campaign_journal, directory, &plan, &lines, error);
    if (status != STATUS_OK) {
        return status;
    }
    document_heading(document, 1, "%s: a fuzz campaign", report_name(directory));
    document_anchor(document, "r%zu", report->number);
    document_line(document, "target: %s; back end: %s; library: %s",
                  json_text_at(plan, "target", "?"), json_text_at(plan, "backend", "none"),
                  json_text_at(plan, "library", "none"));
    campaign_add_findings(lines, directory, document);
    campaign_add_table(lines, document);
    json_decref(plan);
    json_decref(lines);
    part_add_figures(report, directory, document);
    return STATUS_OK;
}
