#include "plots/plot.h"

#include "common/host/files.h"
#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/plot_axes.h"
#include "results/name_filter.h"
#include "results/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *list_figures(void)
{
    struct text_list names = {0};
    text_list_add(&names, text_format("all"));
    for (const struct figure *figure = figure_table; figure->name; figure++) {
        if (figure->draw) {
            text_list_add(&names, text_format("%s", figure->name));
        }
    }
    char *list = text_join(&names, ", ");
    text_list_free(&names);
    return list;
}

/* Is the figure one of those that the list names? */
static bool is_chosen(const struct figure *figure, const char *list)
{
    const char *item;
    size_t length;
    while (name_filter_next(&list, &item, &length)) {
        bool all = length == 3 && strncmp(item, "all", 3) == 0;
        if (all || (strlen(figure->name) == length && strncmp(figure->name, item, length) == 0)) {
            return figure->draw != NULL;
        }
    }
    return false;
}

/* STATUS_NOT_FOUND: an item of the list is no figure of a run. */
static enum status check_figures(const char *list, struct error *error)
{
    const char *item;
    size_t length;
    while (name_filter_next(&list, &item, &length)) {
        char *name = text_format("%.*s", (int)length, item);
        bool found = strcmp(name, "all") == 0;
        for (const struct figure *figure = figure_table; figure->name && !found; figure++) {
            found = is_chosen(figure, name);
        }
        if (!found) {
            char *known = list_figures();
            (void)error_set(error, STATUS_NOT_FOUND, "there is no figure '%s'; known: %s", name,
                            known);
            free(known);
        }
        free(name);
        if (!found) {
            return STATUS_NOT_FOUND;
        }
    }
    return STATUS_OK;
}

static void report_note(struct plot_report *report, const char *text)
{
    if (report->note_count < sizeof report->notes / sizeof report->notes[0]) {
        snprintf(report->notes[report->note_count++], sizeof report->notes[0], "%s", text);
    }
}

void plot_note(const struct plot *plot, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    report_note(plot->report, text);
}

/* Draws the chosen figures. Without gnuplot, or with an image that failed, goes on, so that all the
 * data is written; the first error is the one that is told. */
static enum status draw_chosen(struct plot *plot, const char *chosen, struct error *error)
{
    enum status first = STATUS_OK;
    for (const struct figure *figure = figure_table; figure->name; figure++) {
        struct error why = {.message = ""};
        enum status status =
            is_chosen(figure, chosen) ? figure->draw(plot, figure, &why) : STATUS_OK;
        if (status == STATUS_OK) {
            continue;
        }
        if (first == STATUS_OK) {
            first = status;
            if (error) {
                *error = why;
            }
        }
        if (status != STATUS_UNSUPPORTED && status != STATUS_IO) {
            break;
        }
    }
    return first;
}

static enum status draw_set(const struct plot_options *options, const struct record_set *set,
                            const char *chosen, struct plot_report *report, struct error *error)
{
    struct comparison_options wanted = {
        .base_backend = options->base_backend,
        .base_arm = options->base_arm,
        .metric = options->metric,
        .workloads = options->workloads,
        .backends = options->backends,
    };
    struct comparison *comparison = NULL;
    enum status status = comparison_build(set, &wanted, &comparison, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct plot plot = {
        .options = options,
        .set = set,
        .comparison = comparison,
        .report = report,
        .image_options = {.output = report->output,
                          .gnuplot = options->gnuplot,
                          .formats = options->formats,
                          .timeout_s = options->timeout_s},
    };
    plot_axes_build(&plot);
    status = file_make_directory(report->output, error);
    if (status == STATUS_OK) {
        status = draw_chosen(&plot, chosen, error);
    }
    plot_axes_release(&plot);
    comparison_free(comparison);
    return status;
}

enum status plot_draw(const struct plot_options *options, struct plot_report *report,
                      struct error *error)
{
    *report = (struct plot_report){0};
    report->output = options->output ? text_format("%s", options->output)
                                     : text_format("%s/plots", options->input);
    const char *chosen = options->figures ? options->figures : "all";
    struct record_set *set = NULL;
    enum status status = check_figures(chosen, error);
    if (status == STATUS_OK) {
        status = store_load(options->input, &set, error);
    }
    if (status == STATUS_OK && set->record_count == 0) {
        status = error_set(error, STATUS_NOT_FOUND,
                           "%s has a plan but no records: nothing was measured yet, run "
                           "`heapmill bench -o %s --resume`",
                           options->input, options->input);
    }
    if (status == STATUS_OK) {
        for (size_t i = 0; i < set->note_count; i++) {
            report_note(report, set->notes[i]);
        }
        status = draw_set(options, set, chosen, report, error);
    }
    record_set_free(set);
    return status;
}

void plot_report_free(struct plot_report *report)
{
    for (size_t i = 0; i < report->image_count; i++) {
        free(report->images[i].figure);
        free(report->images[i].name);
        free(report->images[i].message);
    }
    free(report->images);
    free(report->output);
    *report = (struct plot_report){0};
}
