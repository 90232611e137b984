#include "plots/plot.h"

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

size_t plot_figure_count(void)
{
    size_t count = 0;
    while (figure_table[count].figure) {
        count++;
    }
    return count;
}

const char *plot_figure_name(size_t index)
{
    return figure_table[index].figure->name;
}

const char *plot_figure_summary(size_t index)
{
    return figure_table[index].figure->summary;
}

static char *list_figures(void)
{
    char *list = text_format("%s", "all");
    for (size_t i = 0; i < plot_figure_count(); i++) {
        char *longer = text_format("%s, %s", list, plot_figure_name(i));
        free(list);
        list = longer;
    }
    return list;
}

/* Which figures the list names. */
static enum status choose_figures(const char *list, bool *chosen, struct error *error)
{
    const char *rest = list ? list : "all";
    const char *item;
    size_t length;
    while (name_filter_next(&rest, &item, &length)) {
        bool found = false;
        for (size_t i = 0; i < plot_figure_count(); i++) {
            const char *name = plot_figure_name(i);
            bool named = strlen(name) == length && strncmp(name, item, length) == 0;
            if (named || (length == 3 && strncmp(item, "all", 3) == 0)) {
                chosen[i] = true;
                found = true;
            }
        }
        if (!found) {
            char *known = list_figures();
            enum status status =
                error_set(error, STATUS_NOT_FOUND, "there is no figure '%.*s'; known: %s",
                          (int)length, item, known);
            free(known);
            return status;
        }
    }
    return STATUS_OK;
}

enum status plot_make_directory(const char *path, struct error *error)
{
    char *partial = text_format("%s", path);
    enum status status = STATUS_OK;
    for (char *at = partial + 1; status == STATUS_OK; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char kept = *at;
        *at = '\0';
        if (mkdir(partial, 0777) != 0 && errno != EEXIST) {
            status = error_set(error, STATUS_IO, "cannot make %s: %s", partial, strerror(errno));
        }
        *at = kept;
        if (kept == '\0') {
            break;
        }
    }
    free(partial);
    return status;
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
static enum status draw_chosen(struct plot *plot, const bool *chosen, struct error *error)
{
    enum status first = STATUS_OK;
    for (size_t i = 0; i < plot_figure_count(); i++) {
        struct error why = {.message = ""};
        enum status status = STATUS_OK;
        if (chosen[i]) {
            status = figure_table[i].figure->draw(plot, figure_table[i].figure, &why);
        }
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
                            const bool *chosen, struct plot_report *report, struct error *error)
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
        .output = report->output,
        .set = set,
        .comparison = comparison,
        .report = report,
    };
    plot_axes_build(&plot);
    status = plot_make_directory(report->output, error);
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
    bool *chosen = text_zeroed(plot_figure_count(), sizeof *chosen);
    struct record_set *set = NULL;
    enum status status = choose_figures(options->figures, chosen, error);
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
    free(chosen);
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
