#include "plots/plot.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/host/files.h"
#include "common/host/text.h"
#include "plots/figure.h"
#include "results/name_filter.h"
#include "results/stats/statistics.h"
#include "results/store.h"

/* ------------------------------------------------------------------------------------ rows */

static size_t palette_rank(const char *backend)
{
    size_t rank = 0;
    while (rank < palette_known_count() && strcmp(palette_known(rank)->backend, backend) != 0) {
        rank++;
    }
    return rank;
}

/* The palette's order keeps families together. It does not depend on what was measured. */
static int compare_rows(const void *left, const void *right)
{
    const struct plot_row *a = left;
    const struct plot_row *b = right;
    size_t rank_a = palette_rank(a->backend);
    size_t rank_b = palette_rank(b->backend);
    if (rank_a != rank_b) {
        return rank_a < rank_b ? -1 : 1;
    }
    int order = strcmp(a->backend_text, b->backend_text);
    return order ? order : strcmp(a->arm, b->arm);
}

static void add_row(struct plot *plot, const char *backend_text, const char *backend,
                    const char *collector, const char *arm, bool is_base)
{
    if (plot_find_row(plot, backend_text, arm) < plot->row_count) {
        return;
    }
    plot->rows[plot->row_count++] = (struct plot_row){
        .backend_text = backend_text,
        .backend = backend,
        .collector = collector,
        .arm = arm,
        .label = text_format("%s:%s", backend_text, arm),
        .arm_look = palette_arm(arm),
        .is_base = is_base,
    };
}

/* A cell of the base; NULL: there is none. */
static const struct record_cell *base_cell(const struct plot *plot)
{
    const struct record_set *set = plot->set;
    for (size_t i = 0; i < set->cell_count; i++) {
        if (strcmp(set->cells[i].backend_text, plot->comparison->base_backend) == 0) {
            return &set->cells[i];
        }
    }
    return NULL;
}

/* Are all cells of this back end and arm not applicable? Such a row would take space to say what
 * one sentence can say. */
static bool is_never_applicable(const struct comparison *comparison, const struct record_cell *of)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct record_cell *cell = comparison->cells[i].cell;
        if (strcmp(cell->backend_text, of->backend_text) == 0 && strcmp(cell->arm, of->arm) == 0 &&
            comparison->cells[i].verdict != COMPARISON_NOT_APPLICABLE) {
            return false;
        }
    }
    return true;
}

static void leave_out(struct plot *plot, const struct record_cell *cell)
{
    char *label = text_format("%s:%s", cell->backend_text, cell->arm);
    if (!strstr(plot->left_out, label)) {
        char *longer = text_format("%s%s%s", plot->left_out, *plot->left_out ? ", " : "", label);
        free(plot->left_out);
        plot->left_out = longer;
    }
    free(label);
}

/* Do the rows compare the collectors of one back end? References, whose names the palette does not
 * know, may be beside them. */
static bool compares_collectors(const struct plot *plot)
{
    const char *backend = NULL;
    for (size_t i = 0; i < plot->row_count; i++) {
        const struct plot_row *row = &plot->rows[i];
        bool chosen = row->collector[0] != '\0';
        if (!chosen && palette_rank(row->backend) < palette_known_count()) {
            return false;
        }
        /* With other variables a collector would have two rows. */
        if (chosen && ((backend && strcmp(backend, row->backend) != 0) ||
                       strchr(row->backend_text, ',') != NULL)) {
            return false;
        }
        backend = chosen ? row->backend : backend;
    }
    return backend != NULL;
}

/* Chooses the names that give the rows their looks. Collectors of one back end are distinguished by
 * colour, as back ends are. */
static void name_looks(const struct plot *plot, const char **names)
{
    bool alone = compares_collectors(plot);
    for (size_t i = 0; i < plot->row_count; i++) {
        const struct plot_row *row = &plot->rows[i];
        bool chosen = row->collector[0] != '\0';
        const char *borrowed = alone && chosen ? palette_collector(row->collector) : NULL;
        names[i] = borrowed ? borrowed : chosen ? row->backend_text : row->backend;
    }
}

static void build_rows(struct plot *plot)
{
    const struct comparison *comparison = plot->comparison;
    plot->rows = text_zeroed(comparison->cell_count + 1, sizeof *plot->rows);
    plot->left_out = text_format("%s", "");
    const struct record_cell *base = base_cell(plot);
    add_row(plot, comparison->base_backend, base ? base->backend : comparison->base_backend,
            base ? base->collector : "", comparison->base_arm, true);
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct record_cell *cell = comparison->cells[i].cell;
        if (is_never_applicable(comparison, cell)) {
            leave_out(plot, cell);
        } else {
            add_row(plot, cell->backend_text, cell->backend, cell->collector, cell->arm, false);
        }
    }
    qsort(plot->rows, plot->row_count, sizeof *plot->rows, compare_rows);
    const char **names = text_zeroed(plot->row_count, sizeof *names);
    struct palette_entry *looks = text_zeroed(plot->row_count, sizeof *looks);
    name_looks(plot, names);
    palette_assign(names, plot->row_count, looks);
    for (size_t i = 0; i < plot->row_count; i++) {
        plot->rows[i].look = looks[i];
    }
    free(names);
    free(looks);
}

size_t plot_find_row(const struct plot *plot, const char *backend_text, const char *arm)
{
    size_t row = 0;
    while (row < plot->row_count && (strcmp(plot->rows[row].backend_text, backend_text) != 0 ||
                                     strcmp(plot->rows[row].arm, arm) != 0)) {
        row++;
    }
    return row;
}

/* --------------------------------------------------------------------------------- columns */

/* Does text, "size=64,live=1000", contain exactly this item of that length? */
static bool has_item(const char *text, const char *item, size_t length)
{
    for (const char *at = text; *at; at += strcspn(at, ","), at += *at == ',') {
        if (strcspn(at, ",") == length && strncmp(at, item, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Do all compared groups of the cell's workload have this item? Then labels leave it out. */
static bool item_is_common(const struct comparison *comparison, const struct record_cell *cell,
                           const char *item, size_t length)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct record_cell *other = comparison->cells[i].cell;
        if (strcmp(other->workload, cell->workload) == 0 &&
            !has_item(other->params_text, item, length)) {
            return false;
        }
    }
    return true;
}

static bool threads_differ(const struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        if (comparison->cells[i].cell->threads != 1) {
            return true;
        }
    }
    return false;
}

static char *column_label(const struct comparison *comparison, const struct record_cell *cell)
{
    char *label = text_format("%s", cell->workload);
    const char *at = cell->params_text;
    while (*at) {
        size_t length = strcspn(at, ",");
        if (!item_is_common(comparison, cell, at, length)) {
            char *longer = text_format("%s %.*s", label, (int)length, at);
            free(label);
            label = longer;
        }
        at += length;
        at += *at == ',';
    }
    if (threads_differ(comparison)) {
        char *longer = text_format("%s t%u", label, cell->threads);
        free(label);
        label = longer;
    }
    return label;
}

/* Makes a part of a file name from a label. Two labels could give the same slug, so it has the
 * column's number. */
static char *column_slug(const char *label, size_t index)
{
    char *slug = text_format("%s", label);
    bool changed = false;
    for (char *at = slug; *at; at++) {
        if (*at == ' ') {
            *at = '-';
        } else if (!isalnum((unsigned char)*at) && !strchr("._-=", *at)) {
            *at = '_';
            changed = true;
        }
    }
    if (changed || strlen(slug) > 100) {
        char *numbered = text_format("%.90s-%zu", slug, index + 1);
        free(slug);
        slug = numbered;
    }
    return slug;
}

static bool has_column(const struct plot *plot, uint32_t group)
{
    for (size_t i = 0; i < plot->column_count; i++) {
        if (plot->columns[i].group == group) {
            return true;
        }
    }
    return false;
}

static int compare_columns(const void *left, const void *right)
{
    uint32_t a = ((const struct plot_column *)left)->group;
    uint32_t b = ((const struct plot_column *)right)->group;
    return (a > b) - (a < b);
}

static void build_columns(struct plot *plot)
{
    const struct comparison *comparison = plot->comparison;
    plot->columns = text_zeroed(plot->set->group_count, sizeof *plot->columns);
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct record_cell *cell = comparison->cells[i].cell;
        if (has_column(plot, cell->group)) {
            continue;
        }
        plot->columns[plot->column_count++] = (struct plot_column){
            .group = cell->group,
            .workload = cell->workload,
            .family = cell->family,
            .label = column_label(comparison, cell),
        };
    }
    qsort(plot->columns, plot->column_count, sizeof *plot->columns, compare_columns);
    for (size_t i = 0; i < plot->column_count; i++) {
        plot->columns[i].slug = column_slug(plot->columns[i].label, i);
    }
}

static void plot_axes_build(struct plot *plot)
{
    build_rows(plot);
    build_columns(plot);
}

static void plot_axes_release(struct plot *plot)
{
    for (size_t i = 0; i < plot->row_count; i++) {
        free(plot->rows[i].label);
    }
    for (size_t i = 0; i < plot->column_count; i++) {
        free(plot->columns[i].label);
        free(plot->columns[i].slug);
    }
    free(plot->rows);
    free(plot->left_out);
    free(plot->columns);
}

const struct comparison_cell *plot_find_cell(const struct plot *plot,
                                             const struct comparison *comparison, size_t row,
                                             size_t column)
{
    const struct plot_row *wanted = &plot->rows[row];
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct record_cell *cell = comparison->cells[i].cell;
        if (cell->group == plot->columns[column].group &&
            strcmp(cell->backend_text, wanted->backend_text) == 0 &&
            strcmp(cell->arm, wanted->arm) == 0) {
            return &comparison->cells[i];
        }
    }
    return NULL;
}

double plot_axis_end(double *values, size_t count)
{
    if (count == 0) {
        return 0;
    }
    statistics_sort(values, count);
    double limit = 4 * statistics_quantile(values, count, 0.5);
    size_t last = count - 1;
    while (last > 0 && values[last] > limit) {
        last--;
    }
    return values[last];
}

int plot_label_width(const struct plot *plot)
{
    size_t widest = 0;
    for (size_t i = 0; i < plot->row_count; i++) {
        size_t width = text_width(plot->rows[i].label);
        widest = width > widest ? width : widest;
    }
    return (int)widest * IMAGE_CHARACTER_WIDTH;
}

const struct record_cell *plot_column_cell(const struct plot *plot, size_t column)
{
    for (size_t i = 0; i < plot->set->cell_count; i++) {
        if (plot->set->cells[i].group == plot->columns[column].group) {
            return &plot->set->cells[i];
        }
    }
    return NULL;
}

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

/* Does the list name this figure? */
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

/* Checks the list. STATUS_NOT_FOUND: an item is no figure of a run. */
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

/* Draws the chosen figures. If gnuplot is missing, or an image fails, it continues, so that all
 * data is written. The first error is reported. */
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
